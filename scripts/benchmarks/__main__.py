"""`python -m scripts.benchmarks NAME`: one subcommand for each benchmark."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console

from infra.settings import Settings as LedgerSettings
from scripts.benchmarks import report, scheduling
from scripts.benchmarks.auditing import measure_audits
from scripts.benchmarks.billing import measure as measure_billing
from scripts.benchmarks.billing_report import as_json as billing_as_json
from scripts.benchmarks.billing_report import print_billing
from scripts.benchmarks.claims import Measurement, Settings, generator_ceiling, measure
from scripts.benchmarks.database import DatabaseFailed, running_database
from scripts.benchmarks.machine import machine_facts
from scripts.benchmarks.placement_report import compare_with_placement
from scripts.benchmarks.rebuild import measure as measure_rebuild
from scripts.benchmarks.rebuild_report import as_json as rebuilt_as_json
from scripts.benchmarks.rebuild_report import print_rebuilt, print_under_load
from scripts.benchmarks.rebuild_under_load import LoadSettings, UnderLoad, measure_under_load
from scripts.benchmarks.report import REPORT_COLUMNS
from scripts.benchmarks.running import ServiceFailed

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


class Engine(StrEnum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    BOTH = "both"


@app.callback()
def benchmarks() -> None:
    """Measures the real service on this machine."""


@app.command()
def claims(
    *,
    engine: Annotated[
        Engine, typer.Option(help="What the service keeps its log in.")
    ] = Engine.BOTH,
    clients: Annotated[str, typer.Option(help="Numbers of clients, with commas.")] = "1,8,32",
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of one round.")] = 5.0,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds whose median is quoted.")] = 3,
    seed: Annotated[int, typer.Option(help="Draws the provider of each claim.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write JSON here.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Put the data under this folder: its disk is measured.")
    ] = None,
) -> None:
    """Durable claims per second over HTTP, spread and hot, beside the no-op.

    Fails when an answer is not a placed claim, or when usage afterwards is not what was
    acknowledged. A missed mark is printed, and is no failure.
    """
    settings = Settings(clients=_numbers(clients), seconds=seconds, rounds=rounds, seed=seed)
    engines = ["sqlite", "postgresql"] if engine is Engine.BOTH else [engine.value]
    # Eighty columns, the width where there is no terminal, would cut the figures' names.
    console = Console() if sys.stdout.isatty() else Console(width=REPORT_COLUMNS)
    facts = machine_facts(Path(folder or tempfile.gettempdir()))
    ceiling = generator_ceiling(max(settings.clients), seed)
    report.print_machine(console, facts, ceiling)
    try:
        measured = [_measure(console, name, folder, settings) for name in engines]
    except (ServiceFailed, DatabaseFailed) as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise typer.Exit(2) from error
    if json_file:
        text = json.dumps(report.as_json(facts, ceiling, measured), indent=2)
        json_file.write_text(text + "\n")
    raise typer.Exit(0 if all(one.sound for one in measured) else 1)


@app.command()
def rebuild(
    *,
    engine: Annotated[
        Engine, typer.Option(help="What the log and the read models are in.")
    ] = Engine.BOTH,
    events: Annotated[int, typer.Option(min=1_000, help="Length of the log.")] = 1_000_000,
    runner_events: Annotated[
        int, typer.Option(min=100, help="Events for the library's own runner.")
    ] = 2_000,
    load_events: Annotated[
        int, typer.Option(min=21_000, help="Length of the log that is rebuilt under load.")
    ] = 200_000,
    load_rounds: Annotated[
        int, typer.Option(min=0, help="Rounds of load, each with and without a rebuild; 0: none.")
    ] = 5,
    load_seconds: Annotated[float, typer.Option(min=0.1, help="Length of one round.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Draws the log.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write JSON here.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Put the data under this folder: its disk is measured.")
    ] = None,
) -> None:
    """Building read models anew: events per second and memory, beside the library's runner; and
    what a rebuild costs those who write and read meanwhile.

    Fails when a claim or a read failed during a rebuild, or when an answer was half-built.
    """
    engines = ["sqlite", "postgresql"] if engine is Engine.BOTH else [engine.value]
    console = Console() if sys.stdout.isatty() else Console(width=REPORT_COLUMNS)
    load = LoadSettings(events=load_events, rounds=load_rounds, seconds=load_seconds, seed=seed)
    told = []
    sound = True
    for name in engines:
        with _ledger_on(console, name, folder) as (ledger, say):
            measured = measure_rebuild(ledger, events, runner_events, seed, say)
        print_rebuilt(console, name, measured)
        under_load: UnderLoad | None = None
        if load.rounds:
            with _ledger_on(console, name, folder) as (ledger, say):
                under_load = measure_under_load(ledger, load, say)
            print_under_load(console, name, under_load)
            sound = sound and under_load.sound
        told.append(rebuilt_as_json(name, measured, under_load))
    if json_file:
        facts = machine_facts(Path(folder or tempfile.gettempdir()))
        json_file.write_text(json.dumps({"machine": facts, "engines": told}, indent=2) + "\n")
    raise typer.Exit(0 if sound else 1)


@app.command()
def billing(
    *,
    intervals: Annotated[int, typer.Option(min=1_000, help="Claim intervals to rate.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="Draws the intervals.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write JSON here.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Put the log under this folder: its disk is measured.")
    ] = None,
) -> None:
    """Claim intervals rated per second, and audited from the log; and memory.

    Fails when the audit's totals are not those of rating, to the last digit.
    """
    console = Console() if sys.stdout.isatty() else Console(width=REPORT_COLUMNS)
    with console.status("rating") as status:
        billed = measure_billing(intervals, seed)
        audited = measure_audits(intervals, seed, folder, status.update)
    print_billing(console, billed, audited)
    if json_file:
        facts = machine_facts(Path(folder or tempfile.gettempdir()))
        told = {"machine": facts, **billing_as_json(billed, audited)}
        json_file.write_text(json.dumps(told, indent=2, default=str) + "\n")
    raise typer.Exit(0 if audited[-1].totals == billed.totals else 1)


@contextmanager
def _ledger_on(
    console: Console, engine: str, folder: Path | None
) -> Iterator[tuple[LedgerSettings, Callable[[str], None]]]:
    """Settings of an empty ledger of its own, and where to say what goes on."""
    with (
        tempfile.TemporaryDirectory(prefix="tallystick-", dir=folder) as own,
        console.status(f"{engine}: starting") as status,
        running_database(engine, Path(own)) as running,
    ):
        url = None if running.url is None else SecretStr(running.url)
        ledger = LedgerSettings(data=Path(own) / "data", database_url=url)
        yield ledger, lambda what: status.update(f"{engine}: {what}")


def _measure(console: Console, engine: str, folder: Path | None, settings: Settings) -> Measurement:
    with tempfile.TemporaryDirectory(prefix="tallystick-", dir=folder) as own:
        with console.status(f"{engine}: starting") as status:
            measured = measure(engine, Path(own), settings, status.update)
        report.print_measurement(console, measured)
        if not measured.sound:
            log = (Path(own) / "service.log").read_text(errors="replace")
            console.print(f"the service's log ends:\n{log[-2000:]}", markup=False, highlight=False)
    return measured


def _numbers(text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no list such as 1,8,32") from error
    if min(numbers) < 1:
        raise typer.BadParameter("a run needs at least one client")
    return numbers


app.command()(scheduling.search)
app.command()(scheduling.stranding)
app.command("placement")(compare_with_placement)


if __name__ == "__main__":
    app()
