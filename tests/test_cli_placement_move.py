"""Moving in and out: all that one service has is copied to another over Placement's API."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli_processes import ROOT, TALLY, Service, environment, serving, tally, told
from tests.databases import sqlite_database

pytestmark = pytest.mark.slow

AGGREGATE = "11111111-0000-4000-8000-000000000001"
HEADERS = {"X-Auth-Token": "admin"}


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


class Source:
    """A small cloud with something of everything, made by a Placement client."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/placement"

    def send(self, method: str, path: str, body: Any = None, version: str = "1.39") -> None:
        headers = {**HEADERS, "OpenStack-API-Version": f"placement {version}"}
        address = f"{self.url}{path}"
        answer = httpx.request(method, address, json=body, headers=headers, trust_env=False)
        assert answer.is_success, answer.text

    def provider(self, number: int, parent: int | None = None, **classes: int) -> None:
        path = f"/resource_providers/{uuid(number)}"
        body = {"name": f"host-{number}", "uuid": uuid(number)}
        parent_id = None if parent is None else uuid(parent)
        self.send("POST", "/resource_providers", {**body, "parent_provider_uuid": parent_id})
        self.inventories(number, 0, **classes)
        traits = {"traits": ["CUSTOM_FAST"], "resource_provider_generation": 1}
        self.send("PUT", f"{path}/traits", traits)
        groups = {"aggregates": [AGGREGATE], "resource_provider_generation": 2}
        self.send("PUT", f"{path}/aggregates", groups)

    def inventories(self, number: int, generation: int, **classes: int) -> None:
        inventories = {name: {"total": total} for name, total in classes.items()}
        body = {"resource_provider_generation": generation, "inventories": inventories}
        self.send("PUT", f"/resource_providers/{uuid(number)}/inventories", body)

    def claim(self, consumer: int, on: int, version: str = "1.39", **amounts: int) -> None:
        body: dict[str, Any] = {
            "allocations": {uuid(on): {"resources": amounts}},
            "project_id": "blue",
            "user_id": "ada",
            "consumer_generation": None,
        }
        if version == "1.39":
            body["consumer_type"] = "INSTANCE"
        self.send("PUT", f"/allocations/{uuid(consumer)}", body, version)

    def fill(self, hosts: int = 3) -> None:
        self.send("PUT", "/resource_classes/CUSTOM_LICENSE")
        self.send("PUT", "/traits/CUSTOM_FAST")
        for number in range(hosts):
            self.provider(number, VCPU=8, CUSTOM_LICENSE=4)
            self.provider(100 + number, number, MEMORY_MB=1024)
            self.claim(1000 + number, number, VCPU=6)
            self.claim(2000 + number, 100 + number, "1.37", MEMORY_MB=512)
        # Shrunk below what is in use.
        self.inventories(0, 4, VCPU=2, CUSTOM_LICENSE=4)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    folders = [tmp_path / name for name in ("source", "target")]
    for folder in folders:
        folder.mkdir()
    first, second = (sqlite_database(folder) for folder in folders)
    with serving(first, "--empty") as source, serving(second, "--empty") as target:
        yield source, target


def move(source: Service, target: Service, *more: str) -> Any:
    command = ("import", "placement", f"{source.url}/placement", "--url", target.url)
    return tally(*command, *more)


def test_all_of_it_is_copied_once_and_then_compared(both: tuple[Service, Service]) -> None:
    source, target = both
    Source(source.url).fill()
    assert told(move(source, target, "--dry-run", "--json"))["written"]["providers"] == 6
    written = told(move(source, target, "--json"))["written"]
    assert (written["providers"], written["consumers"], written["classes"]) == (6, 6, 1)
    assert move(source, target, "--verify").returncode == 0
    assert told(move(source, target, "--json"))["written"] == {}, "it is there already"


def test_what_differs_is_told_field_by_field_and_mended_by_another_copy(
    both: tuple[Service, Service],
) -> None:
    source, target = both
    cloud = Source(source.url)
    cloud.fill(hosts=1)
    assert move(source, target).returncode == 0
    cloud.inventories(0, 5, VCPU=16, CUSTOM_LICENSE=4)
    cloud.send("DELETE", f"/allocations/{uuid(1000)}")
    compared = move(source, target, "--verify", "--json")
    assert compared.returncode == 1
    fields = {(one["of"], one["field"]) for one in json.loads(compared.stdout)["differences"]}
    assert (f"provider {uuid(0)}", "inventories.VCPU.total") in fields
    assert (f"consumer {uuid(1000)}", f"allocations.{uuid(0)}") in fields
    assert move(source, target, "--prune").returncode == 0
    assert move(source, target, "--verify").returncode == 0


def test_a_copy_that_was_killed_goes_on_where_it_was(both: tuple[Service, Service]) -> None:
    source, target = both
    Source(source.url).fill(hosts=30)
    command = ("import", "placement", f"{source.url}/placement", "--url", target.url)
    broken = subprocess.Popen([*TALLY, *command], cwd=ROOT, env=environment(None))
    time.sleep(1.5)
    broken.kill()
    broken.wait()
    assert move(source, target).returncode == 0
    assert move(source, target, "--verify").returncode == 0


def test_what_is_refused_is_told_and_keeps_nothing_else_from_being_copied(
    both: tuple[Service, Service],
) -> None:
    source, target = both
    Source(source.url).fill(hosts=2)
    taken = {"name": "host-1", "uuid": uuid(9)}
    Source(target.url).send("POST", "/resource_providers", taken)
    copied = move(source, target, "--json")
    assert copied.returncode == 1
    assert "2 things could not be copied" in copied.stderr, "a host, and what is below it"
    told_of = json.loads(copied.stdout)
    assert "host-1" in told_of["refused"][0]
    assert (told_of["written"]["providers"], told_of["written"]["consumers"]) == (2, 2)


def test_what_placement_cannot_hold_is_told_on_the_way_out(both: tuple[Service, Service]) -> None:
    source, target = both
    units = {"PGPU": {"kind": "discrete", "units": [{"name": "gpu0"}, {"name": "gpu1"}]}}
    body = {"name": "host", "inventories": units, "groups": ["rack-1", AGGREGATE]}
    assert httpx.post(f"{source.url}/v1/providers", json=body, trust_env=False).is_success
    command = ("export", "placement", f"{target.url}/placement", "--url", source.url)
    moved = tally(*command)
    assert moved.returncode == 0, moved.stderr
    assert "2 named units become an amount" in moved.stderr
    assert "group rack-1: it is no UUID" in moved.stderr
    assert tally(*command, "--verify").returncode == 0


def test_an_address_where_no_placement_is_is_told(both: tuple[Service, Service]) -> None:
    source, target = both
    command = ("import", "placement", "http://127.0.0.1:9", "--url", target.url)
    nowhere = tally(*command)
    assert (nowhere.returncode, "no Placement answers" in nowhere.stderr) == (1, True)
    other = tally("import", "placement", f"{source.url}/v1", "--url", target.url)
    assert other.returncode == 1
    assert "Traceback" not in other.stderr
