"""What is so for every bill, whatever was held and whatever the book says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.allocation import Share
from domain.billing_time import Micros
from domain.currency import scale_of
from domain.held import Held
from domain.price import Price, Tier
from domain.price_book import Prices
from domain.rating import Bill, rate
from domain.times import to_micros
from tests.rated import FEBRUARY, HOUR, JANUARY, book, price

MINUTE = 60 * 1_000_000
END = FEBRUARY + 20 * 24 * HOUR
moments = st.integers(0, (END - JANUARY) // MINUTE).map(lambda minute: JANUARY + minute * MINUTE)


@st.composite
def helds(draw: st.DrawFn) -> list[Held]:
    """What a project held: claims of any length, some of which go on."""
    found = []
    for position in range(draw(st.integers(0, 6))):
        first, last = sorted([draw(moments), draw(moments)])
        found.append(
            Held(
                consumer_id=f"web-{position}",
                position=position,
                status=draw(st.sampled_from(["claim", "hold"])),
                claimed_at=first,
                from_at=first,
                to_at=draw(st.sampled_from([last, None])),
                ends_claim=True,
                shares={"host": Share(resources={"VCPU": draw(st.integers(1, 9))})},
            )
        )
    return found


@st.composite
def books(draw: st.DrawFn) -> Prices:
    """Two prices that follow each other, with tiers, something free and a minimum."""
    change = datetime(2026, 1, draw(st.integers(2, 28)), tzinfo=UTC)
    valid: tuple[dict[str, Any], ...] = ({"valid_until": change}, {"valid_from": change})
    return book(
        *(
            price(
                name=name,
                per=draw(st.sampled_from(["second", "hour", "day", "month"])),
                tiers=draw(tiers()),
                free_quantity=Decimal(draw(st.integers(0, 50))),
                minimum_seconds=draw(st.sampled_from([0, 3_600, 90 * 86_400])),
                applies_to=("claim", "hold"),
                **dates,
            )
            for name, dates in zip(("old", "new"), valid, strict=True)
        ),
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        month_rule=draw(st.sampled_from(["calendar", "730_hours", "30_days"])),
    )


def tiers() -> st.SearchStrategy[tuple[Tier, ...]]:
    cents = st.integers(0, 5_000).map(lambda n: Decimal(n) / 1_000)
    bounds = st.lists(st.integers(1, 500), max_size=2, unique=True).map(sorted)
    return bounds.flatmap(
        lambda found: st.tuples(
            *(
                cents.map(lambda one, above=above: Tier(above=Decimal(above), price=one))  # type: ignore[misc]
                for above in (0, *found)
            )
        )
    )


@given(helds(), books(), st.lists(moments, min_size=2, max_size=4, unique=True))
def test_bills_of_adjoining_periods_add_up_to_the_bill_of_both(
    parts: list[Held], prices: Prices, cuts: list[Micros]
) -> None:
    cuts = sorted(cuts)
    bills = [rate(parts, prices, *ends) for ends in pairwise(cuts)]
    whole = rate(parts, prices, cuts[0], cuts[-1])
    assert sum(bill.total for bill in bills) == whole.total
    assert exact(bills) == exact([whole])


@given(helds(), books(), moments, st.randoms(use_true_random=False))
def test_a_bill_is_the_same_in_whatever_order_and_slices_it_is_told(
    parts: list[Held], prices: Prices, cut: Micros, chance: Any
) -> None:
    sliced = [piece for one in parts for piece in slices(one, cut)]
    chance.shuffle(sliced)
    assert rate(sliced, prices, JANUARY, END).total == rate(parts, prices, JANUARY, END).total


@given(helds(), books())
def test_lines_add_up_to_the_total_and_each_is_rounded_by_less_than_one_unit(
    parts: list[Held], prices: Prices
) -> None:
    bill = rate(parts, prices, JANUARY, END)
    unit = Decimal(1).scaleb(-scale_of(prices.currency))
    assert sum((line.amount for line in bill.lines), Decimal(0)) == bill.total
    assert all(abs(Fraction(line.amount) - line.exact) < unit for line in bill.lines)
    months = 2
    assert abs(Fraction(bill.total) - exact([bill])) <= months * Fraction(unit) / 2


@given(helds(), books())
def test_a_bill_is_what_a_simple_reckoning_says(parts: list[Held], prices: Prices) -> None:
    """For each month and price: all that was used, through its tiers, without cuts or order."""
    expected = sum(
        reckoned(parts, prices, one, *ends)
        for ends in ((JANUARY, FEBRUARY), (FEBRUARY, END))
        for one in prices.prices
    )
    assert exact([rate(parts, prices, JANUARY, END)]) == expected


def reckoned(parts: list[Held], prices: Prices, one: Price, start: Micros, end: Micros) -> Fraction:
    valid = (
        JANUARY if one.valid_from is None else to_micros(one.valid_from),
        END if one.valid_until is None else to_micros(one.valid_until),
    )
    used = Fraction(0)
    for held in parts:
        until = END if held.to_at is None else held.to_at
        used += held.shares["host"].resources["VCPU"] * (
            overlap((held.from_at, until), valid, (start, end))
            # Up to the minimum at the price that held in the claim's last moment.
            + (valid[0] <= max(held.from_at, until - 1) < valid[1])
            * overlap((until, held.from_at + one.minimum_seconds * 1_000_000), (start, end))
        )
    hour = 3_600 * 1_000_000
    lengths = {"second": hour // 3_600, "hour": hour, "day": 24 * hour}
    month = {"730_hours": 730 * hour, "30_days": 720 * hour, "calendar": days_of(start) * 24 * hour}
    quantity = used / lengths.get(one.per, month[prices.month_rule])
    bounds = [Fraction(tier.above + one.free_quantity) for tier in one.tiers]
    return sum(
        (
            Fraction(tier.price) * max(Fraction(0), min(quantity, upper) - lower)
            for tier, lower, upper in zip(one.tiers, bounds, [*bounds[1:], quantity], strict=True)
        ),
        Fraction(0),
    )


def overlap(*spans: tuple[Micros, Micros]) -> Micros:
    return max(0, min(end for _, end in spans) - max(start for start, _ in spans))


def days_of(start: Micros) -> int:
    return 31 if start == JANUARY else 28


@given(helds(), books())
def test_nothing_is_billed_twice_or_missed(parts: list[Held], prices: Prices) -> None:
    """Every moment of every claim is in exactly one line, but for the cuts at tiers."""
    bill = rate(parts, prices, JANUARY, END)
    for one in parts:
        until = END if one.to_at is None else one.to_at
        own = {(line.from_at, line.to_at) for line in bill.lines if line.held is one}
        inside = sorted((start, end) for start, end in own if start < until)
        assert sum(min(end, until) - start for start, end in inside) == until - one.from_at
        assert all(end == start for (_, end), (start, _) in pairwise(inside))


def exact(bills: Sequence[Bill]) -> Any:
    return sum(line.exact for bill in bills for line in bill.lines)


def slices(one: Held, cut: Micros) -> list[Held]:
    """The interval in two, as if an event in between had changed nothing."""
    if not one.from_at < cut < (END if one.to_at is None else one.to_at):
        return [one]
    return [replace(one, to_at=cut, ends_claim=False), replace(one, from_at=cut)]
