"""What `docs` tells developers to do, done: every change and every command of the walk-throughs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from scripts.cli.client import ServiceClient, Write
from tests.cli_processes import serving, wait_until
from tests.databases import ScratchDatabase, sqlite_database
from tests.walkthrough import Walkthrough, copy_of_the_repository

Json = dict[str, Any]

pytestmark = pytest.mark.slow


@pytest.fixture
def scratch(tmp_path: Path) -> ScratchDatabase:
    return sqlite_database(tmp_path / "data")


def packages_of(folder: Path) -> str:
    """Where a process that is started in a copy has its packages from."""
    shown = "import projections, infra; print(projections.__file__, infra.__file__)"
    return subprocess.check_output([sys.executable, "-c", shown], cwd=folder, text=True)


def claim(client: ServiceClient, consumer: str, amount: int) -> None:
    body = {
        "consumer": {"id": consumer},
        "project_id": "acme",
        "user_id": "ada",
        "components": [{"kind": "amounts", "resources": {"VCPU": amount}}],
    }
    client.write(Write("POST", "/v1/requests", body))


def change(client: ServiceClient, consumer: str, amount: int) -> Json:
    body = {"components": [{"kind": "amounts", "resources": {"VCPU": amount}}]}
    changed: Json = client.write(Write("PUT", f"/v1/claims/{consumer}", body))
    return changed


def claims(client: ServiceClient) -> dict[str, Json]:
    return {one["consumer"]["id"]: one for one in client.pages("/v1/claims")}


# --- Another column -------------------------------------------------------------------------------


class Reader:
    """Reads the claims of a service without a pause, and keeps every answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.statuses: list[int] = []
        self.filled: list[bool] = []
        self.stop = Event()

    def read(self) -> None:
        with httpx.Client(base_url=self.url, timeout=30) as http:
            while not self.stop.is_set():
                for path in ("/v1/claims", "/v1/claims/mine"):
                    answer = http.get(path)
                    self.statuses.append(answer.status_code)
                    body = answer.json() if answer.status_code == 200 else {}
                    rows = body.get("items", [body])
                    self.filled += [row.get("since") is not None for row in rows]


@contextmanager
def reading(url: str) -> Iterator[Reader]:
    reader = Reader(url)
    thread = Thread(target=reader.read)
    thread.start()
    try:
        yield reader
    finally:
        reader.stop.set()
        thread.join()


def made_by_the_old_release(client: ServiceClient) -> dict[str, Json]:
    """Claims of an own: changed since, left alone, given back. As they were when they were new."""
    for consumer in ("mine", "untouched", "gone"):
        claim(client, consumer, 2)
    new = claims(client)
    time.sleep(0.01)
    change(client, "mine", 1)
    client.write(Write("DELETE", "/v1/claims/gone"))
    return new


def build(client: ServiceClient, version: str) -> Json | None:
    items = client.get("/v1/projections")["items"]
    wanted = ("claims", version)
    return next((one for one in items if (one["name"], one["version"]) == wanted), None)


def serves(client: ServiceClient, version: str) -> Callable[[], bool]:
    return lambda: bool((found := build(client, version)) and found["serving"])


def test_another_column_is_there_without_a_stop(tmp_path: Path, scratch: ScratchDatabase) -> None:
    before = copy_of_the_repository(tmp_path / "before")
    with serving(scratch, root=before) as old, ServiceClient(old.url) as client:
        old.wait_for_line("The demo cloud is loaded")
        demo = set(claims(client))
        new = made_by_the_old_release(client)
        assert "since" not in new["mine"]

    walk = Walkthrough("another-column.md", copy_of_the_repository(tmp_path / "after"), scratch)
    walk.apply_diffs()
    assert packages_of(walk.folder).count(str(walk.folder)) == 2
    with walk.serve() as service, ServiceClient(service.url) as client:
        with reading(service.url) as reader:
            wait_until(serves(client, "2.1"), "version 2 serves by itself")
            time.sleep(0.1)
        assert set(reader.statuses) == {200}
        assert reader.filled == sorted(reader.filled), "once filled, it stays"
        assert reader.filled[0] is False, "the old version answered first"
        assert reader.filled[-1] is True

        require_equal_columns(build(client, "2.1"))
        now = claims(client)
        assert demo < now.keys()
        assert all(row["since"] for row in now.values())
        assert now["untouched"]["since"] == new["untouched"]["changed_at"]
        assert now["mine"]["since"] == new["mine"]["changed_at"] < now["mine"]["changed_at"]
        assert client.get("/v1/claims/gone")["since"] == new["gone"]["changed_at"]
        assert change(client, "mine", 3)["since"] == now["mine"]["since"]
        assert claims(client)["mine"]["since"] == now["mine"]["since"]

        walk.run("scripts/tally projections", service.url)
        walk.run("scripts/tally projections switch", service.url)
        assert serves(client, "1.1")()
        assert {row["since"] for row in claims(client).values()} == {None}

    read_and_written_by(before, scratch)
    with serving(scratch, root=walk.folder) as service, ServiceClient(service.url) as client:
        assert claims(client)["older"]["since"] is None
        walk.run("scripts/tally projections switch", service.url)
        assert claims(client)["older"]["since"]
        walk.run("scripts/tally projections drop", service.url)
        assert build(client, "1.1") is None
    walk.require_all_done()


def require_equal_columns(found: Json | None) -> None:
    assert found is not None
    compared = found["comparison"]
    assert (compared["against"], compared["equal"]) == ("1.1", True)
    assert {one["table"] for one in compared["tables"]} == {"claims", "claim_providers"}
    for table in compared["tables"]:
        assert table["rows"] == table["rows_before"] > 0
        assert table["differing"] == []
    by_name = {one["table"]: one for one in compared["tables"]}
    assert by_name["claims"]["columns"] == 14, "all but the new one"


def read_and_written_by(old_release: Path, scratch: ScratchDatabase) -> None:
    """After the switch back, the release of before can be started, too."""
    with serving(scratch, root=old_release) as service, ServiceClient(service.url) as client:
        claim(client, "older", 1)
        assert "since" not in claims(client)["older"]


# --- Another field --------------------------------------------------------------------------------


def released(client: ServiceClient) -> list[Json]:
    items = client.pages("/v1/history", raw="true", consumer_id="mine")
    return [one for one in items if one["type"] == "claim.released"]


def release_one(client: ServiceClient) -> None:
    """A part of the claim."""
    [allocation] = client.get("/v1/claims/mine")["allocations"]
    part = {"provider_id": allocation["provider_id"], "resource_class": "VCPU", "amount": 1}
    client.write(Write("POST", "/v1/claims/mine/release", {"allocations": [part]}))


def test_another_field_is_read_in_every_event(tmp_path: Path, scratch: ScratchDatabase) -> None:
    before = copy_of_the_repository(tmp_path / "before")
    with serving(scratch, root=before) as old, ServiceClient(old.url) as client:
        old.wait_for_line("The demo cloud is loaded")
        claim(client, "mine", 3)
        release_one(client)
        assert "whole" not in released(client)[0]["data"]
        state = client.get("/v1/claims/mine")

    walk = Walkthrough("another-field.md", copy_of_the_repository(tmp_path / "after"), scratch)
    walk.apply_diffs()
    assert packages_of(walk.folder).count(str(walk.folder)) == 2
    walk.run("scripts/test")  # It says that the new version is not pinned.
    for command in ("python -m tests.pin_events", "echo", "python -m tests.pin_events"):
        walk.run(command)
    walk.run("scripts/test")  # Now it passes.

    with walk.serve() as service, ServiceClient(service.url) as client:
        assert client.get("/v1/claims/mine") == state
        assert [one["data"]["whole"] for one in released(client)] == [None]
        release_one(client)
        client.write(Write("DELETE", "/v1/claims/mine"))
        told = released(client)
        assert [one["data"]["whole"] for one in told] == [None, False, True]
        ended = "and holds nothing any more"
        assert [ended in one["summary"] for one in told] == [False, False, True]
        walk.run("scripts/tally verify")
    walk.require_all_done()
