"""`tally archive`: old parts of the log as files, and out of the database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scripts.cli.failure import Failure
from scripts.cli.options import DataOption, JsonOption

if TYPE_CHECKING:
    from infra.archive import Archive
    from infra.archived_ranges import ArchivedRange

UntilOption = Annotated[
    int | None, typer.Option(min=1, metavar="POSITION", help="Up to that position of the log.")
]
OlderThanOption = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="DAYS", help="Up to the first event that happened within that many days."
    ),
]
EventsPerFileOption = Annotated[int, typer.Option(min=1, help="The most events of one file.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

MendOption = Annotated[
    bool,
    typer.Option("--mend", help="First write damaged files again, if they were never pruned."),
]

archive = typer.Typer(
    no_args_is_help=True,
    help="Move old parts of the log from the database to files. Nothing changes for a reader: "
    "the files are a part of the ledger from then on.",
)


@archive.command()
def create(
    *,
    until: UntilOption = None,
    older_than: OlderThanOption = None,
    events_per_file: EventsPerFileOption = 1_000_000,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the next part of the log to Parquet files. Deletes nothing.

    All of the log, unless told how far. The files lie in TALLYSTICK_ARCHIVE,
    or else in the folder `archive` of the data folder. The database itself is
    read, so it works with the service running or not. If it is interrupted,
    run it again.

    \b
    Examples:
      tally archive create --older-than 90
      tally archive create --until 5000000 --events-per-file 500000
    """
    from scripts.cli.progress import progress_as_told

    if until is not None and older_than is not None:
        raise typer.BadParameter("name one of --until and --older-than.")
    with open_archive(data) as opened:
        if older_than is not None:
            moment = datetime.now(UTC) - timedelta(days=older_than)
            with progress_as_told("look for the moment") as tell:
                until = opened.until_before(moment, tell)
        with progress_as_told("archive") as tell:
            made = opened.create(until, events_per_file, tell)
    _show(made, as_json)


@archive.command("list")
def list_(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Show what is archived, and how much of it the database still keeps."""
    with open_archive(data) as opened:
        ranges = opened.ranges()
    _show(ranges, as_json)


@archive.command()
def verify(
    *, mend: MendOption = False, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Read every file whole and prove that it is right.

    Its digest, its positions, and the events that the database still has must
    agree. Exit code 1 at the first file that is wrong.
    """
    from scripts.cli.progress import progress_as_told

    with open_archive(data) as opened:
        if mend:
            with progress_as_told("mend") as tell:
                opened.mend(tell)
        with progress_as_told("verify") as tell:
            opened.verify(opened.ranges(), tell)
        ranges = opened.ranges()
    _show(ranges, as_json)


@archive.command()
def prune(*, yes: YesOption = False, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Delete from the database what is archived, once all files are verified.

    If one is wrong, nothing is deleted. Each stream's newest event stays, so
    that nothing changes for a writer. From then on the files are a part of
    the ledger: keep copies of them. The service may run meanwhile. If it is
    interrupted, run it again.

    \b
    Examples:
      tally archive prune
      tally archive prune --yes --json
    """
    from scripts.cli import screen
    from scripts.cli.progress import progress_as_told

    with open_archive(data) as opened:
        plan = opened.plan()
        if plan.ranges and not yes:
            typer.confirm(
                f"Delete {screen.number(plan.events)} events ({size(plan.bytes)}) from the "
                f"database? They stay in {plan.ranges} files in {opened.folder}.",
                abort=True,
                err=True,
            )
        with progress_as_told("verify and delete") as tell:
            pruned = opened.prune(tell)
    _show(pruned, as_json, nothing="There is nothing to prune.")


@contextmanager
def open_archive(data: Path | None) -> Iterator["Archive"]:
    from infra.archive import Archive, ArchiveRefused
    from infra.archived_ranges import ArchiveDamaged
    from infra.database import open_database
    from infra.event_log import LogGap
    from scripts.cli.preflight import require_ledger
    from scripts.cli.settings import settings_from

    settings = settings_from(data=data)
    require_ledger(settings)
    database = open_database(settings)
    try:
        database.create_tables()
        yield Archive(database)
    except ArchiveRefused as refused:
        raise Failure(str(refused)) from None
    except LogGap as gap:
        raise Failure(str(gap), "Nothing was deleted. `tally verify` says more.") from None
    except ArchiveDamaged as damaged:
        raise Failure(
            str(damaged),
            "Nothing was deleted. Bring the file back from a copy of it; if its range was never\n"
            "pruned, `tally archive verify --mend` writes it again.",
        ) from None
    finally:
        database.close()


def _show(
    ranges: "Sequence[ArchivedRange]", as_json: bool, nothing: str = "Nothing is archived."
) -> None:
    from scripts.cli import screen

    told = [_told(one) for one in ranges]
    if as_json:
        screen.write_json({"items": told})
        return
    if not told:
        screen.say(nothing)
        return
    numbers = ("first", "last", "events", "kept")
    screen.table(
        (*numbers, "size", "file", "verified", "pruned"),
        (
            (
                *("" if one[name] is None else screen.number(one[name]) for name in numbers),
                size(one["bytes"]),
                one["file"],
                one["verified_at"] or "",
                one["pruned_at"] or "",
            )
            for one in told
        ),
        right=(*numbers, "size"),
    )


def _told(one: "ArchivedRange") -> dict[str, Any]:
    from dataclasses import asdict

    told: dict[str, Any] = asdict(one)
    for name in ("archived_at", "verified_at", "pruned_at"):
        if told[name] is not None:
            at = datetime.fromtimestamp(told[name] // 1_000_000, UTC)
            told[name] = at.isoformat().replace("+00:00", "Z")
    return told


def size(bytes_: float) -> str:
    """1234567 as 1.2 MB."""
    for unit in ("bytes", "kB", "MB"):
        if bytes_ < 1_000:
            return f"{bytes_:.1f} {unit}" if unit != "bytes" else f"{bytes_:.0f} bytes"
        bytes_ /= 1_000
    return f"{bytes_:,.1f} GB"
