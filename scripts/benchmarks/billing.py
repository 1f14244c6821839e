"""How fast bills are worked out: claim intervals a second, and what that takes of memory.

Seeded intervals of a month, each of two classes, are rated project by project by a book with
tiers, something free and a price that changes in the middle of the month.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from domain.allocation import Share
from domain.billing_time import SECOND
from domain.held import Held
from domain.price import ClassTarget, Price, Tier
from domain.price_book import Prices
from domain.rating import rate
from domain.times import to_micros

START = datetime(2026, 1, 1, tzinfo=UTC)
MIDDLE = datetime(2026, 1, 16, tzinfo=UTC)
END = datetime(2026, 2, 1, tzinfo=UTC)
DAY = 86_400 * SECOND
A_PROJECT = 1_000
"""Intervals of one project."""
MARK_PER_SECOND = 50_000


@dataclass(frozen=True, kw_only=True)
class Billed:
    intervals: int
    lines: int
    seconds: float
    totals: dict[str, Decimal] = field(repr=False)
    """By project."""
    grown_mebibytes: float
    """By how much the process's largest memory grew between a tenth of the work and its end."""

    @property
    def per_second(self) -> float:
        return self.intervals / self.seconds

    @property
    def total(self) -> Decimal:
        return sum(self.totals.values(), Decimal(0))


def measure(intervals: int, seed: int) -> Billed:
    chance, book = random.Random(seed), prices()
    start, end = to_micros(START), to_micros(END)
    lines, seconds, early = 0, 0.0, 0.0
    totals: dict[str, Decimal] = {}
    projects = projects_of(intervals)
    for project in range(projects):
        held = list(held_by(chance, project))
        began = time.perf_counter()
        bill = rate(held, book, start, end)
        seconds += time.perf_counter() - began
        lines += len(bill.lines)
        totals[f"project-{project}"] = bill.total
        if project == projects // 10:
            early = _largest_mebibytes()
    return Billed(
        intervals=projects * A_PROJECT,
        lines=lines,
        seconds=seconds,
        totals=totals,
        grown_mebibytes=_largest_mebibytes() - early,
    )


def projects_of(intervals: int) -> int:
    return -(-intervals // A_PROJECT)


def held_by(chance: random.Random, project: int) -> Iterator[Held]:
    """What one project held; its number makes the names."""
    start, end = to_micros(START), to_micros(END)
    for number in range(A_PROJECT):
        from_at = start + chance.randrange(end - start)
        cpus = chance.choice((1, 2, 4, 8))
        share = Share(resources={"VCPU": cpus, "MEMORY_MB": cpus * 4096}, units={})
        yield Held(
            consumer_id=f"server-{project}-{number}",
            position=number,
            status="claim",
            claimed_at=from_at,
            from_at=from_at,
            to_at=from_at + chance.randrange(DAY),
            ends_claim=True,
            shares={"host": share},
        )


def prices() -> Prices:
    tiers = (Tier(price=Decimal("0.03")), Tier(above=Decimal(10_000), price=Decimal("0.02")))
    return Prices(
        currency="EUR",
        prices=(
            Price(
                name="CPU",
                target=ClassTarget(resource_class="VCPU"),
                per="hour",
                tiers=tiers,
                free_quantity=Decimal(100),
            ),
            _gigabyte("memory", "2.19", None, MIDDLE),
            _gigabyte("dearer memory", "2.40", MIDDLE, None),
        ),
    )


def _gigabyte(
    name: str, cost: str, valid_from: datetime | None, valid_until: datetime | None
) -> Price:
    return Price(
        name=name,
        target=ClassTarget(resource_class="MEMORY_MB"),
        per="month",
        amount=1024,
        tiers=(Tier(price=Decimal(cost)),),
        valid_from=valid_from,
        valid_until=valid_until,
    )


def _largest_mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
