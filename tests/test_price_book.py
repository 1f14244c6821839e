"""What a price book may say: one price for one thing at one time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.rated import book, price


@pytest.mark.parametrize(
    ("of_old", "of_new", "meet"),
    [
        ({"valid_until": 10}, {"valid_from": 10}, False),
        ({"valid_until": 11}, {"valid_from": 10}, True),
        ({"valid_from": 20}, {"valid_from": 10, "valid_until": 20}, False),
        ({}, {"valid_from": 10}, True),
        ({}, {"applies_to": ("hold",)}, False),
        ({}, {"of": "DISK_GB"}, False),
    ],
)
def test_two_prices_of_one_thing_must_not_hold_at_once(
    of_old: dict[str, Any], of_new: dict[str, Any], meet: bool
) -> None:
    dated: list[dict[str, Any]] = [
        {
            key: datetime(2026, 1, value, tzinfo=UTC) if key.startswith("valid") else value
            for key, value in facts.items()
        }
        for facts in (of_old, of_new)
    ]
    old, new = dated
    both = [price(name="old", **old), price(name="new", **new)]
    if meet:
        with pytest.raises(ValueError, match="price the same things at the same time"):
            book(*both)
    else:
        assert len(book(*both).prices) == 2


def test_a_book_of_more_amounts_than_can_be_reckoned_exactly_is_refused() -> None:
    many = [price(name=f"of {n}", of=f"CUSTOM_{n}", amount=n) for n in range(1, 66)]
    with pytest.raises(ValueError, match="prices are for 65 amounts; 64 is the most"):
        book(*many)
