"""The log as a feed: pages and server-sent events, over real connections that break."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.cli.event_feed import messages
from tests.cli_processes import PATIENCE_SECONDS, ROOT, TALLY, environment, serving, wait_until
from tests.databases import ScratchDatabase, sqlite_database
from tests.open_service import code_of, cpus, open_service, served

Json = dict[str, Any]
STREAM = {"Accept": "text/event-stream"}


def write(http: httpx.Client, number: int) -> None:
    """A class of its own: one event."""
    assert http.put(f"/v1/resource-classes/CUSTOM_{number}").status_code in {200, 201}


@contextmanager
def writing(url: str, count: int) -> Iterator[None]:
    """Several writers at once while the block runs, and until they are done."""

    def write_some(numbers: range) -> None:
        with httpx.Client(base_url=url, trust_env=False) as http:
            for number in numbers:
                write(http, number)

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(write_some, range(start, count, 4)) for start in range(4)]
        yield
        for one in done:
            one.result()


def test_an_event_is_told_as_a_cloud_event(database: ScratchDatabase) -> None:
    with open_service(database) as client:
        client.provider("host")
        client.submit("web-1", cpus(2))
        page = client.get("/v1/events").json()
        history = client.items("/v1/history?raw=true")

    assert [int(event["id"]) for event in page["items"]] == [item["position"] for item in history]
    for event, item in zip(page["items"], history, strict=True):
        assert event == {
            "specversion": "1.0",
            "id": str(item["position"]),
            "source": "/tallystick",
            "type": item["type"],
            "subject": item["stream"],
            "time": item["at"],
            "datacontenttype": "application/json",
            "sequence": f"{item['position']:020}",
            "streamversion": item["version"],
            "data": item["data"],
        }
    assert "provider.claimed" in {event["type"] for event in page["items"]}


def test_pages_of_a_growing_log_give_every_event_once_and_in_order(
    database: ScratchDatabase,
) -> None:
    count = 120
    with served(database) as url, httpx.Client(base_url=url, trust_env=False) as http:
        told: list[int] = []
        path = "/v1/events?limit=7"
        with writing(url, count):
            deadline = time.monotonic() + PATIENCE_SECONDS
            while len(told) < count:
                assert time.monotonic() < deadline, f"only {len(told)} events were told"
                page = http.get(path).json()
                told += [int(event["id"]) for event in page["items"]]
                assert page["position"] == (told[-1] if told else 0)
                assert page["head"] >= page["position"]
                path = page["next"]
        assert told == list(range(1, len(told) + 1))
        after = http.get("/v1/events", params={"after": 10**12}).json()
        assert (after["items"], after["position"], after["head"]) == ([], 10**12, len(told))


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ("after=-1", {}, "invalid_parameter"),
        ("after=x", {}, "invalid_parameter"),
        ("after=9007199254740992", {}, "invalid_parameter"),
        ("limit=0", {}, "invalid_parameter"),
        ("limit=1001", {}, "invalid_parameter"),
        ("before=1", {}, "unknown_parameter"),
        ("", {"Last-Event-ID": "abc"}, "invalid_parameter"),
        ("after=-1", STREAM, "invalid_parameter"),
    ],
)
def test_a_place_that_cannot_be_is_refused(
    query: str, headers: dict[str, str], code: str, open_client: Any
) -> None:
    assert code_of(open_client.get(f"/v1/events?{query}", headers=headers)) == (422, code)


@pytest.fixture(scope="module")
def open_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_service(sqlite_database(tmp_path_factory.mktemp("feed"))) as client:
        yield client


def test_a_stream_that_is_cut_again_and_again_tells_the_log_and_nothing_else(
    database: ScratchDatabase,
) -> None:
    count, chance = 150, random.Random(1)
    with served(database) as url, httpx.Client(base_url=url, trust_env=False) as http:
        told: list[Json] = []
        connections = 0
        with writing(url, count):
            while len(told) < count:
                connections += 1
                last = told[-1]["id"] if told else ""
                headers = {**STREAM, "Last-Event-ID": last}
                with http.stream("GET", "/v1/events", headers=headers) as answer:
                    assert answer.headers["content-type"].startswith("text/event-stream")
                    lines = cut(answer.iter_lines(), chance.randint(1, 60), count, told)
                    told += [json.loads(data) for _, data in messages(lines)]
        log = http.get("/v1/events?limit=1000").json()["items"]
    assert connections > 5
    assert told == log[: len(told)]
    assert len(told) == count


def cut(lines: Iterator[str], most: int, count: int, told: list[Json]) -> Iterator[str]:
    """Breaks off after so many lines, wherever that is, and once everything was told."""
    events = 0
    for number, line in enumerate(lines):
        yield line
        events += line.startswith("data:")
        if number == most or (not line and len(told) + events >= count):
            return


def test_the_last_event_id_wins_and_events_come_soon(database: ScratchDatabase) -> None:
    with served(database) as url, httpx.Client(base_url=url, trust_env=False) as http:
        for number in range(3):
            write(http, number)
        headers = {**STREAM, "Last-Event-ID": "2"}
        with http.stream("GET", "/v1/events?after=0", headers=headers) as answer:
            told = messages(answer.iter_lines())
            assert next(told)[0] == "3"
            slowest = 0.0
            for number in range(3, 6):
                with httpx.Client(base_url=url, trust_env=False) as other:
                    write(other, number)
                written = time.monotonic()
                assert next(told)[0] == str(number + 1)
                slowest = max(slowest, time.monotonic() - written)
    assert slowest < 1.0


def test_the_command_follows_a_service_that_stops_at_once_and_comes_again(
    tmp_path: Path,
) -> None:
    database = sqlite_database(tmp_path / "data")
    out = tmp_path / "events"
    with (
        serving(database, "--empty") as service,
        out.open("wb") as file,
        httpx.Client(base_url=service.url, trust_env=False) as http,
    ):
        write(http, 1)
        follow = ("events", "--follow", "--json", "--limit", "2", "--url", service.url)
        command = subprocess.Popen([*TALLY, *follow], cwd=ROOT, env=environment(None), stdout=file)
        try:
            wait_until(lambda: out.read_bytes().count(b"\n") == 1, "the first event was shown")
            stopping = time.monotonic()
            service.stop()
            assert time.monotonic() - stopping < 2, "a listener held the service"
            with serving(database, "--empty", port=service.port):
                write(http, 2)
                assert command.wait(timeout=20) == 0
        finally:
            command.kill()
            command.wait()
    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert [event["id"] for event in told] == ["1", "2"]
