"""The commands `scripts/bench search` and `scripts/bench stranding`."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from domain.wish import Preference
from scripts.benchmarks import choosers, search_over_http, searching, view_costs
from scripts.benchmarks.choosers import ChooserSettings
from scripts.benchmarks.database import running_database
from scripts.benchmarks.machine import machine_facts
from scripts.benchmarks.report import REPORT_COLUMNS
from scripts.benchmarks.search_report import Measured, print_measured
from scripts.benchmarks.search_report import as_json as search_as_json
from scripts.benchmarks.stranding import POLICIES, PUBLISHED
from scripts.benchmarks.stranding import measure as measure_stranding
from scripts.benchmarks.stranding_report import as_json as stranding_as_json
from scripts.benchmarks.stranding_report import means, print_stranding

JsonOption = Annotated[Path | None, typer.Option("--json", help="Also write JSON here.")]
SeedOption = Annotated[int, typer.Option(help="Draws the clouds and what is asked of them.")]
IN_PROCESS: tuple[Preference, ...] = (
    Preference(policy="first_fit"),
    Preference(policy="pack"),
    Preference(policy="spread"),
    Preference(policy="least_stranding"),
)


def search(
    *,
    sizes: Annotated[
        str, typer.Option(help="Numbers of providers, with commas.")
    ] = "1000,10000,100000",
    rounds: Annotated[int, typer.Option(min=10, help="Searches of each kind.")] = 500,
    http_sizes: Annotated[
        str, typer.Option(help="Numbers of providers behind a running service.")
    ] = "1000,10000,100000",
    claims: Annotated[
        int, typer.Option(min=1, help="Claims that the view is loaded with.")
    ] = 1_000_000,
    choosing_seconds: Annotated[
        float, typer.Option(min=0, help="How long 32 choosers are at work; 0: not at all.")
    ] = 15.0,
    seed: SeedOption = 1,
    json_file: JsonOption = None,
    folder: Annotated[
        Path | None, typer.Option(help="Put the data under this folder: its disk is measured.")
    ] = None,
) -> None:
    """How long it takes to find a place: in this process, over HTTP, and by many who choose at
    once; what the live view costs; and how soon a refusal is explained. About eight minutes.

    Fails when a claim of the choosers was lost, or a provider is over its capacity.
    """
    console = _console()
    with (
        tempfile.TemporaryDirectory(prefix="tallystick-", dir=folder) as own,
        console.status("search") as status,
    ):
        searched = searching.measure(_numbers(sizes), IN_PROCESS, rounds, seed, status.update)
        status.update("components on different devices, and refusals")
        isolated = searching.measure_isolated(seed)
        explained = searching.measure_explained(searching.MIDDLE, seed)
        answered = search_over_http.measure(
            Path(own), _numbers(http_sizes), rounds, seed, status.update
        )
        status.update("the live view is stored and loaded")
        view = view_costs.measure(Path(own), max(_numbers(sizes)), claims, seed)
        chosen = None
        if choosing_seconds:
            settings = ChooserSettings(seconds=choosing_seconds, seed=seed)
            with running_database("postgresql", Path(own)) as running:
                assert running.url is not None
                chosen = choosers.measure(Path(own), running.url, settings, status.update)
    measured = Measured(searched, isolated, explained, answered, view, chosen)
    print_measured(console, measured)
    _write(json_file, search_as_json(measured), folder)
    raise typer.Exit(0 if measured.sound else 1)


def stranding(
    trace: Annotated[
        Path, typer.Argument(metavar="TRACE", help="Folder of the trace, in openb's layout.")
    ],
    *,
    lists: Annotated[
        str, typer.Option(help="Pod lists, with commas.")
    ] = "default,gpushare60,gpuspec25",
    policies: Annotated[
        str, typer.Option(help=f"Of {', '.join(POLICIES)}; with commas.")
    ] = "first fit,best fit,least stranding",
    seeds: Annotated[int, typer.Option(min=1, help="Orders of the pods, from seed 1 on.")] = 10,
    json_file: JsonOption = None,
) -> None:
    """How much of a GPU cluster each policy gives away until nothing fits any more: the experiment
    of "Beware of Fragmentation" (USENIX ATC 2023), with every placement a claim. Ten minutes.

    A missed mark is printed, and is no failure.
    """
    console = _console()
    with console.status("stranding") as status:
        runs = measure_stranding(
            trace,
            _names(lists, list(PUBLISHED)),
            _names(policies, list(POLICIES)),
            seeds,
            status.update,
        )
    print_stranding(console, means(runs))
    _write(json_file, stranding_as_json(runs), None)


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=REPORT_COLUMNS)


def _write(json_file: Path | None, told: dict[str, object], folder: Path | None) -> None:
    if json_file:
        facts = machine_facts(Path(folder or tempfile.gettempdir()))
        json_file.write_text(json.dumps({"machine": facts, **told}, indent=2) + "\n")


def _numbers(text: str) -> list[int]:
    try:
        return sorted(int(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no list such as 1000,10000") from error


def _names(text: str, known: list[str]) -> list[str]:
    names = [part.strip() for part in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(known)}")
    return names
