"""`tally usage` and `tally utilization` against the real service, and on the demo cloud."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from scripts.cli.application import app
from scripts.cli.client import ServiceClient
from scripts.cli.failure import Failure
from scripts.cli.span import span_of
from tests.cli_processes import Service, serving, tally, told
from tests.databases import sqlite_database
from tests.drawn import drawings
from tests.test_cli_bills import fill_january

Written = tuple[str | None, str | None, str | None, str | None]
CLOCK = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def january(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A host in January, who held some of it, and the example's prices as `standard`."""
    database = sqlite_database(tmp_path_factory.mktemp("usage"))
    with serving(database, "--empty") as started, ServiceClient(started.url) as client:
        fill_january(client)
        yield started


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(sqlite_database(tmp_path_factory.mktemp("demo"))) as started:
        started.wait_for_line("The demo cloud is loaded")
        yield started


def test_use_is_shown_by_class_with_claims_and_holds_apart(january: Service) -> None:
    shown = tally("usage", "2026-01", "--url", january.url).stdout
    assert "time        2026-01-01 00:00:00 to 2026-02-01 00:00:00 UTC, by day" in shown
    assert re.search(r"VCPU +│ +960.00 │ +96.00 │ █{10} ▅▅ +│", shown)
    assert re.search(r"DISK_GB +│ +19,200.00 │ +0.00 │", shown)
    by_project = tally("usage", "2026-01-01", "--by", "project", "--url", january.url).stdout
    assert "by hour" in by_project
    assert re.search(r"acme & .*│ VCPU +│ +96.00 │", by_project)


def test_costs_are_those_of_the_bill_in_whatever_steps(january: Service) -> None:
    costs = ("usage", "2026-01", "--prices", "standard", "--json", "--url", january.url)
    answer = told(tally(*costs))
    (project,) = answer["items"]
    assert (project["total"], answer["currency"]) == ("35.91", "EUR")
    amounts = [Decimal(one) for series in project["costs"] for one in series["amounts"]]
    assert sum(amounts) == Decimal("35.91")
    shown = tally(*(part for part in costs if part != "--json"), "--by", "price").stdout
    assert "total       35.91 EUR" in shown
    assert re.search(r"VCPU hour +│ +19.20 │", shown)


def test_the_page_has_charts_that_can_be_read_and_needs_nothing_from_elsewhere(
    january: Service, tmp_path: Path
) -> None:
    file = tmp_path / "usage.html"
    answer = tally(
        *("usage", "2026-01", "--prices", "standard", "--html", str(file), "--url", january.url)
    )
    assert answer.returncode == 0, answer.stderr
    page = file.read_text()
    found = {one.title for one in drawings(page)}
    assert {"Costs by project", "Costs by resource", "VCPU by project"} < found
    for one in drawings(page):
        one.check()
    assert "35.91 EUR" in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"<script|src=|href=|url\(", page)


def test_the_demo_cloud_shows_its_flavors_and_what_is_stranded_there(
    demo: Service, tmp_path: Path
) -> None:
    flavors = tally("usage", "--by", "flavor", "--url", demo.url).stdout
    assert {"gpu-half", "large", "metal-large"} <= set(flavors.split())
    file = tmp_path / "utilization.html"
    shown = tally("utilization", "--html", str(file), "--url", demo.url).stdout
    assert "providers  11 in 9 trees" in shown
    assert re.search(r"PGPU +│ +6,000 │ +3,000 │ █{8}░{8} +50% │ +0 │ +0% +│ 3/0/3", shown)
    # Three of the four GPUs are gone, so three quarters of the rest cannot be sold with one.
    assert re.search(r"gpu-b2 +│ DISK_GB +│ +4,000 │ +480 │ .* │ +2,520 │", shown)
    for one in drawings(file.read_text()):
        one.check()
    for_flavor = told(tally("utilization", "--flavor", "gpu-half", "--json", "--url", demo.url))
    room = {one["provider_name"]: one["room"] for one in for_flavor["items"]}
    assert (room["gpu-b2"], room["gpu-b3"], room["host-a1"]) == (2, 4, None)


def test_utilization_is_told_in_total_of_a_class_and_over_time(demo: Service) -> None:
    month = f"{datetime.now(UTC):%Y-%m}"
    asked = ("utilization", month, "--by", "total", "--class", "VCPU", "--url", demo.url)
    answer = told(tally(*asked, "--json"))
    (line,) = answer["classes"]
    assert (line["resource_class"], answer["step"], answer["trees"]) == ("VCPU", "day", 9)
    assert 0 < line["course"]["mean"] <= line["course"]["peak"] < 1
    assert re.search(r"VCPU .* █ *│", tally(*asked).stdout)
    alone = told(tally("utilization", "--by", "provider", "--json", "--url", demo.url))["items"]
    assert [one["providers"] for one in alone] == [1] * 11


def test_what_cannot_be_told_is_explained(demo: Service, tmp_path: Path) -> None:
    for arguments, code, said in (
        (["usage", "2026-13"], 1, "A period is a year, a month or a day"),
        (["usage", "2999"], 1, "the period has to begin before the service's clock"),
        (["usage", "--from", "1970-01-01", "--step", "hour"], 1, "Take a greater --step"),
        (["usage", "--prices", "nobody"], 1, "`tally prices list` tells which there are"),
        (["usage", "--by", "price"], 2, "name a price book with --prices"),
        (["usage", "--by", "colour"], 2, "'colour' is not one of"),
        (["usage", "--prices", "standard", "--by", "flavor"], 2, "--by class tells flavors"),
        (["usage", "--html", str(tmp_path / "no" / "x")], 1, "cannot be written: No such file"),
        (["utilization", "--flavor", "none"], 1, "there is no flavor none"),
        (["utilization", "--step", "day"], 2, "needs a PERIOD or --from"),
        (["utilization", "--by", "class"], 2, "'class' is not one of tree, provider, total"),
    ):
        answer = CliRunner().invoke(app, [*arguments, "--url", demo.url])
        assert answer.exit_code == code, answer.output
        assert said in re.sub(r"[│\s]+", " ", answer.stderr), arguments
    assert not list(tmp_path.iterdir())


# --- The time that is meant -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "start", "until", "step"),
    [
        ((None, None, None, None), "2026-11-01T00:00:00Z", None, "day"),
        (("2026", None, None, None), "2026-01-01T00:00:00Z", None, "month"),
        (("2026-01", None, None, None), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "day"),
        (("2026-11-25", None, None, None), "2026-11-25T00:00:00Z", None, "hour"),
        ((None, "2026-11-01T00:00:00Z", None, "month"), "2026-11-01T00:00:00Z", None, "month"),
        (
            (None, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", None),
            *("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "month"),
        ),
    ],
)
def test_a_period_that_is_not_over_is_told_up_to_the_services_own_now(
    written: Written, start: str, until: str | None, step: str
) -> None:
    span = span_of(*written, CLOCK)
    assert (span.start, span.until, span.step) == (start, until, step)


def test_a_period_is_written_in_one_way_only() -> None:
    new_year = "2026-01-01T00:00:00Z"
    for period, start, until in (("2026", new_year, None), (None, None, new_year)):
        with pytest.raises(typer.BadParameter, match="either a PERIOD, or --from"):
            span_of(period, start, until, None, CLOCK)
    with pytest.raises(typer.BadParameter, match="hour, day or month"):
        span_of(None, None, None, "week", CLOCK)
    with pytest.raises(Failure, match="no period"):
        span_of("2026-1", None, None, None, CLOCK + timedelta(days=1))


def test_requests_are_explained_and_what_is_stranded_is_told(demo: Service) -> None:
    with ServiceClient(demo.url) as client:
        requests = {one["consumer"]["id"]: one for one in client.pages("/v1/requests")}
    placed = tally("explain", requests["infer-1"]["id"], "--url", demo.url).stdout
    assert "It was placed in the tree of" in placed
    assert re.search(r"chosen", placed)
    refused = tally(
        "explain", requests["train-2"]["id"], "--providers", "3", "--url", demo.url
    ).stdout
    assert "It was refused: none of 9 trees" in refused
    assert re.search(r"With \d such PGPU units instead of 8 it would have fitted on", refused)
    assert "have no 8 such PGPU units" in refused
    unknown = tally("explain", "00000000-0000-4000-8000-000000000000", "--url", demo.url)
    assert (unknown.returncode, "there is no request" in unknown.stderr) == (1, True)
    trees = tally("stranding", "--url", demo.url).stdout
    assert re.search(r"class  \w+, the scarcest", trees)
    totals = told(tally("stranding", "--by", "total", "--json", "--url", demo.url))
    assert len(totals["stranded"]) == 1
    assert re.search(r"free", tally("stranding", "--by", "total", "--url", demo.url).stdout)
