"""`tally statements` against the real service: charging, correcting and comparing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.cli.client import ServiceClient
from tests.charged_service import charged_service, hold
from tests.cli_processes import Service, tally, told


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with charged_service(tmp_path) as started:
        yield started


def statements(service: Service, *arguments: str) -> tuple[str, ...]:
    return ("statements", *arguments, "--url", service.url)


def test_a_period_is_closed_corrected_and_told_as_it_was_charged(service: Service) -> None:
    def run(*arguments: str) -> str:
        answer = tally(*statements(service, *arguments))
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    january = ("2026-01", "--prices", "standard")
    assert "No such statement is closed" in run("list")
    assert "2 statements are closed: 72.00 EUR." in run("close", *january)
    assert "There was nothing to be closed." in run("close", *january)
    assert "All closed statements are as the log tells them" in run(
        "correct", *january, "--dry-run"
    )
    with ServiceClient(service.url) as client:
        hold(client, "late", "acme", 1, day=3)
    found = told(tally(*statements(service, "correct", *january, "--dry-run", "--json")))
    assert [(one["project_id"], one["difference"]) for one in found["differences"]] == [
        ("acme", "2.40")
    ]
    assert found["corrected"] == []
    assert "1 statements are corrected: 26.40 EUR." in run(
        "correct", *january, "--reason", "late news"
    )
    listed = told(tally(*statements(service, "list", "--json")))["items"]
    assert [(one["project_id"], one["number"], one["credit"]) for one in listed] == [
        ("acme", 2, "-24.00"),
        ("lab", 1, None),
    ]
    url = ("--url", service.url)
    shown = tally("bill", "acme", *january, *url).stdout
    assert "2026-01, corrected on " in shown
    assert "late news" in shown
    explained = run("explain", "acme", "2026-01", "2", "--prices", "standard")
    assert re.search(r"\n│ +2 │ late +│", explained)
    assert "late gave back 1 VCPU on host" in explained
    first = told(tally("bill", "acme", *january, "--charge", "1", "--json", *url))
    assert (first["statement"]["total"], len(first["lines"])) == ("24.00", 1)


def test_two_price_books_are_compared_on_the_screen_and_on_a_page(
    service: Service, tmp_path: Path
) -> None:
    page = tmp_path / "comparison.html"
    compared = statements(service, "compare", "2026-01", "--prices", "standard", "--with", "dear")
    shown = tally(*compared, "--html", str(page))
    assert shown.returncode == 0, shown.stderr
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.stdout.splitlines()]
    assert ["lab", "48.00", "72.00", "+24.00", "+50.0%"] in rows
    assert ["all projects", "72.00", "108.00", "+36.00", "+50.0%"] in rows
    text = page.read_text()
    assert "<svg" in text
    assert "+36.00 EUR" in text
    whole = told(tally(*compared, "--json"))
    assert [one["difference"] for one in whole["items"]] == ["12.00", "24.00"]


def test_what_cannot_be_charged_is_explained(service: Service) -> None:
    for arguments, said in (
        (("close", "2999", "--prices", "standard"), "later than the ledger's clock"),
        (("close", "2026-01", "--prices", "nobody"), "`tally prices list` tells which"),
        (("correct", "2026-01", "--prices", "standard"), "say why with --reason"),
        (("compare", "2026-1", "--prices", "dear", "--with", "dear"), "A period is a year"),
    ):
        answer = tally(*statements(service, *arguments))
        assert answer.returncode != 0
        assert said in answer.stderr, answer.stderr
        assert "Traceback" not in answer.stderr
