"""A bill as a page, and its amounts put together for it: however long the bill is."""

import re
from decimal import Decimal
from typing import Any

import pytest

from scripts.cli.bill_page import MOST_LINES, to_html
from scripts.cli.bill_read import Bill, adds_up
from scripts.cli.bill_sums import Course, sums_of
from scripts.cli.markup import element


def line(amount: str, from_at: str, to_at: str, **more: Any) -> dict[str, Any]:
    return {
        "consumer_id": "web",
        "position": 1,
        "status": "claim",
        "resource": "VCPU",
        "unit": None,
        "provider_id": "p",
        "amount_held": 1,
        "from_at": from_at,
        "to_at": to_at,
        "price": "CPU",
        "per": "hour",
        "quantity": "1.000000000",
        "unit_price": "1",
        "amount": amount,
        **more,
    }


def bill(*lines: dict[str, Any], period: str = "2026-01", **more: Any) -> Bill:
    total = str(sum((Decimal(one["amount"]) for one in lines), Decimal(0)))
    statement = {
        "project_id": "acme",
        "period": period,
        "from_at": f"{period}{'-01-01'[len(period) - 4 :]}T00:00:00Z",
        "until": "2026-01-03T12:00:00Z",
        "state": "open",
        "price_book": "standard",
        "price_book_number": 1,
        "currency": "EUR",
        "total": total,
        "lines": len(lines),
        "by_resource": {"VCPU": total},
        "by_price": {"CPU": total},
        "by_provider": {"p": total},
        **more,
    }
    return Bill(statement, list(lines), {})


NEW_YEAR = line("6", "2026-01-01T12:00:00Z", "2026-01-03T00:00:00Z")


@pytest.mark.parametrize(
    ("period", "steps", "amounts"),
    [
        ("2026", 12, {"Jan": 6}),
        ("2026-01", 31, {"1": 2, "2": 4}),
        # What is beyond the period is left out.
        ("2026-01-01", 24, {f"{hour:02}": Decimal(1) / 6 for hour in range(12, 24)}),
    ],
)
def test_the_course_of_a_period_is_told_in_the_steps_that_suit_it(
    period: str, steps: int, amounts: dict[str, Decimal]
) -> None:
    course = Course(bill(NEW_YEAR, period=period))
    assert len(course.amounts) == steps
    told = {course.label(n): step["VCPU"] for n, step in enumerate(course.amounts) if step}
    assert told == {name: pytest.approx(float(amount)) for name, amount in amounts.items()}


def test_sums_beyond_the_most_are_one_so_that_all_add_up() -> None:
    sums = sums_of({"a": "1.00", "b": "3.00", "c": "2.00", "d": "0.50"}, most=3)
    assert sums == [("b", Decimal(3)), ("c", Decimal(2)), ("2 others", Decimal("1.50"))]


def test_lines_that_miss_a_cent_or_a_line_do_not_add_up() -> None:
    lines = [NEW_YEAR, line("0.00", NEW_YEAR["from_at"], NEW_YEAR["to_at"])]
    statement = bill(*lines).statement
    assert adds_up(statement, lines)
    assert not adds_up(statement, lines[:1])
    assert not adds_up(statement, [NEW_YEAR, {**NEW_YEAR, "amount": "0.01"}])


def test_ten_thousand_lines_give_a_page_that_says_where_the_others_are() -> None:
    page = to_html(bill(*[NEW_YEAR] * 10_000)).decode()
    assert f"These are the first {MOST_LINES} of 10,000 lines" in page
    assert page.count("<tr>") < MOST_LINES + 20
    assert "60,000 EUR" in page
    assert "still to come" in page


def test_a_bill_of_nothing_is_a_page_too() -> None:
    assert "held nothing that is charged" in to_html(bill()).decode()
    free = line("0.00", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z")
    assert "<svg" in to_html(bill(free)).decode()


def test_more_resources_than_colours_share_the_last() -> None:
    names = [f"CUSTOM_{'LONG_' * 10}{n}" for n in range(12)]
    lines = [line("1", NEW_YEAR["from_at"], NEW_YEAR["to_at"], resource=name) for name in names]
    page = to_html(bill(*lines, by_resource=dict.fromkeys(names, "1"))).decode()
    assert "5 others" in page
    assert set(re.findall(r'<rect[^>]* class="(c[0-9])"', page)) == {f"c{n}" for n in range(8)}


def test_whatever_is_no_markup_is_escaped() -> None:
    hostile = """<b onclick="x">&'"""
    inner = element("td", hostile, title=hostile)
    escaped = "&lt;b onclick=&quot;x&quot;&gt;&amp;&#x27;"
    assert inner == f'<td title="{escaped}">{escaped}</td>'
    assert element("tr", inner, class_="a", x=1.0, y=None) == f'<tr class="a" x="1">{inner}</tr>'
