"""What a bill says: each case a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.allocation import Share
from domain.component import AttributeCondition, Expansion, Units
from domain.errors import Conflict
from domain.held import HeldFlavor, HeldUnit
from domain.price import FlavorTarget, Tier, UnitsTarget
from domain.rating import Bill, rate
from tests.rated import FEBRUARY, HOUR, JANUARY, MARCH, book, held, price


def amounts(bill: Bill) -> list[str]:
    return [str(line.amount) for line in bill.lines]


def quantities(bill: Bill) -> list[tuple[int, str]]:
    assert all(line.quantity.denominator == 1 for line in bill.lines)
    return [(int(line.quantity), str(line.amount)) for line in bill.lines]


def test_an_amount_is_charged_for_as_long_as_it_is_held() -> None:
    bill = rate([held(hours=3)], book(price(at="0.10")), JANUARY, FEBRUARY)
    (line,) = bill.lines
    assert (float(line.quantity), str(line.unit_price)) == (6.0, "0.10")
    assert bill.total == Decimal("0.60")


def test_a_price_may_be_for_many_and_an_end_that_is_open_is_the_periods() -> None:
    gigabyte = price("MEMORY_MB", "0.01", amount=1024)
    shares = {"host": Share(resources={"MEMORY_MB": 4096})}
    bill = rate([held(to_at=None, shares=shares)], book(gigabyte), JANUARY, JANUARY + 10 * HOUR)
    assert quantities(bill) == [(40, "0.40")]


def test_a_new_price_cuts_the_interval() -> None:
    change = datetime(2026, 1, 1, 1, tzinfo=UTC)
    old = price(at="0.10", name="old", valid_until=change)
    new = price(at="0.30", name="new", valid_from=change)
    bill = rate([held(hours=2)], book(old, new), JANUARY, FEBRUARY)
    assert [(line.part.price.name, str(line.amount)) for line in bill.lines] == [
        ("old", "0.20"),
        ("new", "0.60"),
    ]


@pytest.mark.parametrize(
    ("rule", "quantity"), [("calendar", 1), ("730_hours", 744 / 730), ("30_days", 31 / 30)]
)
def test_a_month_is_as_long_as_the_books_rule_says(rule: Any, quantity: float) -> None:
    monthly = price(at="10", per="month", amount=2)
    bill = rate([held(hours=31 * 24)], book(monthly, month_rule=rule), JANUARY, FEBRUARY)
    assert float(bill.lines[0].quantity) == pytest.approx(quantity)


def test_a_calendar_month_costs_the_same_whether_long_or_short() -> None:
    monthly = book(price(at="10", per="month", amount=2))
    bill = rate([held(to_at=None)], monthly, JANUARY, MARCH)
    assert amounts(bill) == ["10.00", "10.00"]


def test_tiers_begin_after_what_is_free_and_anew_each_month() -> None:
    tiers = (Tier(price=Decimal("0.10")), Tier(above=Decimal(10), price=Decimal("0.05")))
    bill = rate(
        [held(hours=20), held(hours=1, begins=31 * 24, position=2)],
        book(price(tiers=tiers, free_quantity=Decimal(4))),
        JANUARY,
        MARCH,
    )
    assert quantities(bill) == [
        (4, "0.00"),
        (10, "1.00"),
        (26, "1.30"),
        (2, "0.00"),
    ]


def test_what_the_month_has_used_before_the_period_counts_for_its_tiers() -> None:
    tiers = (Tier(price=Decimal(1)), Tier(above=Decimal(10), price=Decimal(2)))
    bill = rate([held(hours=6)], book(price(tiers=tiers)), JANUARY + 4 * HOUR, FEBRUARY)
    assert quantities(bill) == [(2, "2.00"), (2, "4.00")]


def test_a_claim_that_ends_early_is_charged_up_to_the_minimum() -> None:
    prices = book(price(at="0.60", minimum_seconds=3_600))
    short = held(hours=0.25)
    assert amounts(rate([short], prices, JANUARY, FEBRUARY)) == ["0.30", "0.90"]
    changed = [held(hours=0.25, ends_claim=False), held(hours=2, begins=0.25, position=2)]
    changed[1] = replace(changed[1], claimed_at=JANUARY)
    assert rate(changed, prices, JANUARY, FEBRUARY).total == Decimal("2.70")


def test_a_minimum_that_reaches_into_the_next_month_is_charged_there() -> None:
    prices = book(price(at="1", minimum_seconds=3_600))
    late = held(hours=0.25, begins=31 * 24 - 0.5)
    assert rate([late], prices, JANUARY, FEBRUARY).total == Decimal("1.00")
    assert rate([late], prices, FEBRUARY, MARCH).total == Decimal("1.00")


def test_holds_have_prices_of_their_own_or_none() -> None:
    claims = price(at="1", name="claims")
    holds = price(at="0.10", name="holds", applies_to=("hold",))
    parts = [held(status="hold", ends_claim=False), held(begins=1, position=2)]
    assert amounts(rate(parts, book(claims, holds), JANUARY, FEBRUARY)) == ["0.20", "2.00"]
    with pytest.raises(Conflict, match="no price for VCPU of the hold of web-1 at 2026-01-01"):
        rate(parts, book(claims), JANUARY, FEBRUARY)


def test_a_flavor_is_charged_whole_and_what_is_beside_it_by_class() -> None:
    small = HeldFlavor("small", Expansion(resources={"VCPU": 2, "DISK_GB": 10}), ("host",))
    shares = {"host": Share(resources={"VCPU": 3, "DISK_GB": 10})}
    prices = book(price(at="1"), price(at="5", name="S", target=FlavorTarget(name="small")))
    bill = rate([held(shares=shares, flavors=(small,))], prices, JANUARY, FEBRUARY)
    assert [(line.part.flavor, str(line.amount)) for line in bill.lines] == [
        ("small", "5.00"),
        (None, "1.00"),
    ]


def test_a_flavor_of_which_a_part_was_released_is_charged_by_class() -> None:
    small = HeldFlavor("small", Expansion(resources={"VCPU": 2, "DISK_GB": 10}), ("host",))
    prices = book(price(at="1"), price(at="5", name="S", target=FlavorTarget(name="small")))
    assert amounts(rate([held(flavors=(small,))], prices, JANUARY, FEBRUARY)) == ["2.00"]


def test_two_flavors_of_one_unit_each_take_two_units() -> None:
    gpu = HeldFlavor("gpu", Expansion(units=(Units(resource_class="PGPU"),)), ("host",))
    half = Expansion(units=(Units(resource_class="PGPU", amount=500),))
    shares = {"host": Share(resources={"PGPU": 1700}, units={"PGPU": {"g0": 700, "g1": 1000}})}
    prices = book(price("PGPU"), price(at="5", name="GPU", target=FlavorTarget(name="gpu")))
    bill = rate([held(shares=shares, flavors=(gpu, gpu))], prices, JANUARY, FEBRUARY)
    assert [line.part.flavor for line in bill.lines] == ["gpu", "gpu"]
    halves = (HeldFlavor("gpu", half, ("host",)), HeldFlavor("gpu", half, ("host",)))
    bill = rate([held(shares=shares, flavors=halves)], prices, JANUARY, FEBRUARY)
    assert [(line.part.flavor, line.part.amount) for line in bill.lines] == [
        *(("gpu", 1), ("gpu", 1)),
        *((None, 200), (None, 500)),
    ]


def test_a_unit_is_charged_by_its_attributes_and_else_by_its_class() -> None:
    where = (AttributeCondition(attribute="model", equals="G3"),)
    special = UnitsTarget(resource_class="PGPU", where=where)
    prices = book(
        price("PGPU", "1", amount=1000), price(at="9", amount=1000, name="G3", target=special)
    )
    shares = {"host": Share(resources={"PGPU": 1500}, units={"PGPU": {"gpu0": 1000, "gpu1": 500}})}
    attributes = {HeldUnit("host", "PGPU", "gpu0"): {"model": "G3"}}
    bill = rate([held(shares=shares, attributes=attributes)], prices, JANUARY, FEBRUARY)
    assert [(line.part.unit, str(line.amount)) for line in bill.lines] == [
        ("gpu0", "9.00"),
        ("gpu1", "0.50"),
    ]


def test_cents_are_distributed_so_that_the_lines_add_up() -> None:
    parts = [held(hours=1, position=n, shares=one_cpu()) for n in range(3)]
    bill = rate(parts, book(price(at="0.3333")), JANUARY, FEBRUARY)
    assert (amounts(bill), bill.total) == (["0.33", "0.34", "0.33"], Decimal("1.00"))


def one_cpu() -> dict[str, Share]:
    return {"host": Share(resources={"VCPU": 1})}
