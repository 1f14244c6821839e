"""`tally statements`: charge what bills say, correct it, and compare it by two price books."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, NumberOption, UrlOption

PeriodArgument = Annotated[
    str, typer.Argument(metavar="PERIOD", help="A year, a month or a day, in UTC: 2026-01.")
]
BookOption = Annotated[str, typer.Option("--prices", metavar="BOOK", help="By this price book.")]
ProjectOption = Annotated[
    str | None,
    typer.Option(
        "--project", metavar="PROJECT", help="Of this one only.", show_default="all projects"
    ),
]

statements = typer.Typer(
    no_args_is_help=True,
    help="What was charged: list, close, correct, explain, compare.",
)


@statements.command("list")
def list_statements(
    *,
    project: ProjectOption = None,
    book: Annotated[
        str | None, typer.Option("--prices", metavar="BOOK", help="Only by this price book.")
    ] = None,
    period: Annotated[
        str | None, typer.Option(metavar="PERIOD", help="Only for this very period.")
    ] = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show the closed statements, with what was charged last.

    \b
    Examples:
      tally statements list
      tally statements list --period 2026-01 --prices standard --json
    """
    from scripts.cli import screen, statements_show
    from scripts.cli.client import ServiceClient

    with ServiceClient(url) as client:
        found = list(
            client.pages("/v1/statements", project_id=project, price_book=book, period=period)
        )
    if as_json:
        screen.write_json({"items": found})
    elif found:
        statements_show.show_closed(found)
    else:
        screen.say("No such statement is closed. `tally statements close` closes some.")


@statements.command()
def close(
    period: PeriodArgument,
    *,
    book: BookOption,
    number: NumberOption = None,
    project: ProjectOption = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Charge every project that held something in a period that is over.

    What is charged stays: later news of the period is charged by `correct`.
    Statements that are closed already are left as they are, so an interrupted
    run is finished by running it again.

    \b
    Examples:
      tally statements close 2026-01 --prices standard
      tally statements close 2026-01 --prices standard --project research
    """
    from scripts.cli import screen, statements_show
    from scripts.cli.client import ServiceClient
    from scripts.cli.statements_run import Run

    with ServiceClient(url) as client:
        closed = Run(client, period, book, project).close(number)
    if as_json:
        screen.write_json({"items": closed})
    else:
        statements_show.show_charged("closed", closed)


@statements.command()
def correct(
    period: PeriodArgument,
    *,
    book: BookOption,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why, as the bill will say.")
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(
            min=1, show_default="as charged", help="Charge by this publication of the book."
        ),
    ] = None,
    project: ProjectOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be corrected.")
    ] = False,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Correct the closed statements that the log tells otherwise by now.

    The charge before is credited, and a new one is made, in the same period.
    Without --number the prices stay those that were charged.

    \b
    Examples:
      tally statements correct 2026-01 --prices standard --dry-run
      tally statements correct 2026-01 --prices standard --reason "late releases"
    """
    from scripts.cli import screen, statements_show
    from scripts.cli.client import ServiceClient
    from scripts.cli.statements_run import Run

    if reason is None and not dry_run:
        raise typer.BadParameter("say why with --reason, or look first with --dry-run.")
    with ServiceClient(url) as client:
        run = Run(client, period, book, project)
        found = list(run.differences(number))
        made = [] if dry_run or reason is None else run.correct(found, reason)
    if as_json:
        screen.write_json({"differences": found, "corrected": made})
        return
    statements_show.show_differences(found)
    if not dry_run:
        statements_show.show_charged("corrected", made)


@statements.command()
def explain(
    *,
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="Whose bill it is.")],
    period: PeriodArgument,
    line: Annotated[
        int, typer.Argument(metavar="LINE", min=1, help="A line of it: `tally bill --lines`.")
    ],
    book: BookOption,
    number: NumberOption = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show the events that a line of a bill follows from.

    \b
    Example:
      tally statements explain research 2026-01 3 --prices standard
    """
    from urllib.parse import quote

    from scripts.cli import bill_show, screen
    from scripts.cli.bill_read import explained
    from scripts.cli.client import ServiceClient
    from scripts.cli.history import show_events

    path = f"/v1/statements/{quote(period, safe='')}/lines/{line}"
    with ServiceClient(url) as client, explained():
        found = client.get(path, project_id=project, price_book=book, number=number)
    if as_json:
        screen.write_json(found)
    else:
        bill_show.show_lines([found])
        show_events(found["events"])


@statements.command()
def compare(
    period: PeriodArgument,
    *,
    book: BookOption,
    other: Annotated[
        str, typer.Option("--with", metavar="BOOK", help="The price book to compare with.")
    ],
    number: NumberOption = None,
    other_number: Annotated[
        int | None,
        typer.Option(
            "--with-number", min=1, show_default="the newest", help="An older publication of it."
        ),
    ] = None,
    project: ProjectOption = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with charts, of every project.")
    ] = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Rate the same history by two price books, side by side.

    Nothing is charged, and both books are kept.

    \b
    Examples:
      tally statements compare 2026-01 --prices standard --with next-year
      tally statements compare 2026-01 --prices standard --number 1 --with standard
    """
    from scripts.cli import comparison_page, comparison_show, screen, whole_file
    from scripts.cli.client import ServiceClient
    from scripts.cli.comparison_read import Books, read_comparison

    books = Books(book, number, other, other_number)
    with ServiceClient(url) as client:
        found = read_comparison(client, period, books, project)
    if as_json:
        screen.write_json(found.answer)
    else:
        comparison_show.show(found)
    if html is not None:
        whole_file.write(html, comparison_page.to_html(found))
        screen.note(f"{html} is written.")
