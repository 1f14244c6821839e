"""Many who choose at once, in several processes on one PostgreSQL: how often a choice has to be
made again because another process was first (Omega's conflict fraction), and whether all is kept.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from infra.database import open_database
from infra.event_log import EventLog
from infra.settings import Settings
from infra.verification import Audit
from scripts.benchmarks.calls import Caller
from scripts.benchmarks.running import RunningService, running_service

MARK = 0.2
A_PAGE = 10_000


@dataclass(frozen=True)
class ChooserSettings:
    processes: int = 4
    choosers: int = 32
    hosts: int = 200
    seconds: float = 10.0
    policy: str = "pack"
    among: int = 8
    seed: int = 1


@dataclass(frozen=True)
class Chosen:
    settings: ChooserSettings
    placed: int
    refused: int
    decided: int
    decided_again: int
    lost: int
    """Claims that were acknowledged and are not there, or that are there and were given back."""
    problems: int
    """What the audit of the whole log found: above all, providers over their capacity."""
    seconds: float

    @property
    def conflict_fraction(self) -> float:
        return self.decided_again / max(1, self.decided)

    @property
    def sound(self) -> bool:
        return not (self.lost or self.problems)


def measure(
    folder: Path, database_url: str, settings: ChooserSettings, say: Callable[[str], None]
) -> Chosen:
    with ExitStack() as stack:
        services: list[RunningService] = []
        for number in range(settings.processes):
            say(f"service {number + 1} of {settings.processes} starts")
            own = folder / f"service-{number}"
            own.mkdir()
            environment = {
                "TALLYSTICK_POLICY": settings.policy,
                "TALLYSTICK_AMONG": str(settings.among),
            }
            services.append(stack.enter_context(running_service(own, database_url, environment)))
        _register(services[0].caller, settings)
        say(f"{settings.choosers} choosers at work for {settings.seconds:g} s")
        began = time.monotonic()
        with ThreadPoolExecutor(settings.choosers) as threads:
            work = [
                threads.submit(_Chooser(number, services, settings).run, began)
                for number in range(settings.choosers)
            ]
            choosers = [one.result() for one in work]
        seconds = time.monotonic() - began
        queues = [
            Caller(one.port).call("GET", "/healthz", expected=200)["queue"] for one in services
        ]
        say("what is held is compared with what was acknowledged")
        held = {one for chooser in choosers for one in chooser.held}
        lost = len(held ^ _holders(services[0].port))
    return Chosen(
        settings=settings,
        placed=sum(one.placed for one in choosers),
        refused=sum(one.refused for one in choosers),
        decided=sum(queue["decided"] for queue in queues),
        decided_again=sum(queue["decided_again"] for queue in queues),
        lost=lost,
        problems=_problems(folder, database_url),
        seconds=seconds,
    )


class _Chooser:
    """Asks for claims of different sizes, and gives the oldest back once it holds enough."""

    def __init__(
        self, number: int, services: list[RunningService], settings: ChooserSettings
    ) -> None:
        self._number = number
        self._port = services[number % len(services)].port
        self._settings = settings
        self._chance = random.Random(settings.seed * 1_000 + number)
        # All together would fill the cluster to nine tenths.
        self._most = settings.hosts * 64 * 9 // 10 // 4 // settings.choosers
        self.held: deque[str] = deque()
        self.placed = self.refused = 0

    def run(self, began: float) -> _Chooser:
        turn = 0
        with Caller(self._port) as caller:
            while time.monotonic() - began < self._settings.seconds:
                turn += 1
                self._ask(caller, f"chooser-{self._number}-{turn}")
                if len(self.held) > self._most:
                    caller.connection.request("DELETE", f"/v1/claims/{self.held.popleft()}")
                    answer = caller.connection.getresponse()
                    answer.read()
                    assert answer.status == 204
        return self

    def _ask(self, caller: Caller, consumer: str) -> None:
        vcpus = self._chance.choice((1, 2, 4, 8))
        body = {
            "consumer": {"id": consumer},
            "project_id": "choosers",
            "user_id": "choosers",
            "components": [
                {"kind": "amounts", "resources": {"VCPU": vcpus, "MEMORY_MB": vcpus * 4_096}}
            ],
        }
        answer: dict[str, Any] = caller.call("POST", "/v1/requests", body, expected=201)
        if answer["status"] == "placed":
            self.placed += 1
            self.held.append(consumer)
        else:
            self.refused += 1


def _register(caller: Caller, settings: ChooserSettings) -> None:
    for number in range(settings.hosts):
        inventories = {
            name: {"kind": "divisible", "total": total}
            for name, total in (("VCPU", 64), ("MEMORY_MB", 262_144))
        }
        body = {"name": f"host-{number}", "inventories": inventories}
        caller.call("POST", "/v1/providers", body, expected=201)


def _holders(port: int) -> set[str]:
    with Caller(port) as caller:
        return {
            one["consumer"]["id"] for one in caller.items("/v1/claims") if one["status"] == "active"
        }


def _problems(folder: Path, database_url: str) -> int:
    database = open_database(Settings(data=folder, database_url=SecretStr(database_url)))
    try:
        log, audit = EventLog(database), Audit()
        head = log.head()
        while audit.position < head:
            for recorded in log.read(audit.position, A_PAGE, head):
                audit.check(recorded)
        return len(audit.report().problems)
    finally:
        database.close()
