"""What searches, the live view and choosers cost, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.benchmarks import choosers, searching, view_costs
from scripts.benchmarks.choosers import Chosen
from scripts.benchmarks.search_over_http import Answered
from scripts.benchmarks.searching import Isolated, Searched
from scripts.benchmarks.view_costs import ViewCosts


@dataclass(frozen=True)
class Measured:
    searched: list[Searched]
    isolated: list[Isolated]
    explained_milliseconds: float
    answered: list[Answered]
    view: ViewCosts
    chosen: Chosen | None

    @property
    def sound(self) -> bool:
        return self.chosen is None or self.chosen.sound


def print_measured(console: Console, measured: Measured) -> None:
    console.print(_searched_table(measured.searched))
    console.print(_isolated_table(measured.isolated))
    console.print(_answered_table(measured.answered))
    console.print(_view_table(measured.view))
    if measured.chosen is not None:
        console.print(_chosen_table(measured.chosen))
    for name, value, mark, unit in _marks(measured):
        met = "met   " if value <= mark else "MISSED"
        console.print(f"{met}  mark {mark:g} {unit}, {name}: {value:.3g}")


def as_json(measured: Measured) -> dict[str, Any]:
    told = asdict(measured)
    if measured.chosen is not None:
        told["chosen"]["conflict_fraction"] = measured.chosen.conflict_fraction
    return told


def _marks(measured: Measured) -> list[tuple[str, float, float, str]]:
    marks = [
        (f"{one.cloud}, {one.providers:,} providers, p99", one.p99, one.mark, "ms")
        for one in measured.searched
        if one.mark is not None
    ]
    slowest = max(one.worst for one in measured.isolated)
    marks += [
        ("eight devices of eight, or not, worst", slowest, searching.MARK_ISOLATED, "ms"),
        (
            f"a refusal by {searching.MIDDLE:,} providers explained, worst",
            measured.explained_milliseconds,
            searching.MARK_EXPLAINED,
            "ms",
        ),
        (
            "an event applied to the view",
            measured.view.microseconds_per_event,
            view_costs.MARK_MICROSECONDS,
            "µs",
        ),
    ]
    if measured.chosen is not None:
        fraction = measured.chosen.conflict_fraction
        marks.append(("claims decided again", fraction, choosers.MARK, "of all"))
    return marks


def _searched_table(searched: Sequence[Searched]) -> Table:
    table = Table(
        title=f"Searches for {searching.LIMIT} in this process, milliseconds",
        caption="search: proposed by the live view; confirmed: decided by the aggregates, too. "
        "× is the p50 against first fit's in the same cloud.",
    )
    for name in ("cloud", "providers", "policy", "what", "p50", "×", "p99"):
        table.add_column(name, justify="left" if name in ("cloud", "policy", "what") else "right")
    baselines = {
        (one.cloud, one.providers, one.what): one.p50
        for one in searched
        if one.policy == "first_fit"
    }
    for one in searched:
        baseline = baselines.get((one.cloud, one.providers, one.what), one.p50)
        table.add_row(
            *(one.cloud, f"{one.providers:,}", one.policy, one.what),
            *(f"{one.p50:.3f}", f"{one.p50 / baseline:.1f}", f"{one.p99:.3f}"),
        )
    return table


def _isolated_table(isolated: Sequence[Isolated]) -> Table:
    table = Table(title="Components on different devices of one host, milliseconds")
    for name in ("components", "free devices", "fits", "p50", "worst"):
        table.add_column(name, justify="right")
    for one in isolated:
        fits = "yes" if one.fits else "no"
        table.add_row(
            *(str(one.components), str(one.free_devices), fits),
            *(f"{one.p50:.2f}", f"{one.worst:.2f}"),
        )
    return table


def _answered_table(answered: Sequence[Answered]) -> Table:
    table = Table(title="Over HTTP, one connection, SQLite, milliseconds")
    for name in ("providers", "call", "p50", "× noop", "p99"):
        table.add_column(name, justify="left" if name == "call" else "right")
    noops = {one.providers: one.p50 for one in answered if one.what == "noop"}
    for one in answered:
        table.add_row(
            *(f"{one.providers:,}", one.what, f"{one.p50:.2f}"),
            *(f"{one.p50 / noops[one.providers]:.1f}", f"{one.p99:.2f}"),
        )
    return table


def _view_table(view: ViewCosts) -> Table:
    table = Table(title="The live view", show_header=False)
    table.add_row("providers, claims", f"{view.providers:,}, {view.claims:,}")
    table.add_row("loaded from the stored projection", f"{view.load_seconds:.1f} s")
    table.add_row(f"tail of {view.tail_events:,} events", f"{view.tail_seconds:.2f} s")
    table.add_row("an event", f"{view.microseconds_per_event:.1f} µs")
    table.add_row("a provider of three classes", f"{view.bytes_per_provider:,.0f} bytes")
    table.add_row("a claim", f"{view.bytes_per_claim:,.0f} bytes")
    return table


def _chosen_table(chosen: Chosen) -> Table:
    settings = chosen.settings
    table = Table(
        title=f"{settings.choosers} choosers in {settings.processes} processes, "
        f"{settings.hosts} hosts, {settings.policy} among {settings.among}",
        show_header=False,
    )
    table.add_row("placed", f"{chosen.placed:,} ({chosen.placed / chosen.seconds:,.0f}/s)")
    table.add_row("refused", f"{chosen.refused:,}")
    table.add_row("decided again", f"{chosen.decided_again:,} of {chosen.decided:,}")
    table.add_row("lost", str(chosen.lost))
    table.add_row("over capacity, or otherwise unsound", str(chosen.problems))
    return table
