"""Archiving and pruning: nothing goes that is not proven, and an interruption leaves no harm."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from sqlalchemy import delete

from infra.archive import Archive, ArchiveRefused
from infra.archive_file import ROWS_PER_GROUP, UNFINISHED
from infra.archived_ranges import RANGES, ArchiveDamaged
from infra.event_log import EventLog, LogGap
from infra.log_rows import LogRow
from infra.verification import verify_log
from projections.projection import Recorded
from tests.databases import ScratchDatabase
from tests.open_archive import PER_FILE, archive_most, execute, fill, quiet, random_events, stored
from tests.open_ledger import NOON, OpenLedger, after, settings_from


class Interrupted(BaseException):
    """As if the process ended here."""


@pytest.fixture
def events() -> list[Recorded]:
    return random_events()


@pytest.fixture
def filled(ledger: OpenLedger) -> OpenLedger:
    fill(ledger)
    return ledger


@pytest.fixture
def archived(filled: OpenLedger) -> Archive:
    """Everything but the newest events."""
    return archive_most(filled)


def stop_after(events: int) -> Any:
    def progress(done: int, of: int) -> None:
        if done > events:
            raise Interrupted

    return progress


# --- Damage -----------------------------------------------------------------------------------


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def remove(path: Path) -> None:
    path.unlink()


def replace_by_neighbour(path: Path) -> None:
    neighbour = next(one for one in path.parent.glob("*.parquet") if one != path)
    path.write_bytes(neighbour.read_bytes())


def rewrite(path: Path, order: Sequence[int], positions: Sequence[int]) -> None:
    """The same rows in another order, under the old digest."""
    file = parquet.ParquetFile(path)
    told = {key: value for key, value in file.metadata.metadata.items() if key[:5] == b"tally"}
    table = file.read().take(list(order))
    table = table.set_column(0, "position", [list(positions)])
    with parquet.ParquetWriter(path, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(told)


def swap(path: Path) -> None:
    rewrite(path, [1, 0, *range(2, PER_FILE)], range(101, 101 + PER_FILE))


def swap_with_positions(path: Path) -> None:
    order = [0, 2, 1, *range(3, PER_FILE)]
    rewrite(path, order, [101 + n for n in order])


def lose_a_row(path: Path) -> None:
    rewrite(path, range(PER_FILE - 1), range(101, 100 + PER_FILE))


DAMAGES = (flip, truncate, remove, replace_by_neighbour, swap, swap_with_positions, lose_a_row)


def test_a_damaged_file_is_found_and_nothing_is_deleted(
    archived: Archive, filled: OpenLedger
) -> None:
    before = stored(filled)
    path = archived.folder / archived.ranges()[1].file
    whole = path.read_bytes()
    for damage in DAMAGES:
        damage(path)
        for work in (partial(archived.verify, archived.ranges()), archived.prune):
            with pytest.raises(ArchiveDamaged, match=path.name):
                work(quiet)
        path.write_bytes(whole)
    assert stored(filled) == before
    assert [bool(one.verified_at) for one in archived.ranges()[:3]] == [True, False, False]
    assert not any(one.pruned_at for one in archived.ranges())

    archived.verify(archived.ranges(), quiet)
    assert all(one.verified_at for one in archived.ranges())


def test_a_database_that_differs_from_its_file_is_found(
    archived: Archive, filled: OpenLedger
) -> None:
    execute(
        filled,
        "UPDATE stored_events SET state = :state WHERE POSITION = 150",
        state=b'{"at":"2026-01-01T12:00:00Z"}',
    )
    with pytest.raises(ArchiveDamaged, match="position 150"):
        archived.prune(quiet)
    execute(filled, "DELETE FROM stored_events WHERE POSITION = 150")
    with pytest.raises(ArchiveDamaged, match="same events"):
        archived.verify(archived.ranges(), quiet)
    file = archived.folder / archived.ranges()[1].file
    whole = file.read_bytes()
    with pytest.raises(LogGap):
        archived.mend(quiet)
    assert file.read_bytes() == whole, "the last good copy was overwritten"
    assert len(stored(filled)) == filled.log.head() - 1


def test_a_damaged_file_is_mended_while_the_database_has_its_events(
    archived: Archive, filled: OpenLedger
) -> None:
    files = [archived.folder / one.file for one in archived.ranges()]
    whole = [file.read_bytes() for file in files]
    files[0].unlink()
    flip(files[2])
    archived.mend(quiet)
    assert [file.read_bytes() for file in files] == whole

    execute(filled, "UPDATE stored_events SET state = :state WHERE POSITION = 5", state=b"{}")
    with pytest.raises(ArchiveDamaged):
        archived.mend(quiet)
    assert [file.read_bytes() for file in files] == whole, "the last good copy was overwritten"


def test_a_pruned_file_that_is_lost_is_told_by_every_reader(
    archived: Archive, filled: OpenLedger, database: ScratchDatabase
) -> None:
    archived.prune(quiet)
    path = archived.folder / archived.ranges()[0].file
    path.unlink()
    with pytest.raises(ArchiveDamaged, match=f"{path.name}: the file is missing"):
        EventLog(filled.database).read(0, 10)
    assert EventLog(filled.database).read(PER_FILE, 10)
    told = verify_log(settings_from(database.settings_environment), quiet)
    assert "the file is missing" in told.problems[0].detail


# --- Interruptions ----------------------------------------------------------------------------


def test_an_interrupted_archive_goes_on_where_it_was(
    filled: OpenLedger, events: list[Recorded]
) -> None:
    made = Archive(filled.database)
    with pytest.raises(Interrupted):
        made.create(None, PER_FILE, stop_after(250))
    assert [one.last for one in made.ranges()] == [100, 200]
    assert list(made.folder.glob(f"*{UNFINISHED}"))

    made.create(None, PER_FILE, quiet)
    assert not list(made.folder.glob(f"*{UNFINISHED}"))
    assert made.ranges()[-1].last == len(events)
    made.verify(made.ranges(), quiet)


def test_a_file_without_its_row_is_archived_again(archived: Archive, filled: OpenLedger) -> None:
    before = archived.ranges()
    with filled.database.durable.begin() as connection:
        connection.execute(delete(RANGES).where(RANGES.c.first > 100))
    archived.create(before[-1].last, PER_FILE, quiet)
    assert [one.contents for one in archived.ranges()] == [one.contents for one in before]


def test_an_interrupted_prune_reads_the_same_and_can_be_finished(
    archived: Archive, filled: OpenLedger, events: list[Recorded]
) -> None:
    events_there = [len(events)]
    for part in (0.2, 1.1, 1.5, 1.99):  # Verifying is the first half of the work.
        to_do = sum(one.events for one in archived.ranges() if one.kept is None)
        with pytest.raises(Interrupted):
            archived.prune(stop_after(int(part * to_do)))
        assert EventLog(filled.database).read(0, 10_000) == events
        events_there.append(len(stored(filled)))
    assert events_there[0] == events_there[1] > events_there[2] > events_there[3] > events_there[4]

    archived.prune(quiet)
    assert all(one.kept is not None for one in archived.ranges())
    assert EventLog(filled.database).read(0, 10_000) == events
    assert (archived.plan().ranges, archived.plan().events) == (0, 0)


def test_two_commands_at_once_are_refused(filled: OpenLedger) -> None:
    made = Archive(filled.database)

    def meanwhile(done: int, of: int) -> None:
        for work in (partial(made.create, None, 10), made.prune):
            with pytest.raises(ArchiveRefused, match="another command"):
                work(quiet)

    assert len(made.create(None, PER_FILE, meanwhile)) > 1


# --- How far ----------------------------------------------------------------------------------


def test_only_what_is_sealed_is_archived(filled: OpenLedger) -> None:
    made = Archive(filled.database)
    with pytest.raises(ArchiveRefused, match="the log ends at"):
        made.create(filled.log.head() + 1, PER_FILE, quiet)
    made.create(150, PER_FILE, quiet)
    with pytest.raises(ArchiveRefused, match="up to position 150"):
        made.create(150, PER_FILE, quiet)
    assert [(one.first, one.last) for one in made.ranges()] == [(1, 100), (101, 150)]


def test_the_moment_is_the_first_event_that_is_not_older(ledger: OpenLedger) -> None:
    made = Archive(ledger.database)
    assert made.until_before(after(1), quiet) == 0
    ledger.host("old", at=NOON, VCPU=8)
    position = ledger.log.head()
    ledger.host("new", at=after(60), VCPU=8)
    ledger.host("older", at=after(10), VCPU=8)

    assert made.until_before(NOON, quiet) == 0
    assert made.until_before(after(1), quiet) == position
    assert made.until_before(after(60), quiet) == position
    assert made.until_before(after(61), quiet) == ledger.log.head()


def test_row_groups_bound_what_is_in_memory(ledger: OpenLedger, tmp_path: Path) -> None:
    from infra.archive_file import ArchiveFile, write_archive_file

    rows = [LogRow(n, f"claim:{n % 7}", n, "claim.granted", b"\x00\xff" * n) for n in range(5, 105)]
    contents = write_archive_file(tmp_path / "some.parquet", [rows[:60], rows[60:]])
    file = ArchiveFile(tmp_path / "some.parquet", contents)
    assert (contents.first, contents.last, contents.events) == (5, 104, 100)
    assert [file.rows(0), file.rows(1)] == [rows[:60], rows[60:]]
    assert (file.groups_between(0, 4), file.groups_between(64, 1_000)) == (range(0), range(1, 2))
    assert ROWS_PER_GROUP == 20_000
