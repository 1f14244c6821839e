"""Durable claims per second over HTTP: many providers and one hot one, against the no-op."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benchmarks.claim_load import (
    HOT,
    NOOP,
    SPREAD,
    WORKLOADS,
    Workload,
    lost_or_doubled,
    plan,
    register_providers,
)
from scripts.benchmarks.database import running_database
from scripts.benchmarks.figures import Figure, Mark, Round, figure, paired_ratios, rates
from scripts.benchmarks.load import Result
from scripts.benchmarks.processor_time import processor_seconds
from scripts.benchmarks.running import (
    RunningService,
    instant_server,
    run_load,
    running_service,
    settle,
)

WARM_UP_SECONDS = 2.0
CEILING_SECONDS = 2.0
LEAST_SHARE_OF_NOOP = 0.40
LEAST_SHARE_OF_SPREAD = 0.70
LEAST_CLAIMS_PER_SECOND = 2000.0

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Settings:
    clients: tuple[int, ...]
    seconds: float
    rounds: int
    seed: int


@dataclass(kw_only=True)
class Measurement:
    """All that was measured on one engine."""

    engine: str
    settings: Settings
    rounds: list[Round] = field(default_factory=list)
    acknowledged: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    shown_errors: list[str] = field(default_factory=list)
    disagreements: list[str] = field(default_factory=list)

    def figures(self) -> list[Figure]:
        return [
            figure(self.rounds, workload.name, NOOP.name, clients)
            for clients in self.settings.clients
            for workload in WORKLOADS
        ]

    def marks(self) -> list[Mark]:
        """Judged at the largest number of clients: a single one waits for the disk, not for us."""
        clients = max(self.settings.clients)
        of_noop = paired_ratios(self.rounds, SPREAD.name, NOOP.name, clients)
        of_spread = paired_ratios(self.rounds, HOT.name, SPREAD.name, clients)
        spread = tuple(rates(self.rounds, SPREAD.name, clients).values())
        return [
            Mark(name="spread / no-op", wanted=LEAST_SHARE_OF_NOOP, by_round=of_noop),
            Mark(name="hot / spread", wanted=LEAST_SHARE_OF_SPREAD, by_round=of_spread),
            Mark(name="spread claims/s", wanted=LEAST_CLAIMS_PER_SECOND, by_round=spread),
        ]

    @property
    def sound(self) -> bool:
        """Nothing failed, was lost or was doubled; a missed mark is a result, not a fault."""
        return not self.errors and not self.disagreements


def generator_ceiling(clients: int, seed: int) -> Result:
    """What the generator reaches with claims against a server that does nothing."""
    with instant_server() as port:
        anywhere = ["00000000-0000-4000-8000-000000000000"]
        sent = plan(
            HOT,
            anywhere,
            port=port,
            clients=clients,
            seconds=CEILING_SECONDS,
            seed=seed,
            label="ceiling-",
        )
        return run_load(sent)


def measure(engine: str, folder: Path, settings: Settings, say: Say) -> Measurement:
    """Starts the service on `engine` with its data under `folder` and runs every round on it."""
    measurement = Measurement(engine=engine, settings=settings)
    with (
        running_database(engine, folder) as database,
        running_service(folder, database.url) as service,
    ):
        _Bench(service, database.pid, measurement, say).run()
        measurement.disagreements = lost_or_doubled(service.caller, measurement.acknowledged)
    return measurement


class _Bench:
    def __init__(
        self, service: RunningService, database_pid: int | None, into: Measurement, say: Say
    ) -> None:
        self.service = service
        self.database_pid = database_pid
        self.into = into
        self.say = say
        self.providers = register_providers(service.caller, into.settings.seed)
        self.into.acknowledged.update(dict.fromkeys(self.providers, 0))
        self.labels = (f"run-{number:04}-" for number in range(10_000))

    def run(self) -> None:
        settings = self.into.settings
        for workload in WORKLOADS:
            self._round(workload, max(settings.clients), 0, min(WARM_UP_SECONDS, settings.seconds))
        for clients in settings.clients:
            for number in range(1, settings.rounds + 1):
                # Every second round runs backwards, so that a steady drift favours no workload.
                for workload in WORKLOADS if number % 2 else WORKLOADS[::-1]:
                    measured = self._round(workload, clients, number, settings.seconds)
                    self.into.rounds.append(measured)

    def _round(self, workload: Workload, clients: int, number: int, seconds: float) -> Round:
        sent = plan(
            workload,
            self.providers,
            port=self.service.port,
            clients=clients,
            seconds=seconds,
            seed=self.into.settings.seed + number,
            label=next(self.labels),
        )
        before = self._processor_seconds()
        result = run_load(sent)
        used = [_difference(*pair) for pair in zip(before, self._processor_seconds(), strict=True)]
        self._count(workload, result)
        return self._as_round(workload, clients, number, result, used)

    def _as_round(
        self,
        workload: Workload,
        clients: int,
        number: int,
        result: Result,
        used: Sequence[float | None],
    ) -> Round:
        measured = Round(
            workload=workload.name,
            clients=clients,
            number=number,
            answered=result.answered,
            errors=result.errors,
            elapsed_seconds=result.elapsed_seconds,
            p50_milliseconds=result.p50_milliseconds,
            p99_milliseconds=result.p99_milliseconds,
            generator_cpu_seconds=result.cpu_seconds,
            service_cpu_seconds=used[0],
            database_cpu_seconds=used[1],
            settling_seconds=settle(self.service),
        )
        name = f"round {number}" if number else "warm-up"
        rate = f"{measured.per_second:,.0f}/s"
        self.say(f"{self.into.engine}, {name}, {clients} clients, {workload.name}: {rate}")
        return measured

    def _count(self, workload: Workload, result: Result) -> None:
        self.into.errors += result.errors
        self.into.shown_errors += result.shown_errors
        if workload.providers:
            chosen = self.providers[: workload.providers]
            self.into.acknowledged.update(dict(zip(chosen, result.by_template, strict=True)))

    def _processor_seconds(self) -> list[float | None]:
        pids = (self.service.pid, self.database_pid)
        return [processor_seconds(pid) if pid else None for pid in pids]


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
