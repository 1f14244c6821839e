"""Costs over time are those of the statements, to the last digit, for whatever was held."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing_time import Micros
from domain.component import Expansion
from domain.costs import costs_of
from domain.errors import Conflict
from domain.held import Held, HeldFlavor
from domain.price import FlavorTarget, Price, Tier
from domain.price_book import Prices
from domain.rating import rate
from domain.statement import sums_by_price
from domain.steps import Step, edges_of
from tests.rated import FEBRUARY, HOUR, JANUARY, MARCH, book, held, price
from tests.test_rating_properties import END, books, helds, moments

STEPS: tuple[Step, ...] = ("day", "month")


@given(helds(), books(), moments, moments, st.sampled_from(STEPS))
def test_each_step_costs_what_the_bill_for_it_says(
    parts: list[Held], prices: Prices, one: Micros, other: Micros, step: Step
) -> None:
    edges = edges_of(min(one, other), max(one, other) + 1, step)
    costs = costs_of(parts, prices, edges)
    told = [sum(amounts) for amounts in zip(*(one.amounts for one in costs), strict=True)]
    bills = [rate(parts, prices, *ends) for ends in pairwise(edges)]
    assert told == ([bill.total for bill in bills] if costs else [])
    assert sum(told) == rate(parts, prices, edges[0], edges[-1]).total


@given(helds(), books())
def test_a_step_of_hours_adds_up_to_the_statement_of_the_day(
    parts: list[Held], prices: Prices
) -> None:
    day = edges_of(FEBRUARY, FEBRUARY + 24 * HOUR, "hour")
    told = [sum(one.amounts, Decimal(0)) for one in costs_of(parts, prices, day)]
    assert sum(told) == rate(parts, prices, day[0], day[-1]).total


def test_what_was_used_before_counts_for_the_tiers_and_costs_nothing_again() -> None:
    tiers = (Tier(price=Decimal(1)), Tier(above=Decimal(4), price=Decimal("0.5")))
    prices = book(price(tiers=tiers), price("MEMORY_MB", at="9"))
    edges = edges_of(JANUARY + HOUR, JANUARY + 5 * HOUR, "hour")
    (cpu,) = costs_of([held(hours=4)], prices, edges)
    assert (cpu.price.name, cpu.resource) == ("VCPU", "VCPU")
    assert list(cpu.amounts) == [Decimal(2), Decimal(1), Decimal(1), Decimal(0)]


def test_flavors_and_prices_of_one_class_are_told_by_what_they_price() -> None:
    small = HeldFlavor("small", Expansion(resources={"VCPU": 2}), ("host",))
    of_flavor = Price(
        name="S", target=FlavorTarget(name="small"), per="hour", tiers=(Tier(price=Decimal(3)),)
    )
    prices = book(price(name="CPU", at="1"), of_flavor)
    parts = [held(hours=2, flavors=(small,)), held(hours=1, consumer_id="b", position=2)]
    costs = costs_of(parts, prices, edges_of(JANUARY, JANUARY + 2 * HOUR, "hour"))
    told = {one.resource: list(one.amounts) for one in costs}
    assert told == {"VCPU": [2, 0], "flavor small": [3, 3]}
    whole = rate(parts, prices, JANUARY, JANUARY + 2 * HOUR)
    assert sums_by_price(whole) == {one.price.name: sum(one.amounts) for one in costs}


def test_what_has_no_price_is_said_and_a_step_over_two_months_is_an_error() -> None:
    edges = edges_of(JANUARY, MARCH, "month")
    with pytest.raises(Conflict, match="there is no price for VCPU"):
        costs_of([held()], book(price("DISK_GB")), edges)
    with pytest.raises(ValueError, match="over the end of a month"):
        costs_of([held()], book(price()), (JANUARY, END))
    assert costs_of([], book(price()), edges) == []
