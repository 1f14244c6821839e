"""A rebuild's figures and marks, as a table for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.rebuild import MARK_PER_SECOND, MARK_RATIO, Rebuilt
from scripts.benchmarks.rebuild_under_load import CLIENTS, MOST_TIMES_P99, UnderLoad

MARKED = ("capacity", "claims")


def print_rebuilt(console: Console, engine: str, measured: Sequence[Rebuilt]) -> None:
    table = Table(title=f"Read models built anew on {engine}")
    for name in ("projection", "events", "seconds", "events/s", "MiB", "runner/s", "ratio"):
        table.add_column(name, justify="left" if name == "projection" else "right")
    for one in measured:
        runner = one.runner_per_second
        table.add_row(
            ", ".join(one.names),
            f"{one.events:,}",
            f"{one.seconds:.1f}",
            f"{one.per_second:,.0f}",
            f"{one.mebibytes:,.0f}",
            "" if runner is None else f"{runner:,.0f}",
            "" if runner is None else f"{one.per_second / runner:,.0f}",
        )
    console.print(table)
    for mark, met in marks(measured):
        console.print(f"{'met   ' if met else 'MISSED'}  {mark}", highlight=False)


def marks(measured: Sequence[Rebuilt]) -> list[tuple[str, bool]]:
    found = []
    for one in measured:
        if one.runner_per_second is None:
            continue
        (name,) = one.names
        if name in MARKED:
            told = f"{name}: {one.per_second:,.0f} events/s, mark {MARK_PER_SECOND:,}"
            found.append((told, one.per_second >= MARK_PER_SECOND))
        ratio = one.per_second / one.runner_per_second
        found.append(
            (f"{name}: {ratio:,.0f} times the runner, mark {MARK_RATIO}", ratio >= MARK_RATIO)
        )
    return found


def print_under_load(console: Console, engine: str, measured: UnderLoad) -> None:
    table = Table(title=f"Claims of {CLIENTS} clients on {engine}, medians of the rounds")
    for name in ("", "claims/s", "p50 ms", "p99 ms", "slowest ms"):
        table.add_column(name, justify="right" if name else "left")
    for is_rebuilding in (False, True):
        own = [one.claims for one in measured.rounds if one.is_rebuilding is is_rebuilding]
        table.add_row(
            "while all is rebuilt" if is_rebuilding else "without a rebuild",
            f"{median(one.answered / one.elapsed_seconds for one in own):,.0f}",
            f"{median(one.p50_milliseconds for one in own):.1f}",
            f"{median(one.p99_milliseconds for one in own):.1f}",
            f"{max(one.slowest_milliseconds for one in own):.1f}",
        )
    console.print(table)
    reads = measured.reads
    console.print(
        f"{measured.switches} builds came to serve meanwhile; {reads.answered:,} reads: "
        f"{reads.errors} failed, {reads.differing} were not of one whole build; "
        f"{measured.claim_errors} claims failed.",
        highlight=False,
    )
    for shown in reads.shown:
        console.print(shown, style="red", markup=False, highlight=False)
    told, met = load_mark(measured)
    console.print(f"{'met   ' if met else 'MISSED'}  {told}", highlight=False)


def load_mark(measured: UnderLoad) -> tuple[str, bool]:
    times = measured.times_p99
    told = f"p99 of a claim during a rebuild: {times:.2f} times, mark {MOST_TIMES_P99:g} at most"
    return told, times <= MOST_TIMES_P99


def as_json(
    engine: str, measured: Sequence[Rebuilt], under_load: UnderLoad | None
) -> dict[str, Any]:
    rows = [
        {
            "projections": list(one.names),
            "events": one.events,
            "seconds": one.seconds,
            "events_per_second": one.per_second,
            "mebibytes": one.mebibytes,
            "runner_events_per_second": one.runner_per_second,
        }
        for one in measured
    ]
    found = marks(measured)
    loaded = None
    if under_load is not None:
        found.append(load_mark(under_load))
        loaded = asdict(under_load) | {"times_p99": under_load.times_p99}
    told = [{"mark": mark, "met": met} for mark, met in found]
    return {"engine": engine, "rebuilt": rows, "under_load": loaded, "marks": told}
