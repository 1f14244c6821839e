"""A rebuild's figures and marks, as a table for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.rebuild import MARK_PER_SECOND, MARK_RATIO, Rebuilt

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


def as_json(engine: str, measured: Sequence[Rebuilt]) -> dict[str, Any]:
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
    told = [{"mark": mark, "met": met} for mark, met in marks(measured)]
    return {"engine": engine, "rebuilt": rows, "marks": told}
