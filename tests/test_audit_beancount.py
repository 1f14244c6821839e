"""The ledger for Beancount: its checker accepts what was charged, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Balance, Open, Transaction

from domain.period import period_of
from infra.audit.beancount_ledger import ledger_of
from infra.audit.kept_lines import KeptLines
from infra.audit.log_source import DatabaseSource
from infra.audit.replay import open_replay
from infra.audit.report import audit
from infra.audit.stated import recorded_charges
from infra.settings import Settings
from tests.charged_log import ChargedLog, told_nothing
from tests.open_ledger import OpenLedger

HOSTILE = 'Größe-/ "x"\\n; 100 %'
"""A project's name may be almost anything; an account's may not."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[OpenLedger]:
    opened = OpenLedger(Settings(data=tmp_path / "data"))
    yield opened
    opened.close()


def exported(ledger: OpenLedger) -> str:
    with open_replay() as replay:
        replay.load(DatabaseSource(ledger.log), lambda done, of: None)
        kept = KeptLines(replay)
        stated = recorded_charges(replay, period_of("2026"))
        report = audit(replay, stated, told_nothing, lambda done, of: None, kept)
        return "".join(ledger_of(report.checked, kept))


def errors_in(text: str, tmp_path: Path) -> list[str]:
    """As `bean-check` finds them."""
    file = tmp_path / "charged.beancount"
    file.write_text(text, encoding="utf-8")
    return [error.message for error in loader.load_file(str(file))[1]]


def test_the_checker_accepts_charges_corrections_and_names_of_any_kind(
    ledger: OpenLedger, tmp_path: Path
) -> None:
    log = ChargedLog(ledger)
    log.claim(HOSTILE, "odd", 3, after_hours=9)
    log.claim("acme-x", "one", 3, after_hours=9)
    before = ledger.log.head()
    log.release("db", after_hours=10)
    first = log.charge("acme", position=before)
    log.charge("acme", credit=f"-{first['total']}")
    for project_id in ("zoo", HOSTILE, "acme-x", "nobody"):
        log.charge(project_id)
    log.charge("zoo", "2026-02")
    text = exported(ledger)
    assert errors_in(text, tmp_path) == []
    entries, _, _ = loader.load_string(text)
    projects = {entry.meta.get("project") for entry in entries if isinstance(entry, Open)}
    assert projects == {None, "acme", "zoo", HOSTILE, "acme-x", "nobody"}
    lines = [entry for entry in entries if isinstance(entry, Transaction) and entry.payee == "zoo"]
    assert [(one.meta["consumer"], one.meta["position"]) for one in lines[:1]] == [
        ("web-of-zoo", lines[1].meta["position"])
    ]
    # Each charge by itself, and each statement after all of its charges.
    assert sum(isinstance(entry, Balance) for entry in entries) == 7 + 6


@pytest.mark.parametrize("total", ["305.71", "298.63"])
def test_the_checker_refuses_a_charge_that_the_lines_do_not_add_up_to(
    ledger: OpenLedger, tmp_path: Path, total: str
) -> None:
    log = ChargedLog(ledger)
    assert log.charge("acme")["total"] == "298.62"
    text = exported(ledger)
    assert errors_in(text, tmp_path) == []
    wrong = errors_in(text.replace("298.62", total), tmp_path)
    assert len(wrong) == 2
    assert all("Balance failed" in one for one in wrong)


def test_the_checker_refuses_a_changed_line_and_a_wrong_credit(
    ledger: OpenLedger, tmp_path: Path
) -> None:
    log = ChargedLog(ledger)
    log.charge("acme", credit="-1.00")
    text = exported(ledger)
    assert any("Balance failed" in one for one in errors_in(text, tmp_path))
    assert "298.62 ~ 0 EUR" in text
    assert any(
        "does not balance" in one
        for one in errors_in(text.replace("  -297.20 EUR", "  -297.21 EUR"), tmp_path)
    )
