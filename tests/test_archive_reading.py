"""A pruned log reads and is written to as it was before, by every method."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from domain.aggregate import Aggregate
from domain.claim import Claim
from domain.ledger import release_claim
from domain.provider import Provider
from infra import archive
from infra.archive import Archive
from infra.event_log import Conflicted, EventLog, LogGap
from infra.log_rows import Selection
from infra.settings import Settings
from infra.verification import verify_log
from projections.projection import Recorded
from tests.databases import ScratchDatabase
from tests.open_archive import (
    LEFT,
    PER_FILE,
    SEED,
    archive_most,
    execute,
    fill,
    quiet,
    random_events,
    stored,
)
from tests.open_ledger import OpenLedger, after, settings_from


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


def state_of(aggregate: Aggregate) -> object:
    """All that an aggregate knows, however it came to know it."""
    if isinstance(aggregate, Provider) and aggregate.version:
        return aggregate.snapshot()
    names = [name for kind in type(aggregate).__mro__ for name in getattr(kind, "__slots__", ())]
    names += vars(aggregate) if hasattr(aggregate, "__dict__") else []
    return {name: getattr(aggregate, name) for name in names if name != "snapshot_version"}


# --- Reading ----------------------------------------------------------------------------------


def everything_read(log: EventLog, events: Sequence[Recorded]) -> Iterator[object]:
    """What each method of the log gives, over all of it."""
    chance = random.Random(SEED)
    head = events[-1].position
    yield log.head()
    for size in (30, 100, 10_000):
        position = 0
        while page := log.read(position, size):
            yield page
            position = page[-1].position
    yield log.read(50, 100, 120)
    yield log.at_positions(chance.sample(range(1, head + 20), 60))
    topics = frozenset({"claim.granted", "provider.requested"})
    for selection in (Selection(topics), Selection(part=1, parts=3), Selection(topics, 0, 2)):
        yield log.rows(0, head, selection)
        yield log.rows(95, 205, selection)
    versions = {
        recorded.event.originator_id: recorded.event.originator_version for recorded in events
    }
    yield [state_of(one) for one in log.load_many([*versions, "claim:nobody"])]
    longest = sorted(versions, key=lambda stream: -versions[stream])[:8]
    for stream in dict.fromkeys([*chance.sample(sorted(versions), 15), *longest]):
        newest = versions[stream]
        yield state_of(log.load(stream))
        for version in {1, newest // 2, newest, newest + 1} - {0}:
            yield state_of(log.load_version(stream, version))
    yield state_of(log.load("provider:nothing"))
    yield state_of(log.load_version("claim:nobody", 3))


def test_a_pruned_log_reads_as_before_by_every_method(
    filled: OpenLedger, database: ScratchDatabase, events: list[Recorded]
) -> None:
    settings = settings_from(database.settings_environment)
    before = list(everything_read(EventLog(filled.database), events))
    told_before = verify_log(settings, quiet)
    opened = EventLog(filled.database)  # By a service that has looked at it already.
    assert opened.rows(0, 10) == stored(filled)[:10]

    made = Archive(filled.database)
    made.create(len(events) - LEFT, PER_FILE, quiet)
    assert list(everything_read(opened, events)) == before
    pruned = made.prune(quiet)

    left = len(stored(filled))
    assert left == LEFT + sum(one.kept or 0 for one in pruned)
    assert left < len(events) / 2
    assert list(everything_read(opened, events)) == before
    assert list(everything_read(EventLog(filled.database), events)) == before
    told = verify_log(settings, quiet)
    assert told.ok
    assert told == told_before


def test_what_follows_is_archived_and_pruned_in_its_turn(
    archived: Archive, filled: OpenLedger, events: list[Recorded]
) -> None:
    archived.prune(quiet)
    archived.create(None, PER_FILE, quiet)
    assert not {one.first for one in archived.prune(quiet)} & {1, 101}
    assert archived.prune(quiet) == []

    ranges = archived.ranges()
    assert [one.first for one in ranges[1:]] == [one.last + 1 for one in ranges[:-1]]
    assert ranges[-1].last == len(events)
    assert EventLog(filled.database).read(0, 10_000) == events
    newest = {recorded.event.originator_id: recorded.position for recorded in events}
    kept = {row.position for row in stored(filled)}
    assert set(newest.values()) <= kept


def test_reading_never_meets_a_gap_while_another_prunes_and_others_append(
    archived: Archive,
    filled: OpenLedger,
    events: list[Recorded],
    database: ScratchDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "POSITIONS_PER_DELETE", 10)
    versions = {
        recorded.event.originator_id: recorded.event.originator_version for recorded in events
    }
    streams = sorted(versions)
    chance = random.Random(SEED)
    topics = Selection(frozenset({"claim.granted", "provider.requested"}))
    selected = [row for row in stored(filled) if topics.has(row)]
    other = OpenLedger(settings_from(database.settings_environment))
    pruning = ThreadPoolExecutor(1)
    pruned = pruning.submit(Archive(other.database).prune, quiet)
    rounds = 0
    try:
        filled.books = filled.reopened()
        while not pruned.done() or not rounds:
            rounds += 1
            filled.host(f"new-{rounds}", VCPU=8)
            log = filled.log if rounds % 2 else EventLog(filled.database)
            whole = log.read(0, 100_000)
            assert whole[: len(events)] == events
            assert [recorded.position for recorded in whole] == list(range(1, len(whole) + 1))
            assert log.rows(0, len(events), topics) == selected
            chosen = chance.sample(streams, 5)
            for aggregate in (*map(log.load, chosen), *log.load_many(chosen)):
                assert aggregate.version == versions[aggregate.stream]
            assert log.load_version(chosen[0], 1).version == 1
    finally:
        pruning.shutdown()
        other.close()
    assert pruned.result()
    assert rounds > 1
    assert all(one.kept is not None for one in archived.ranges())


def test_a_gap_that_no_archive_covers_is_never_skipped(
    archived: Archive, filled: OpenLedger, database: ScratchDatabase, events: list[Recorded]
) -> None:
    archived.prune(quiet)
    gone = next(row for row in stored(filled)[-50:-2] if row.originator_version == 1)
    execute(filled, "DELETE FROM stored_events WHERE POSITION = :gone", gone=gone.position)
    log = EventLog(filled.database)

    with pytest.raises(LogGap):
        log.read(gone.position - 10, 20)
    with pytest.raises(LogGap):
        log.read(0, 10_000)
    with pytest.raises(LogGap):
        log.at_positions([gone.position])
    execute(filled, "DELETE FROM archived_ranges")
    with pytest.raises(LogGap):
        EventLog(filled.database).rows(0, 10)
    versions = {one.event.originator_id: one.event.originator_version for one in events}
    several = next(
        stream for stream, newest in versions.items() if newest > 3 and stream.startswith("claim:")
    )
    log = EventLog(filled.database)
    with pytest.raises(LogGap):
        log.load(several)
    with pytest.raises(LogGap):
        log.load_many([several])
    with pytest.raises(LogGap):
        log.load_version(several, 2)
    told = verify_log(settings_from(database.settings_environment), quiet)
    assert [problem.code for problem in told.problems][:1] == ["unreadable"]


# --- Writing ----------------------------------------------------------------------------------


def test_a_consumer_whose_past_is_pruned_claims_again_at_the_right_version(
    ledger: OpenLedger,
) -> None:
    host = ledger.host("host", VCPU=8)
    ledger.ask("server", VCPU=2)
    released = ledger.run(release_claim, "server", at=after(5))
    Archive(ledger.database).create(None, PER_FILE, quiet)
    Archive(ledger.database).prune(quiet)
    rows = len(stored(ledger))

    ledger.log = EventLog(ledger.database)
    ledger.books = ledger.reopened()
    ledger.ask("server", at=after(9), VCPU=3)

    claim = ledger.books.get(Claim, "server")
    assert claim.version > released.version
    assert ledger.usage(host, "VCPU") == 3
    assert [row.originator_version for row in stored(ledger)[rows:] if "claim:" in row[1]] == list(
        range(released.version + 1, claim.version + 1)
    )
    head = ledger.log.head()
    assert [one.position for one in ledger.log.read(0, 100)] == list(range(1, head + 1))


def test_an_append_at_a_pruned_version_conflicts_and_positions_go_on(
    archived: Archive, filled: OpenLedger, events: list[Recorded]
) -> None:
    archived.create(None, PER_FILE, quiet)
    archived.prune(quiet)
    newest = {recorded.event.originator_id: recorded for recorded in events}
    for recorded in newest.values():
        with pytest.raises(Conflicted):
            filled.log.append([recorded.event])
    assert filled.log.head() == len(events)
    unused = newest[events[-1].event.originator_id].event
    following = unused.model_copy(update={"originator_version": unused.originator_version + 1})
    assert list(filled.log.append([following])) == [len(events) + 1]


def test_a_provider_is_loaded_from_a_snapshot_after_pruning(
    archived: Archive, filled: OpenLedger
) -> None:
    archived.create(None, PER_FILE, quiet)
    archived.prune(quiet)
    for file in archived.folder.glob("*.parquet"):
        file.unlink()
    log = EventLog(filled.database)
    providers = {row.originator_id for row in stored(filled) if row[1].startswith("provider:")}
    assert providers
    assert all(log.load(stream).version for stream in providers)


def test_vacuum_leaves_the_positions_of_a_pruned_log_alone(
    tmp_path: Path, events: list[Recorded]
) -> None:
    ledger = OpenLedger(Settings(data=tmp_path))
    ledger.log.append([recorded.event for recorded in events])
    made = Archive(ledger.database)
    made.create(len(events) - 20, PER_FILE, quiet)
    made.prune(quiet)
    with closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection:
        connection.execute("VACUUM")
    assert EventLog(ledger.database).read(0, 10_000) == events
    ledger.close()
