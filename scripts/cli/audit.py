"""`tally audit`: bills worked out anew from the log alone, by a way of their own, and compared."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.cli import options
from scripts.cli.options import DataOption, JsonOption, NumberOption, UrlOption

BookOption = Annotated[
    str | None,
    typer.Option(
        "--prices",
        metavar="BOOK",
        help="Also hold what the running service tells of all projects to the log, by this book.",
    ),
]
ArchiveOption = Annotated[
    Path | None,
    typer.Option(
        "--archive",
        metavar="FOLDER",
        help="Read the log from the Parquet files of an archive, not from a database.",
    ),
]
LinesOption = Annotated[
    Path | None,
    typer.Option("--lines", metavar="FILE", help="Write all lines to a Parquet file."),
]
BeancountOption = Annotated[
    Path | None,
    typer.Option(
        "--beancount", metavar="FILE", help="Write a ledger for `bean-check` to check once more."
    ),
]


def audit(
    period: Annotated[
        str,
        typer.Argument(metavar="PERIOD", help="A year, a month or a day, in UTC: 2026-01."),
    ],
    *,
    book: BookOption = None,
    number: NumberOption = None,
    archive: ArchiveOption = None,
    lines: LinesOption = None,
    beancount: BeancountOption = None,
    data: DataOption = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Work out bills anew from the log alone, and compare them to the last digit.

    All that was charged for the period and for parts of it: each charge and
    correction by its own price book, from its own position. With --prices
    also what the running service tells of each project. It shares no code
    with what makes bills: it is SQL that DuckDB runs, in infra/audit, step by
    step. Exit code 1 if anything differs; then it shows the lines that
    differ, and the events in question.

    \b
    Examples:
      tally audit 2026-10
      tally audit 2026-11 --prices standard
      tally audit 2026 --archive ./archive --json
      tally audit 2026-10 --beancount charged.beancount && bean-check charged.beancount
    """
    from infra.audit.kept_lines import KeptLines
    from infra.audit.stated import recorded_charges
    from scripts.cli import audit_files, audit_show, screen
    from scripts.cli.audit_run import loaded_log, read_period, run_audit, told_bills
    from scripts.cli.client import ServiceClient

    if number is not None and book is None:
        raise typer.BadParameter("--number goes with --prices.")
    bounds = read_period(period)
    with loaded_log(archive, data) as (replay, position), ServiceClient(url) as client:
        kept = KeptLines(replay) if lines or beancount else None
        stated = recorded_charges(replay, bounds)
        if book is not None:
            stated += told_bills(replay, client, (period, book, number), position)
        report = run_audit(replay, stated, client, kept)
        if kept is not None:
            audit_files.write(report, kept, lines, beancount)
    if as_json:
        screen.write_json(audit_show.as_json(report, period, position))
    else:
        audit_show.show(report, period)
    if not report.ok:
        raise typer.Exit(1)
