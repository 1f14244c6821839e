"""What a rebuild costs those who write and read meanwhile, and whether any answer is half-built.

The service runs with a log that was there before. Rounds of claims alternate: without a rebuild,
and with all read models being built anew, again and again. A reader asks all the while for things
of the past that no new claim changes, so each answer must equal the first, to the byte: whichever
build it came from, it came from one that is whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from statistics import median
from threading import Event, Thread
from typing import Any

from infra.builds import Builds
from infra.database import open_database
from infra.event_log import EventLog
from infra.settings import Settings as LedgerSettings
from scripts.benchmarks.calls import Caller
from scripts.benchmarks.claim_load import SPREAD, plan, register_providers
from scripts.benchmarks.load import Plan, Result
from scripts.benchmarks.made_log import made_log
from scripts.benchmarks.rebuild import REBUILT, fill
from scripts.benchmarks.running import (
    RunningService,
    ServiceFailed,
    run_load,
    running_service,
    settle,
)

CLIENTS = 8
MOST_TIMES_P99 = 2.0
READ_EVERY_SECONDS = 0.005
LOOK_SECONDS = 0.1
FIRST_BUILD_SECONDS = 300.0
WHOLE_PAGE = 100

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class LoadSettings:
    """`events` are in the log before the service starts; `seconds` is the length of a round."""

    events: int
    rounds: int
    seconds: float
    seed: int


@dataclass(kw_only=True)
class Reads:
    """What the reader saw: answers that were no 200, and answers that were not as the first."""

    answered: int = 0
    errors: int = 0
    differing: int = 0
    shown: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class LoadRound:
    is_rebuilding: bool
    claims: Result
    builds_that_came_to_serve: int


@dataclass(kw_only=True)
class UnderLoad:
    """All that was measured on one engine."""

    rounds: list[LoadRound] = field(default_factory=list)
    reads: Reads = field(default_factory=Reads)

    def p99_milliseconds(self, *, is_rebuilding: bool) -> float:
        return median(
            one.claims.p99_milliseconds for one in self.rounds if one.is_rebuilding is is_rebuilding
        )

    @property
    def times_p99(self) -> float:
        """By how much a claim's p99 grows while read models are rebuilt."""
        return self.p99_milliseconds(is_rebuilding=True) / self.p99_milliseconds(
            is_rebuilding=False
        )

    @property
    def switches(self) -> int:
        return sum(one.builds_that_came_to_serve for one in self.rounds)

    @property
    def claim_errors(self) -> int:
        return sum(one.claims.errors for one in self.rounds)

    @property
    def sound(self) -> bool:
        """No claim and no read failed, and no answer was half-built."""
        return not (self.claim_errors or self.reads.errors or self.reads.differing)


def measure_under_load(ledger: LedgerSettings, load: LoadSettings, say: Say) -> UnderLoad:
    """Rounds with and without rebuilding, in pairs whose order alternates."""
    _fill(ledger, load, say)
    url = ledger.database_url
    folder = ledger.data.parent
    measured = UnderLoad()
    with running_service(folder, None if url is None else url.get_secret_value()) as service:
        say("the first builds")
        _await_serving(service)
        # Another seed than the log's, or its hosts would have the same ids.
        providers = register_providers(service.caller, load.seed + 1)
        paths = unchanging_paths(service.caller)
        with reading(service.port, paths, measured.reads):
            for number in range(load.rounds):
                for is_rebuilding in (False, True) if number % 2 else (True, False):
                    what = "rebuilding" if is_rebuilding else "quiet"
                    say(f"{what}, round {number + 1} of {load.rounds}")
                    sent = plan(
                        SPREAD,
                        providers,
                        port=service.port,
                        clients=CLIENTS,
                        seconds=load.seconds,
                        seed=load.seed + number,
                        label=f"run-{len(measured.rounds):04}-",
                    )
                    measured.rounds.append(_round(service, sent, is_rebuilding=is_rebuilding))
    return measured


def _round(service: RunningService, sent: Plan, *, is_rebuilding: bool) -> LoadRound:
    with rebuilding(service.port, is_on=is_rebuilding) as served:
        claims = run_load(sent)
    settle(service)
    return LoadRound(
        is_rebuilding=is_rebuilding, claims=claims, builds_that_came_to_serve=len(served)
    )


def _fill(ledger: LedgerSettings, load: LoadSettings, say: Say) -> None:
    database = open_database(ledger)
    try:
        database.create_tables()
        Builds(database.builds).create_tables()
        fill(EventLog(database), made_log(load.events, seed=load.seed), load.events, say)
    finally:
        database.close()


def _await_serving(service: RunningService) -> None:
    deadline = time.monotonic() + FIRST_BUILD_SECONDS
    while True:
        health = service.caller.call("GET", "/healthz", expected=200)
        serving = {one["name"] for one in health["projections"] if one["serving"]}
        if serving.issuperset(REBUILT):
            settle(service)
            return
        if time.monotonic() > deadline:
            raise ServiceFailed(f"after {FIRST_BUILD_SECONDS:g} s only {sorted(serving)} serve")
        time.sleep(LOOK_SECONDS)


# --- Building anew, all the while -----------------------------------------------------------------


@contextmanager
def rebuilding(port: int, *, is_on: bool) -> Iterator[list[str]]:
    """Has every read model built anew, again and again; the builds that came to serve.

    At the end of the block it waits until the last ones are done.
    """
    served: list[str] = []
    stopping = Event()
    thread = Thread(target=_rebuild_until, args=(port, stopping, served), name="rebuilding")
    if is_on:
        thread.start()
    try:
        yield served
    finally:
        stopping.set()
        if is_on:
            thread.join()


def _rebuild_until(port: int, stopping: Event, served: list[str]) -> None:
    with Caller(port) as caller:
        while not stopping.is_set():
            made = [
                caller.call("POST", f"/v1/projections/{name}/builds", {}, expected=202)
                for name in REBUILT
            ]
            for build in made:
                state = _ended(caller, build)
                if state != "following":
                    raise ServiceFailed(f"{build['name']} {build['version']} is {state}")
                served.append(f"{build['name']} {build['version']}")
            _drop_kept(caller)


def _ended(caller: Caller, build: dict[str, Any]) -> str:
    """The build's state once nobody works on it any more."""
    path = f"/v1/projections/{build['name']}/builds/{build['version']}"
    while True:
        state: str = caller.call("GET", path, expected=200)["state"]
        if state not in ("building", "switching"):
            return state
        time.sleep(LOOK_SECONDS)


def _drop_kept(caller: Caller) -> None:
    for one in caller.call("GET", "/v1/projections", expected=200)["items"]:
        if one["state"] == "kept":
            caller.connection.request(
                "DELETE", f"/v1/projections/{one['name']}/builds/{one['version']}"
            )
            caller.connection.getresponse().read()


# --- Reading, all the while -----------------------------------------------------------------------


@contextmanager
def reading(port: int, paths: Sequence[str], into: Reads) -> Iterator[None]:
    """A reader that asks for the same again and again, and expects the same answers."""
    stopping = Event()
    thread = Thread(target=_read_until, args=(port, paths, stopping, into), name="reading")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def unchanging_paths(caller: Caller) -> list[str]:
    """One for each read model: a claim, a request, pages of history and of past capacity."""
    claims = caller.call("GET", f"/v1/claims?limit={WHOLE_PAGE}", expected=200)["items"]
    requests = caller.call("GET", f"/v1/requests?limit={WHOLE_PAGE}", expected=200)["items"]
    consumer, request = claims[0]["consumer"]["id"], requests[0]["id"]
    return [
        f"/v1/claims/{consumer}",
        f"/v1/claims?project_id=project-1&limit={WHOLE_PAGE}",
        f"/v1/requests/{request}",
        f"/v1/requests?project_id=project-1&limit={WHOLE_PAGE}",
        f"/v1/history?project_id=project-1&limit={WHOLE_PAGE}",
        f"/v1/capacity?at={requests[-1]['submitted_at']}&limit={WHOLE_PAGE}",
    ]


def _read_until(port: int, paths: Sequence[str], stopping: Event, into: Reads) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    first: dict[str, bytes] = {}
    while not stopping.is_set():
        for path in paths:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                status, body = answer.status, answer.read()
            except (HTTPException, OSError) as failed:
                _show(into, f"{path}: {failed!r}")
                into.errors += 1
                connection.close()
                continue
            into.answered += 1
            if status != 200:
                into.errors += 1
                _show(into, f"{path}: {status} {body[:300]!r}")
            elif first.setdefault(path, body) != body:
                into.differing += 1
                _show(into, f"{path}: {len(body)} bytes, first {len(first[path])}")
            time.sleep(READ_EVERY_SECONDS)
    connection.close()


def _show(into: Reads, what: str) -> None:
    if len(into.shown) < 5:
        into.shown.append(what)
