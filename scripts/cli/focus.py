"""`tally focus`: what was charged, as a FOCUS Cost and Usage dataset."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption
from scripts.cli.statements import BookOption, PeriodArgument, ProjectOption

if TYPE_CHECKING:
    from scripts.cli.focus_read import Export
    from scripts.cli.focus_rows import Category
    from scripts.cli.focus_sums import Sums


def focus(
    period: PeriodArgument,
    *,
    book: BookOption,
    csv: Annotated[Path | None, typer.Option(help="Write a CSV file.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write a Parquet file.")] = None,
    project: ProjectOption = None,
    closed: Annotated[
        bool, typer.Option("--closed", help="Only statements that are closed.")
    ] = False,
    provider_name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            envvar="TALLYSTICK_PROVIDER_NAME",
            help="Who provides the cloud, and bills for it.",
        ),
    ] = "Private cloud",
    category: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=CATEGORY",
            help="FOCUS's ServiceCategory of a class of your own; may be repeated.",
        ),
    ] = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Export costs and usage in FOCUS 1.4, the FinOps Open Cost and Usage
    Specification.

    A row for each line of each statement; closed ones as they were charged,
    corrections with their credits, so that BilledCost adds up to the statements.
    docs/focus.md says what each column is taken from.

    \b
    Examples:
      tally focus 2026-01 --prices standard --csv costs.csv
      tally focus 2026-01 --prices standard --closed --parquet costs.parquet
      tally focus 2026 --prices standard --csv costs.csv \\
        --category CUSTOM_BAREMETAL_A=Compute --provider-name "Example Cloud"
    """
    from scripts.cli import focus_sums, screen
    from scripts.cli.client import ServiceClient
    from scripts.cli.focus_read import Export
    from scripts.cli.focus_rows import Cloud

    if csv is None and parquet is None:
        raise typer.BadParameter("name a file with --csv or --parquet.")
    if csv is not None and parquet is not None and csv.resolve() == parquet.resolve():
        raise typer.BadParameter("--csv and --parquet name the same file; name two.")
    cloud = Cloud(provider_name, dict(map(_category, category or ())))
    with ServiceClient(url) as client:
        found = Export(client, period, book, project, closed, cloud)
        sums = _write(found, csv, parquet)
    if as_json:
        screen.write_json(sums.told())
    else:
        focus_sums.show(sums)


def _category(text: str) -> "tuple[str, Category]":
    """`CUSTOM_X=Compute`; its subcategory is the category's `Other (…)`."""
    from scripts.cli.focus_rows import SERVICE_CATEGORIES

    name, _, category = text.partition("=")
    if category not in SERVICE_CATEGORIES:
        raise typer.BadParameter(
            f"{text!r} names none of FOCUS's categories: {', '.join(SERVICE_CATEGORIES)}.",
            param_hint="--category",
        )
    return name, (category, f"Other ({category})")


def _write(found: "Export", csv: Path | None, parquet: Path | None) -> "Sums":
    """All files in one pass: a row is read once, and none is kept."""
    from contextlib import ExitStack

    from scripts.cli import screen, whole_file
    from scripts.cli.focus_files import CsvWriter, ParquetWriter, Writer
    from scripts.cli.focus_read import rows_in
    from scripts.cli.focus_sums import Sums
    from scripts.cli.progress import progress

    sums = Sums()
    statements = found.statements()
    kinds: tuple[tuple[Path | None, Callable[[BinaryIO], Writer]], ...] = (
        (csv, CsvWriter),
        (parquet, ParquetWriter),
    )
    with ExitStack() as files, progress("rows", sum(map(rows_in, statements))) as advance:
        writers: list[Writer] = []
        for path, kind in kinds:
            if path is not None:
                writers.append(kind(files.enter_context(whole_file.opened(path))))
        for statement in statements:
            for row in found.rows(statement):
                sums.add(row)
                for writer in writers:
                    writer.write(row)
                advance()
        for writer in writers:
            writer.close()
    for path in (csv, parquet):
        if path is not None:
            screen.note(f"{path} is written.")
    return sums
