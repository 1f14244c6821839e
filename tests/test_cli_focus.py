"""`tally focus`: files that a checker of FOCUS accepts, and that add up to the statements."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from focus_data_toolkit.io.row_source import read_source_rows
from focus_data_toolkit.model.capabilities import CapabilityProfile
from focus_data_toolkit.model.validator import (
    COND_MULTIPLE_PRICING_CATEGORIES,
    COND_UNIT_PRICING,
    lint_focus_1_4_structure,
)

from scripts.cli.client import ServiceClient, Write
from scripts.cli.failure import Failure
from scripts.cli.focus_columns import COLUMNS
from scripts.cli.focus_files import ParquetWriter
from tests.billed_service import class_price
from tests.charged_service import DAY, charged_service, hold
from tests.cli_processes import Service, tally, told

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """January is charged, and corrected as something came late; for `lab` it is still open. There
    is a hold, a flavor, and a price for a thousand at once."""
    with (
        charged_service(tmp_path_factory.mktemp("focus")) as started,
        ServiceClient(started.url) as client,
    ):
        prices = [
            class_price("VCPU", "0.10", tiers=[{"price": "0"}, {"above": "100", "price": "0.10"}]),
            class_price("VCPU", "12.345678", name="held", amount=1_000, applies_to=["hold"]),
            class_price("VCPU", "1", name="small", per="month", target=SMALL),
        ]
        book = {"currency": "EUR", "prices": prices}
        client.write(Write("PUT", "/v1/price-books/standard", book))
        client.write(Write("PUT", "/v1/flavors/small", {"resources": {"VCPU": 2}}))
        body = {"project_id": "acme", "price_book": "standard"}
        client.write(Write("POST", "/v1/statements/2026-01/close", body))
        hold(client, "late", "acme", 1, day=3)
        corrected = body | {"reason": "late, but true"}
        client.write(Write("POST", "/v1/statements/2026-01/correct", corrected))
        hold(client, "flat", "lab", 3, day=5, components=[{"kind": "flavor", "name": "small"}])
        yield started


SMALL = {"kind": "flavor", "name": "small"}


def exported(service: Service, path: Path, *arguments: str) -> Rows:
    """The file's rows as the checker reads them."""
    kind = path.suffix.removeprefix(".")
    command = ("focus", "2026-01", "--prices", "standard", f"--{kind}", str(path), *arguments)
    answer = tally(*command, "--url", service.url)
    assert answer.returncode == 0, answer.stderr
    return read_source_rows(path, dataset="Cost and Usage")


def faults(rows: Rows) -> list[str]:
    """What a checker of FOCUS finds that knows all that Tallystick can tell."""
    able = CapabilityProfile.of(COND_UNIT_PRICING, COND_MULTIPLE_PRICING_CATEGORIES)
    return lint_focus_1_4_structure("Cost and Usage", rows, profile=able).messages()


@pytest.mark.parametrize("name", ["costs.csv", "costs.parquet"])
def test_the_file_is_accepted_and_adds_up_to_the_statements(
    service: Service, tmp_path: Path, name: str
) -> None:
    rows = exported(service, tmp_path / name)
    assert faults(rows) == []
    with ServiceClient(service.url) as client:
        for project in ("acme", "lab"):
            statement = client.get(
                "/v1/statements/2026-01", project_id=project, price_book="standard"
            )
            billed = [
                Decimal(row["BilledCost"]) for row in rows if row["BillingAccountId"] == project
            ]
            assert sum(billed) == Decimal(statement["total"]) > 0


def test_a_file_that_is_not_as_focus_wants_it_is_not_accepted(
    service: Service, tmp_path: Path
) -> None:
    (row, *_) = exported(service, tmp_path / "costs.csv")
    for wrong in (
        {"ListCost": "1.00"},
        {"BillingCurrency": "Taler"},
        {"ServiceCategory": "Storage"},
        {"ChargePeriodStart": "2026-01-01"},
        {"PricingUnit": ""},
    ):
        assert len(faults([row | wrong])) == 1, wrong


def test_a_correction_credits_each_line_and_charges_anew(service: Service, tmp_path: Path) -> None:
    rows = [
        row
        for row in exported(service, tmp_path / "costs.csv", "--project", "acme", "--closed")
        if Decimal(row["BilledCost"])
    ]
    told_of = [
        (row["ChargeClass"], row["x_ChargeKey"].rpartition("2026-01/")[2], row["BilledCost"])
        for row in rows
    ]
    assert told_of == [
        ("", "1/2", "14.00"),
        ("Correction", "2/credit/2", "-14.00"),
        ("Correction", "2/2", "14.00"),
        ("Correction", "2/3", "2.40"),
    ]
    charged, credited, *_ = rows
    assert credited["x_CreditOf"] == charged["x_ChargeKey"]
    assert Decimal(credited["PricingQuantity"]) == -Decimal(charged["PricingQuantity"])
    assert "credited, late, but true" in credited["ChargeDescription"]
    assert charged["x_StatementDigest"] != rows[-1]["x_StatementDigest"]


def test_what_the_ledger_cannot_know_is_told_by_options(service: Service, tmp_path: Path) -> None:
    rows = exported(
        service,
        tmp_path / "costs.csv",
        *("--provider-name", "Example Cloud", "--category", "VCPU=Other"),
    )
    assert faults(rows) == []
    assert {row["InvoiceIssuerName"] for row in rows} == {"Example Cloud"}
    assert {(row["ServiceName"], row["ServiceCategory"]) for row in rows} == {
        ("VCPU", "Other"),
        ("flavor small", "Compute"),
    }


def test_holds_are_reserved_capacity_and_units_of_prices_are_named(
    service: Service, tmp_path: Path
) -> None:
    with ServiceClient(service.url) as client:
        kept = {
            "consumer": {"id": "kept"},
            "project_id": "zoo",
            "user_id": "ada",
            "components": [{"kind": "amounts", "resources": {"VCPU": 7}}],
            "hold_until": DAY.format(9),
        }
        client.write(Write("POST", "/v1/requests", kept, at=DAY.format(8)))
    (row,) = exported(service, tmp_path / "costs.csv", "--project", "zoo")
    assert faults([row]) == []
    assert (row["CapacityReservationId"], row["CapacityReservationStatus"]) == ("kept", "Unused")
    assert (row["PricingUnit"], row["ConsumedUnit"]) == ("1000 VCPU-Hours", "VCPU-Hours")
    quantities = [Decimal(row[name]) for name in ("PricingQuantity", "ConsumedQuantity")]
    assert quantities == [Decimal("0.168"), 168]
    assert (row["BilledCost"], Decimal(row["ListCost"])) == ("2.07", Decimal("2.074073904"))


def test_what_cannot_be_exported_is_explained_and_leaves_no_file(
    service: Service, tmp_path: Path
) -> None:
    file = str(tmp_path / "costs.csv")
    known = ("2026-01", "--prices", "standard")
    for arguments, said in (
        (known, "name a file with --csv or --parquet"),
        (("2026-01", "--prices", "nobody", "--csv", file), "`tally prices list` tells"),
        (("2026-1", "--prices", "standard", "--csv", file), "A period is a year"),
        ((*known, "--csv", file, "--category", "VCPU=Cars"), "names none of FOCUS's categories"),
        ((*known, "--csv", str(tmp_path / "no" / "x.csv")), "cannot be written"),
        ((*known, "--csv", file, "--parquet", f"{tmp_path}/./costs.csv"), "name the same file"),
    ):
        answer = tally("focus", *arguments, "--url", service.url)
        assert answer.returncode != 0
        assert said in answer.stderr, answer.stderr
        assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_export_of_nothing_has_a_head_and_says_so(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "costs.csv"
    command = ("focus", "2025-01", "--prices", "standard", "--csv", str(file))
    assert "have no rows" in tally(*command, "--url", service.url).stdout
    with file.open(newline="") as text:
        assert list(csv.DictReader(text)) == []
    whole = told(tally(*command, "--json", "--url", service.url))
    assert (whole["focus_version"], whole["rows"], whole["billed"]) == ("1.4", 0, [])


def test_a_cost_too_great_for_parquet_is_refused_with_the_way_out() -> None:
    writer = ParquetWriter(BytesIO())
    writer.write(dict.fromkeys(COLUMNS) | {"ListCost": "1" + "0" * 17})
    with pytest.raises(Failure, match="more than 38 digits"):
        writer.close()
