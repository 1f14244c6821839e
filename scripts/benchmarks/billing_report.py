"""What rating and auditing the same intervals took, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.benchmarks import auditing, billing
from scripts.benchmarks.auditing import Audited
from scripts.benchmarks.billing import Billed


def print_billing(console: Console, billed: Billed, audited: Sequence[Audited]) -> None:
    console.print(_billed_table(billed))
    console.print(_audited_table(billed, audited))
    same = audited[-1].totals == billed.totals and audited[-1].lines == billed.lines
    console.print(
        "The audit's totals are those of rating, to the last digit."
        if same
        else "THE AUDIT'S TOTALS DIFFER FROM THOSE OF RATING."
    )
    marks = (
        ("rated", billed.per_second, billing.MARK_PER_SECOND),
        ("rated by the audit", audited[-1].rated_per_second, auditing.MARK_PER_SECOND),
    )
    for name, measured, mark in marks:
        met = "met   " if measured >= mark else "MISSED"
        console.print(f"{met}  mark {mark:,} intervals/s {name}: {measured:,.0f}")


def _billed_table(billed: Billed) -> Table:
    table = Table(title="Bills", show_header=False)
    table.add_row("intervals", f"{billed.intervals:,}")
    table.add_row("lines", f"{billed.lines:,}")
    table.add_row("seconds", f"{billed.seconds:.1f}")
    table.add_row("intervals/s", f"{billed.per_second:,.0f}")
    table.add_row("grown MiB", f"{billed.grown_mebibytes:.1f}")
    table.add_row("total", f"{billed.total:,} EUR")
    return table


def _audited_table(billed: Billed, audited: Sequence[Audited]) -> Table:
    table = Table(
        title="Audits, by DuckDB from the log alone",
        caption="read: from the log to intervals; rate: from these to totals and digests. "
        f"Rating has its intervals in memory: {billed.per_second:,.0f} intervals/s in this run.",
    )
    columns = ("log", "intervals", "events", "read s", "rate s", "rate/s", "both/s", "peak MiB")
    for name in columns:
        table.add_column(name, justify="left" if name == "log" else "right")
    for one in audited:
        table.add_row(
            *(one.source, f"{one.intervals:,}", f"{one.events:,}", f"{one.read_seconds:.1f}"),
            *(f"{one.rate_seconds:.1f}", f"{one.rated_per_second:,.0f}"),
            *(f"{one.per_second:,.0f}", f"{one.mebibytes:,.0f}"),
        )
    return table


def as_json(billed: Billed, audited: Sequence[Audited]) -> dict[str, Any]:
    return {
        "billing": _figures(asdict(billed), billed.per_second),
        "audits": [
            _figures(asdict(one), one.per_second)
            | {
                "read_intervals_per_second": one.intervals / one.read_seconds,
                "rate_intervals_per_second": one.rated_per_second,
            }
            for one in audited
        ],
        "totals_agree": audited[-1].totals == billed.totals,
        "marks": {"rated": billing.MARK_PER_SECOND, "rated_by_the_audit": auditing.MARK_PER_SECOND},
    }


def _figures(told: dict[str, Any], per_second: float) -> dict[str, Any]:
    totals = told.pop("totals")
    return told | {"total": sum(totals.values()), "intervals_per_second": per_second}
