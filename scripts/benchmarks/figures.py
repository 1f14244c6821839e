"""What one round measured, what several rounds say together, and whether that meets a mark."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median


@dataclass(frozen=True, kw_only=True)
class Round:
    """One workload at one number of clients. CPU is None where it cannot be read."""

    workload: str
    clients: int
    number: int
    answered: int
    errors: int
    elapsed_seconds: float
    p50_milliseconds: float
    p99_milliseconds: float
    generator_cpu_seconds: float
    service_cpu_seconds: float | None
    database_cpu_seconds: float | None
    settling_seconds: float

    @property
    def per_second(self) -> float:
        return self.answered / self.elapsed_seconds if self.elapsed_seconds else 0.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The median of each quantity over the rounds of one workload at one number of clients."""

    workload: str
    clients: int
    rounds: int
    per_second: float
    share_of_noop: float
    p50_milliseconds: float
    p99_milliseconds: float
    generator_cpu_seconds: float
    service_cpu_seconds: float | None
    database_cpu_seconds: float | None
    settling_seconds: float
    errors: int


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A figure that was promised beside the one that was measured.

    `by_round` shows how far apart the rounds lie: where that is wide, the verdict is luck.
    """

    name: str
    wanted: float
    by_round: tuple[float, ...]

    @property
    def measured(self) -> float:
        return median(self.by_round)

    @property
    def met(self) -> bool:
        return self.measured >= self.wanted


def percentile(ordered: Sequence[int], share: float) -> int:
    """The nearest-rank percentile of values already in order: always one that was recorded.

    `share` is in (0, 1]. No interpolation, so a p99 of 100 values is the 99th of them.
    """
    if not ordered:
        raise ValueError("a percentile of nothing has no meaning")
    if not 0 < share <= 1:
        raise ValueError(f"a share must be in (0, 1], not {share}")
    # Binary fractions such as 0.07 * 100 lie a hair above the whole number, hence the rounding.
    return ordered[ceil(round(share * len(ordered), 9)) - 1]


def paired_ratios(
    rounds: Sequence[Round], workload: str, against: str, clients: int
) -> tuple[float, ...]:
    """One workload's rate divided by another's of the same round, for each round that has both.

    Rates of the same round were taken within seconds of each other, so a machine that slows
    down between rounds slows both and leaves the ratio alone.
    """
    above = rates(rounds, workload, clients)
    below = rates(rounds, against, clients)
    shared = sorted(above.keys() & below.keys())
    ratios = tuple(above[number] / below[number] for number in shared if below[number])
    if not ratios:
        raise ValueError(f"no round has both {workload} and {against} at {clients} clients")
    return ratios


def figure(rounds: Sequence[Round], workload: str, noop: str, clients: int) -> Figure:
    """The figure of one workload; `rounds` may hold those of others too."""
    own = [one for one in rounds if one.workload == workload and one.clients == clients]
    if not own:
        raise ValueError(f"no round of {workload} at {clients} clients")
    return Figure(
        workload=workload,
        clients=clients,
        rounds=len(own),
        per_second=median(one.per_second for one in own),
        share_of_noop=median(paired_ratios(rounds, workload, noop, clients)),
        p50_milliseconds=median(one.p50_milliseconds for one in own),
        p99_milliseconds=median(one.p99_milliseconds for one in own),
        generator_cpu_seconds=median(one.generator_cpu_seconds for one in own),
        service_cpu_seconds=_median_known([one.service_cpu_seconds for one in own]),
        database_cpu_seconds=_median_known([one.database_cpu_seconds for one in own]),
        settling_seconds=median(one.settling_seconds for one in own),
        errors=sum(one.errors for one in own),
    )


def rates(rounds: Sequence[Round], workload: str, clients: int) -> dict[int, float]:
    """Answers a second by round number."""
    return {
        one.number: one.per_second
        for one in rounds
        if one.workload == workload and one.clients == clients
    }


def _median_known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
