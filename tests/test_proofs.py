"""Tampering with the log behind the ledger's back: whatever it is, its first position is named."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, update

from infra.sealed_tables import CHECKPOINTS, TILES
from infra.sealer import PLACE, SealBroken, Sealer
from infra.signing import BadKey, SigningKey, read_public_key, signing_key
from tests.databases import ScratchDatabase
from tests.open_archive import archive_most, execute, quiet
from tests.open_ledger import OpenLedger, settings_from
from tests.sealed_log import (
    BAD,
    SEALED,
    TAMPERINGS,
    SealedLog,
    change_state,
    cut_off,
    remove_and_close_the_gap,
    write,
)

GOOD = BAD // SEALED * SEALED
"""The size of the last checkpoint before the position that is tampered with."""


class Interrupted(BaseException):
    """As if the process ended here."""


@pytest.fixture(autouse=True)
def small_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.sealer.MOST_EVENTS", SEALED)


@pytest.fixture
def log(ledger: OpenLedger, database: ScratchDatabase) -> SealedLog:
    return SealedLog(ledger, database)


@pytest.fixture
def stranger() -> SigningKey:
    return SigningKey(Ed25519PrivateKey.generate())


def test_a_log_that_nobody_touched_is_what_was_sealed(log: SealedLog) -> None:
    key = signing_key(log.settings.signing_key_file)
    report = log.verify(pinned=[key.public], kept=[one.note for one in log.checkpoints()])
    assert report.ok, report.problems
    assert (report.events, report.sealed) == (log.head, log.head)
    assert report.checkpoints == -(-log.head // SEALED) > 2
    log.ledger.host("later")
    assert log.verify().ok, "what is not sealed yet is no problem"


# --- Events are changed ---------------------------------------------------------------------------


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_tampering_is_found_at_its_position(
    log: SealedLog, tamper: Callable[[OpenLedger], None]
) -> None:
    tamper(log.ledger)
    assert log.first_bad()[1] == BAD


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_with_the_hashes_forged_too_it_is_found_after_the_last_good_checkpoint(
    log: SealedLog, tamper: Callable[[OpenLedger], None]
) -> None:
    tamper(log.ledger)
    try:
        log.hash_anew()
    except Exception:  # noqa: BLE001 - what breaks a stream cannot even be hashed
        assert log.first_bad()[1] >= BAD
        return
    assert log.first_bad()[1] in (GOOD + 1, BAD)


def test_forged_hashes_leave_the_range_between_two_checkpoints(log: SealedLog) -> None:
    change_state(log.ledger)
    log.hash_anew()
    problem = log.verify().problems[0]
    assert (problem.code, problem.position) == ("root_differs", GOOD + 1)
    assert f"{GOOD + 1} to {GOOD + SEALED}" in problem.detail


def test_hashes_forged_on_one_level_alone_blame_no_single_event(log: SealedLog) -> None:
    with log.ledger.database.durable.connect() as connection:
        above = connection.execute(TILES.select().where(TILES.c.level == 1)).one()
    change_state(log.ledger)
    log.hash_anew()
    with log.ledger.database.durable.begin() as connection:
        where = (TILES.c.level == 1) & (TILES.c.number == 0)
        connection.execute(update(TILES).where(where).values(hashes=above.hashes))
    assert log.first_bad() == ("root_differs", GOOD + 1)


def test_checkpoints_signed_with_another_key_are_not_trusted(
    log: SealedLog, stranger: SigningKey
) -> None:
    ours = signing_key(log.settings.signing_key_file).public
    first, *_, kept = (one.note for one in log.checkpoints())
    change_state(log.ledger)
    log.sign_anew(log.hash_anew(), stranger, after=GOOD)
    assert log.verify().ok, "who trusts any key cannot know"
    assert len(log.verify().keys) == 2, "but sees that there are two"
    assert log.first_bad(pinned=[ours]) == ("other_key", GOOD + 1)
    assert log.first_bad(kept=[first, kept]) == ("fork", SEALED + 1)


def test_a_forged_signature_is_found(log: SealedLog) -> None:
    change_state(log.ledger)
    tiles = log.hash_anew()
    old = log.checkpoints()
    key = SigningKey(Ed25519PrivateKey.generate())
    log.sign_anew(tiles, key, after=GOOD)
    for forged, before in zip(log.checkpoints(), old, strict=True):
        if forged.size > GOOD:
            signature = before.note.rpartition("\n\n")[2]
            text = forged.note.rpartition("\n\n")[0]
            log.replace(replace(before, root=forged.root, note=f"{text}\n\n{signature}"))
    assert log.first_bad() == ("bad_signature", GOOD + 1)


def test_a_checkpoint_that_says_another_root_than_it_signed_is_found(log: SealedLog) -> None:
    one = log.checkpoints()[1]
    log.replace(replace(one, root=bytes(32)))
    assert log.first_bad() == ("bad_checkpoint", SEALED + 1)
    log.replace(replace(one, note="no note"))
    assert log.first_bad() == ("bad_checkpoint", SEALED + 1)


def test_kept_hashes_that_are_missing_are_found(log: SealedLog) -> None:
    with log.ledger.database.durable.begin() as connection:
        connection.execute(delete(TILES).where(TILES.c.level == 0, TILES.c.number == 1))
    assert log.first_bad() == ("hash_differs", 257)


def test_a_kept_checkpoint_may_know_more_than_the_ledgers_own(log: SealedLog) -> None:
    kept = log.checkpoints()[-1].note
    log.forget_after(GOOD)
    assert log.verify(kept=[kept]).ok


@pytest.mark.parametrize(("level", "position"), [(0, 257), (1, 1)])
def test_kept_hashes_that_were_changed_are_found_and_the_log_is_not_blamed(
    log: SealedLog, level: int, position: int
) -> None:
    with log.ledger.database.durable.begin() as connection:
        where = (TILES.c.level == level) & (TILES.c.number == 1 - level)
        connection.execute(update(TILES).where(where).values(hashes=bytes(32)))
    assert log.first_bad() == ("hash_differs", position)


def test_a_kept_checkpoint_that_is_none_or_that_nobody_signed_is_told(
    log: SealedLog, stranger: SigningKey
) -> None:
    assert log.first_bad(kept=["no note"]) == ("bad_checkpoint", 0)
    forged = stranger.sign_checkpoint("/tallystick", SEALED, log.checkpoints()[0].root)
    assert log.first_bad(kept=[forged]) == ("bad_signature", 0)


# --- Events are gone ------------------------------------------------------------------------------


def test_a_log_cut_off_is_found_by_its_checkpoints(log: SealedLog) -> None:
    cut_off(log.ledger, BAD - 1)
    assert log.first_bad() == ("event_missing", BAD)
    with pytest.raises(SealBroken, match=f"ends at {BAD - 1}"):
        log.sealer().seal()


def test_a_log_cut_off_with_its_checkpoints_is_found_by_one_that_was_kept(log: SealedLog) -> None:
    kept = log.checkpoints()[-1].note
    cut_off(log.ledger, GOOD)
    log.forget_after(GOOD)
    log.hash_anew()
    assert log.verify().ok, "within the database nothing tells it"
    assert log.first_bad(kept=[kept]) == ("event_missing", GOOD + 1)


def test_a_log_that_grew_otherwise_is_found_by_a_checkpoint_that_was_kept(log: SealedLog) -> None:
    first, kept, *_ = (one.note for one in log.checkpoints())
    remove_and_close_the_gap(log.ledger)
    cut_off(log.ledger, BAD - 1)
    log.forget_after(GOOD)
    log.hash_anew()
    for number in range(100):
        write(log.ledger, BAD + number, f"claim:new-{number}")
    while log.sealer().seal():
        pass
    assert log.verify().ok
    assert log.first_bad(kept=[first, kept]) == ("fork", GOOD + 1)
    assert log.first_bad(kept=[kept]) == ("fork", 1), "what was signed here proves nothing then"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_event_that_the_database_cannot_even_read_is_found(log: SealedLog) -> None:
    broken = "UPDATE stored_events SET topic = CAST(x'ff' AS TEXT) WHERE POSITION = :at"
    execute(log.ledger, broken, at=BAD)
    assert log.first_bad() == ("event_missing", BAD)


def test_a_log_without_any_checkpoint_is_not_proven(log: SealedLog) -> None:
    log.forget_after(0)
    assert log.first_bad() == ("nothing_sealed", 1)


def test_an_event_before_the_first_position_is_found(log: SealedLog) -> None:
    write(log.ledger, -5, "claim:forged")
    assert log.first_bad() == ("event_outside", 0)


# --- Sealing --------------------------------------------------------------------------------------


def test_sealing_goes_on_right_after_a_process_that_ended_in_the_middle(
    log: SealedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = log.checkpoints()

    def end(*_: object) -> None:
        raise Interrupted

    log.forget_after(SEALED)  # The kept hashes go further than the checkpoint.
    with monkeypatch.context() as context:
        context.setattr("infra.sealer.add_checkpoint", end)
        with pytest.raises(Interrupted):
            log.sealer().seal()
    assert [one.size for one in log.checkpoints()] == [SEALED]
    while log.sealer().seal():
        pass
    assert [(one.size, one.root) for one in log.checkpoints()] == [
        (one.size, one.root) for one in expected
    ]
    assert log.verify().ok


def test_nothing_is_written_by_a_sealing_that_is_interrupted(
    ledger: OpenLedger, database: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> None:
        raise Interrupted

    ledger.host("host")
    sealer = Sealer(settings_from(database.settings_environment), ledger.database, ledger.log)
    with monkeypatch.context() as context:
        context.setattr("infra.sealer.add_checkpoint", end)
        with pytest.raises(Interrupted):
            sealer.seal()
    with ledger.database.durable.connect() as connection:
        assert not connection.execute(TILES.select()).all()
    assert sealer.seal() == ledger.log.head()


def test_a_sealer_that_goes_on_and_one_that_begins_anew_come_to_the_same(
    log: SealedLog,
) -> None:
    expected = [one.root for one in log.checkpoints()]
    with log.ledger.database.durable.begin() as connection:
        connection.execute(delete(TILES))
        connection.execute(delete(CHECKPOINTS))
    one = log.sealer()
    while one.seal(page=7):
        pass
    assert [one.root for one in log.checkpoints()] == expected


def test_what_was_pruned_is_sealed_and_verified_from_its_files(log: SealedLog) -> None:
    expected = [one.root for one in log.checkpoints()]
    log.forget_after(SEALED)
    archive_most(log.ledger).prune(quiet)
    while log.sealer().seal():
        pass
    assert [one.root for one in log.checkpoints()] == expected
    assert log.verify().ok

    kept = log.ledger.database.select_range(0, SEALED)[0].position
    change_state(log.ledger, kept)
    assert log.first_bad() == ("event_differs", kept)


def test_nothing_is_signed_on_top_of_hashes_that_were_changed(log: SealedLog) -> None:
    with log.ledger.database.durable.begin() as connection:
        where = (TILES.c.level == 1) & (TILES.c.number == 0)
        connection.execute(update(TILES).where(where).values(hashes=bytes(96)))
    log.ledger.host("later")
    with pytest.raises(SealBroken, match="do not give the root"):
        log.sealer().seal()


def test_one_process_seals_at_a_time(log: SealedLog) -> None:
    log.ledger.host("later")
    with log.ledger.database.own_place(PLACE):
        assert log.sealer().seal() == 0
    assert log.sealer().seal() > 0


# --- Keys -----------------------------------------------------------------------------------------


def test_of_services_that_start_together_one_makes_the_key(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "key.pem"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: signing_key(file).public, range(8)))
    assert len(set(keys)) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["key.pem"]  # noqa: PTH208 - names, not paths


def test_a_file_that_is_no_key_is_told(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("no key")
    with pytest.raises(BadKey, match=r"key\.pem"):
        signing_key(file)
    with pytest.raises(BadKey, match=r"key\.pem"):
        read_public_key(file)
