"""Figures and marks as a table for people and as JSON for machines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.claims import Measurement
from scripts.benchmarks.figures import Figure, Mark
from scripts.benchmarks.load import Result

REPORT_COLUMNS = 110
"""Wide enough for every table, where there is no terminal to ask."""
COLUMNS = (
    "per second",
    "of no-op",
    "p50 ms",
    "p99 ms",
    "load s",
    "service s",
    "database s",
    "settle s",
)


def print_machine(console: Console, facts: Mapping[str, object], ceiling: Result) -> None:
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
    console.print(told, highlight=False)
    if facts["file_system"] == "tmpfs":
        console.print("[bold red]tmpfs: nothing is durable here; name another --folder[/]")
    microseconds = ceiling.cpu_seconds / ceiling.answered * 1e6
    console.print(
        f"The load generator alone reaches {ceiling.answered / ceiling.elapsed_seconds:,.0f}"
        f" claims/s against a server that does nothing, {microseconds:.0f} µs of CPU each."
    )


def print_measurement(console: Console, measurement: Measurement) -> None:
    console.print(figure_table(measurement))
    console.print(mark_table(measurement.marks(), max(measurement.settings.clients)))
    for line in soundness(measurement):
        style = "green" if measurement.sound else "bold red"
        console.print(line, style=style, markup=False, highlight=False)


def figure_table(measurement: Measurement) -> Table:
    rounds = measurement.settings.rounds
    table = Table(
        title=f"Durable claims on {measurement.engine}, medians of {rounds} rounds"
        f" of {measurement.settings.seconds:g} s",
        caption="load, service and database are CPU seconds in one round; settle is how long"
        " projections went on after it.",
    )
    table.add_column("clients", justify="right")
    table.add_column("workload", no_wrap=True)
    for name in COLUMNS:
        table.add_column(name, justify="right")
    previous = None
    for one in measurement.figures():
        if previous not in (None, one.clients):
            table.add_section()
        table.add_row(*figure_row(one))
        previous = one.clients
    return table


def figure_row(one: Figure) -> list[str]:
    return [
        str(one.clients),
        one.workload,
        f"{one.per_second:,.0f}",
        f"{one.share_of_noop:.0%}",
        f"{one.p50_milliseconds:.2f}",
        f"{one.p99_milliseconds:.2f}",
        f"{one.generator_cpu_seconds:.2f}",
        *(_known(value) for value in (one.service_cpu_seconds, one.database_cpu_seconds)),
        f"{one.settling_seconds:.1f}",
    ]


def mark_table(marks: Sequence[Mark], clients: int) -> Table:
    table = Table(title=f"Marks, judged at {clients} clients without Idempotency-Key")
    for name in ("mark", "wanted", "measured", "over rounds", ""):
        table.add_column(name, justify="right")
    for mark in marks:
        unit = ".0%" if mark.wanted <= 1 else ",.0f"
        verdict = "[green]met[/]" if mark.met else "[bold red]MISSED[/]"
        table.add_row(
            mark.name,
            f">= {mark.wanted:{unit}}",
            f"{mark.measured:{unit}}",
            f"{min(mark.by_round):{unit}} to {max(mark.by_round):{unit}}",
            verdict,
        )
    return table


def soundness(measurement: Measurement) -> list[str]:
    """What the check after the run found, worst news included."""
    claims = measurement.acknowledged.total()
    lines = []
    if measurement.disagreements:
        count = len(measurement.disagreements)
        lines.append(f"{count} inventories differ from the {claims:,} acknowledged claims:")
        lines += measurement.disagreements[:10]
    else:
        lines.append(
            f"Usage equals the {claims:,} acknowledged claims on every provider:"
            " none lost, none doubled."
        )
    if measurement.errors:
        lines.append(f"{measurement.errors:,} answers were not a placed claim, for example:")
        lines += measurement.shown_errors[:5]
    return lines


def as_json(
    facts: Mapping[str, object], ceiling: Result, measurements: Sequence[Measurement]
) -> dict[str, Any]:
    return {
        "benchmark": "claims",
        "machine": dict(facts),
        "generator_ceiling": asdict(ceiling),
        "engines": [engine_as_json(one) for one in measurements],
    }


def engine_as_json(measurement: Measurement) -> dict[str, Any]:
    return {
        "engine": measurement.engine,
        "settings": asdict(measurement.settings),
        "figures": [asdict(one) for one in measurement.figures()],
        "marks": [
            asdict(mark) | {"measured": mark.measured, "met": mark.met}
            for mark in measurement.marks()
        ],
        "marks_judged_at_clients": max(measurement.settings.clients),
        "rounds": [asdict(one) | {"per_second": one.per_second} for one in measurement.rounds],
        "acknowledged_claims": measurement.acknowledged.total(),
        "errors": measurement.errors,
        "shown_errors": measurement.shown_errors[:20],
        "disagreements": measurement.disagreements,
    }


def _known(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
