"""`tally bill`: what a project has to pay for a period, on the screen, in files, or as a page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, NumberOption, UrlOption

if TYPE_CHECKING:
    from scripts.cli.bill_read import Bill

FileOption = Path | None


def bill(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="Whose bill it is.")],
    period: Annotated[
        str,
        typer.Argument(metavar="PERIOD", help="A year, a month or a day, in UTC: 2026-01."),
    ],
    *,
    book: Annotated[
        str, typer.Option("--prices", metavar="BOOK", help="The price book to make it with.")
    ],
    number: NumberOption = None,
    lines: Annotated[bool, typer.Option("--lines", help="Show every line, too.")] = False,
    csv: Annotated[FileOption, typer.Option(help="Write the lines to a CSV file.")] = None,
    parquet: Annotated[FileOption, typer.Option(help="Write the lines to a Parquet file.")] = None,
    html: Annotated[
        FileOption, typer.Option(help="Write a page to print: sums, charts and lines.")
    ] = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what a project has to pay for a period, by a price book.

    A period that is not over is told up to now. The lines add up to the total,
    to the cent. With --json the statement and all its lines.

    \b
    Examples:
      tally bill research 2026-11 --prices standard
      tally bill research 2026-11 --prices standard --html bill.html --csv lines.csv
      tally bill shop 2026 --prices standard --number 1 --json
    """
    from scripts.cli import bill_show, screen
    from scripts.cli.bill_read import read_bill
    from scripts.cli.client import ServiceClient

    with ServiceClient(url) as client:
        found = read_bill(client, project, period, book, number)
    if as_json:
        screen.write_json({"statement": found.statement, "lines": found.lines})
    else:
        bill_show.show(found, with_lines=lines)
    _write(found, csv, parquet, html)


def _write(bill: "Bill", csv: Path | None, parquet: Path | None, html: Path | None) -> None:
    """On the error stream it says what was written, so that --json stays JSON."""
    from scripts.cli import bill_files, bill_page, screen, whole_file

    written = (
        (csv, bill_files.to_csv),
        (parquet, bill_files.to_parquet),
        (html, bill_page.to_html),
    )
    for path, content in written:
        if path is not None:
            whole_file.write(path, content(bill))
            screen.note(f"{path} is written.")
