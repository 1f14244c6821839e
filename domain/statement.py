"""A statement: what a bill says, summed up for those who read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal

from domain.rating import Bill, RatedLine

Sums = dict[str, Decimal]
"""Amounts by name, in the names' order. They add up to the bill's total."""


def sums_by_price(bill: Bill) -> Sums:
    return _sums(bill.lines, lambda line: line.part.price.name)


def sums_by_resource(bill: Bill) -> Sums:
    """By resource class, and by flavor where that is what was priced."""
    return _sums(bill.lines, resource_of)


def sums_by_provider(bill: Bill) -> Sums:
    """What a flavor costs counts for the first of the providers that serve it."""
    return _sums(bill.lines, lambda line: line.part.provider_id)


def resource_of(line: RatedLine) -> str:
    part = line.part
    return part.resource_class or f"flavor {part.flavor}"


def _sums(lines: Iterable[RatedLine], name_of: Callable[[RatedLine], str]) -> Sums:
    found: Sums = defaultdict(Decimal)
    for line in lines:
        found[name_of(line)] += line.amount
    return dict(sorted(found.items()))
