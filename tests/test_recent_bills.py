"""Bills that were rated a moment ago are kept, but not more of them than is good."""

from __future__ import annotations

import asyncio

from api.bills import AsOf, Pin, PinnedBill, RecentBills
from domain.rating import rate
from tests.rated import FEBRUARY, JANUARY, book, held, price


def rated(project: str, lines: int) -> PinnedBill:
    bill = rate([held(begins=n) for n in range(lines)], book(price()), JANUARY, FEBRUARY)
    assert len(bill.lines) == lines
    return PinnedBill(Pin(project, "standard", 1, AsOf(JANUARY, FEBRUARY, 7)), bill)


def test_a_bill_is_found_by_all_that_it_depends_on_and_the_oldest_go_first() -> None:
    async def keep() -> None:
        recent, first, second = RecentBills(most_lines=100), rated("acme", 30), rated("lab", 30)
        recent.keep(first)
        recent.keep(second)
        assert (recent.find(first.pin), recent.find(second.pin)) == (first, second)
        other = first.pin._replace(as_of=first.pin.as_of._replace(position=8))
        assert recent.find(other) is None
        assert recent.find(first.pin._replace(number=2)) is None
        large = rated("zoo", 90)
        recent.keep(large)
        assert recent.find(first.pin) is recent.find(second.pin) is None
        assert recent.find(large.pin) is large

    asyncio.run(keep())
