"""What was charged is held to the log: what agrees, and each way in which something may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.archive import Archive
from infra.audit import replay
from infra.audit.checking import Verdict
from infra.audit.log_source import ArchiveSource, LogIncomplete
from infra.audit.replay import Line
from infra.settings import Settings
from tests.audited import lines_of
from tests.charged_log import ChargedLog, audited
from tests.open_archive import quiet
from tests.open_ledger import OpenLedger
from tests.rated import book, price

AGREES, DIFFERS, NOT_CHECKABLE = Verdict.AGREES, Verdict.DIFFERS, Verdict.NOT_CHECKABLE


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[OpenLedger]:
    """Where it makes no difference which database the log is in."""
    opened = OpenLedger(Settings(data=tmp_path / "data"))
    yield opened
    opened.close()


def verdicts(*arguments: Any) -> list[Verdict]:
    return [one.verdict for one in audited(*arguments).checked]


def test_charges_and_corrections_agree_each_as_of_its_own_position(ledger: OpenLedger) -> None:
    log = ChargedLog(ledger)
    before = ledger.log.head()
    log.release("db", after_hours=10)
    first = log.charge("acme", position=before)
    log.charge("zoo")
    log.charge("acme", "2026-02")
    second = log.charge("acme", credit=f"-{first['total']}")
    assert first["total"] != second["total"]
    report = audited(ledger)
    assert report.ok
    assert [one.stated.recorded.number for one in report.checked if one.stated.recorded] == [
        *(1, 1, 2)
    ]
    assert verdicts(ledger, "2026-02") == [AGREES]
    assert verdicts(ledger, "2026") == [AGREES] * 4
    assert verdicts(ledger, "2026-01-31") == []


@pytest.mark.parametrize(
    ("tampered", "reason"),
    [
        ({"total": "305.71"}, "total: 305.71, by the log 298.62"),
        ({"lines": 1}, "lines: 1, by the log 3"),
        ({"digest": "0" * 64}, f"digest: {'0' * 64}, by the log "),
        ({"currency": "USD"}, "currency: USD, by the log EUR"),
    ],
)
def test_a_charge_that_was_tampered_with_is_found_with_its_event(
    sqlite: OpenLedger, tampered: dict[str, Any], reason: str
) -> None:
    log = ChargedLog(sqlite)
    log.charge("zoo")
    log.charge("acme", **tampered)
    report = audited(sqlite)
    assert [one.verdict for one in report.checked] == [AGREES, DIFFERS]
    (found,) = report.checked[1].reasons
    assert found.startswith(reason)
    (event,) = report.differences[1].events
    assert (event.position, event.topic) == (sqlite.log.head(), "statement.closed")
    assert report.differences[1].stated is None


def test_a_credit_that_is_not_what_was_charged_before_is_found(sqlite: OpenLedger) -> None:
    log = ChargedLog(sqlite)
    total = log.charge("acme")["total"]
    log.charge("acme", credit="-1.00")
    log.charge("zoo", credit="-1.00")
    report = audited(sqlite)
    assert [one.reasons for one in report.checked] == [
        (),
        (f"credit: -1.00, but {total} was charged before",),
        ("credit: -1.00, but nothing was charged before",),
    ]


def test_a_charge_that_rests_on_what_came_after_it_is_found(sqlite: OpenLedger) -> None:
    log = ChargedLog(sqlite)
    head = sqlite.log.head()
    log.charge("acme", position=head + 1)
    (one,) = audited(sqlite).checked
    assert one.reasons == (f"position: {head + 1}, but it was charged at {head + 1}",)


def test_a_charge_by_other_rules_or_without_its_price_book_is_no_agreement(
    sqlite: OpenLedger,
) -> None:
    log = ChargedLog(sqlite)
    log.charge("acme", rating=2)
    log.charge("zoo")
    log.charge("acme", price_book_number=7)
    report = audited(sqlite)
    assert [one.verdict for one in report.checked] == [NOT_CHECKABLE, AGREES, NOT_CHECKABLE]
    assert not report.ok
    assert [one.reasons[0] for one in report.checked if one.reasons] == [
        "the audit knows rating rules 1, and it was made by others",
        "the log has no publication 7 of the price book standard",
    ]


def test_the_lines_that_a_service_tells_otherwise_are_shown_with_their_claims(
    sqlite: OpenLedger,
) -> None:
    log = ChargedLog(sqlite)
    log.charge("acme", total="1.00")

    def told(_: object) -> list[Line]:
        bill = log.bill("acme", "2026-01", sqlite.log.head())
        lines = [Line(*line) for line in lines_of(bill)]
        return [*lines[:-1], lines[-1]._replace(amount_held=3, amount="7.00")]

    difference = audited(sqlite, "2026-01", told).differences[0]
    assert difference.stated is not None
    ((one,), (other,)) = difference.stated, difference.by_the_log
    assert (one.amount_held, other.amount_held) == (3, 4)
    assert [(event.topic, event.stream) for event in difference.events] == [
        ("claim.granted", "claim:db"),
        ("statement.closed", "statement:standard/acme"),
    ]
    assert difference.events[0].says == f"acme, 4 VCPU on {log.host}"


def test_what_has_no_price_is_named(sqlite: OpenLedger) -> None:
    log = ChargedLog(sqlite)
    log.publish(book(price(at="0.10")))
    log.charge("zoo", price_book_number=2)
    wrong: dict[str, Any] = {
        "price_book_number": 2,
        "position": sqlite.log.head(),
        "total": "1.00",
        "lines": 1,
        "digest": "0" * 64,
        "rating": 1,
        "currency": "EUR",
    }
    log.charge("acme", **wrong)
    report = audited(sqlite)
    assert [one.verdict for one in report.checked] == [AGREES, DIFFERS]
    (reason,) = report.checked[1].reasons
    assert reason.startswith("there is no price for MEMORY_MB of the claim that began at position ")
    assert reason.endswith(", at 2026-01-01T01:00:00.000000Z")


def test_numbers_beyond_the_exact_arithmetic_are_an_error_and_never_rounded(
    sqlite: OpenLedger,
) -> None:
    log = ChargedLog(sqlite)
    smallest = {"at": "0.000000000001", "per": "month"}
    log.publish(
        book(
            price(amount=2_147_483_647, **smallest),
            price("MEMORY_MB", amount=2_147_483_629, **smallest),
        )
    )
    log.charge("acme", price_book_number=2)
    (one,) = audited(sqlite).checked
    assert one.verdict is NOT_CHECKABLE
    assert "too large for the audit's exact arithmetic (128 bits)" in one.reasons[0]


def test_an_archive_of_the_log_is_as_good_as_its_database(
    sqlite: OpenLedger, tmp_path: Path
) -> None:
    log = ChargedLog(sqlite)
    log.charge("acme")
    archive = Archive(sqlite.database)
    archive.create(None, 7, quiet)
    assert audited(archive.folder) == audited(sqlite)
    assert audited(archive.folder).ok
    sorted(archive.folder.glob("*.parquet"))[1].unlink()
    with pytest.raises(LogIncomplete, match="and not all from 1 on"):
        ArchiveSource.of(archive.folder)
    with pytest.raises(LogIncomplete, match="no Parquet files"):
        ArchiveSource.of(tmp_path)


def test_bills_are_the_same_however_few_are_worked_out_at_a_time(
    sqlite: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = ChargedLog(sqlite)
    for project_id in ("acme", "zoo", "nobody"):
        log.charge(project_id)
    whole = audited(sqlite)
    monkeypatch.setattr(replay, "INTERVALS_AT_ONCE", 1)
    assert audited(sqlite) == whole
    assert whole.ok
