"""The comparison with Placement as a command, its table and its JSON."""

import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from scripts.benchmarks.database import DatabaseFailed, running_database
from scripts.benchmarks.machine import machine_facts
from scripts.benchmarks.placement import Bench, Line, Settings
from scripts.benchmarks.placement_sides import Side, placement, placement_at, tallystick
from scripts.benchmarks.report import REPORT_COLUMNS
from scripts.benchmarks.running import ServiceFailed

ENVIRONMENT = Path(__file__).resolve().parents[2] / ".venv-placement" / "bin" / "python"


def compare_with_placement(
    *,
    against: Annotated[
        str | None, typer.Option(help="URL of a Placement that runs already, and is empty.")
    ] = None,
    placement_python: Annotated[
        Path,
        typer.Option(
            help="A Python with openstack-placement, gunicorn and psycopg2, to start one."
        ),
    ] = ENVIRONMENT,
    sizes: Annotated[str, typer.Option(help="Numbers of flat providers.")] = "100,1000,10000",
    hosts: Annotated[int, typer.Option(min=0, help="NUMA hosts; 0: none.")] = 1_000,
    clients: Annotated[str, typer.Option(help="Numbers of clients that claim.")] = "1,8,32",
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of a round of claims.")] = 5.0,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds whose median is quoted.")] = 3,
    engine: Annotated[str, typer.Option(help="Tallystick on sqlite or postgresql.")] = "sqlite",
    seed: Annotated[int, typer.Option(help="Draws ids and claims.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write JSON here.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Put the data under this folder: its disk is measured.")
    ] = None,
) -> None:
    """The same work on a real Placement and on Tallystick, in turns: set-up, candidates, claims.

    Placement is started on a PostgreSQL of its own, with two gunicorn workers, from an environment
    that `scripts/test -m placement` makes the first time; or --against names one. Fails where the
    answers are not the same, or a claim on Tallystick failed.
    """
    settings = Settings(
        sizes=[int(size) for size in sizes.split(",")],
        hosts=hosts,
        rounds=rounds,
        clients=[int(number) for number in clients.split(",")],
        seconds=seconds,
        seed=seed,
    )
    console = Console() if sys.stdout.isatty() else Console(width=REPORT_COLUMNS + 20)
    if against is None and not placement_python.exists():
        console.print(f"There is no {placement_python}: see --help.", style="red")
        raise typer.Exit(2)
    with (
        tempfile.TemporaryDirectory(prefix="tallystick-", dir=folder) as own,
        ExitStack() as stack,
        console.status("starting") as status,
    ):
        try:
            reference = _reference(stack, Path(own) / "reference", placement_python, against)
            ours = _ours(stack, Path(own) / "ours", engine)
            bench = Bench(reference, ours, settings, status.update)
            bench.run()
        except (ServiceFailed, DatabaseFailed) as error:
            console.print(str(error), style="red", markup=False, highlight=False)
            raise typer.Exit(2) from error
    _print(console, bench.lines, bench.wrong)
    if json_file:
        facts = machine_facts(Path(folder or tempfile.gettempdir()))
        told = {"machine": facts, **as_json(bench.lines, bench.wrong)}
        json_file.write_text(json.dumps(told, indent=2) + "\n")
    raise typer.Exit(1 if bench.wrong else 0)


def _reference(stack: ExitStack, folder: Path, python: Path, against: str | None) -> Side:
    if against is not None:
        return placement_at(against)
    folder.mkdir(parents=True)
    folder.parent.chmod(0o711)
    database = stack.enter_context(running_database("postgresql", folder))
    assert database.url is not None
    connection = database.url.replace("postgresql://", "postgresql+psycopg2://", 1)
    return stack.enter_context(placement(folder / "api", python, connection, database.pid))


def _ours(stack: ExitStack, folder: Path, engine: str) -> Side:
    folder.mkdir(parents=True)
    database = stack.enter_context(running_database(engine, folder))
    return stack.enter_context(tallystick(folder, database.url))


def _print(console: Console, lines: Sequence[Line], wrong: Sequence[str]) -> None:
    table = Table("what", "unit", "Placement", "Tallystick", "times", "mark", "answer")
    for line in lines:
        ratio, met = line.ratio, ""
        if line.mark is not None and ratio is not None:
            met = f"{line.mark:g} {'met' if ratio >= line.mark else 'missed'}"
        times = "" if ratio is None else f"{ratio:,.1f}"
        figures = [f"{line.placement:,.2f}", f"{line.tallystick:,.2f}"]
        table.add_row(line.what, line.unit, *figures, times, met, line.note)
    console.print(table)
    for one in wrong:
        console.print(one, style="red", markup=False, highlight=False)


def as_json(lines: Sequence[Line], wrong: Sequence[str]) -> dict[str, Any]:
    return {"lines": [{**asdict(line), "ratio": line.ratio} for line in lines], "wrong": [*wrong]}
