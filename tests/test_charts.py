"""Charts hold what they show: in proportion, within their frames, with words that can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from scripts.cli.charts import bars, columns, legend_of
from scripts.cli.client import Body
from scripts.cli.drawing import colours_of, spaced, tick_labels, ticks
from scripts.cli.screen import sparkline
from scripts.cli.span import labels_of
from scripts.cli.usage_page import to_html as usage_page
from scripts.cli.usage_read import OverTime, Series, added_up, most_of
from scripts.cli.utilization_charts import spread_of
from scripts.cli.utilization_page import to_html as utilization_page
from scripts.cli.utilization_read import busiest, most_stranded
from tests.drawn import Drawing, drawings

START = datetime(2026, 1, 30, tzinfo=UTC)


def edges(steps: int, **length: int) -> list[str]:
    step = timedelta(**(length or {"days": 1}))
    return [(START + step * n).isoformat().replace("+00:00", "Z") for n in range(steps + 1)]


def use(*series: Series, steps: int, **facts: Any) -> OverTime:
    return OverTime({"edges": edges(steps), "step": "day", **facts}, list(series))


def series(project: str, name: str, *amounts: int, held: int = 0) -> Series:
    return Series(project, name, [Decimal(one) for one in amounts], [Decimal(held)] * len(amounts))


# --- Marks and words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("highest", "told"),
    [
        (0, ["0", "1"]),
        (2.3, ["0", "1", "2", "3"]),
        (0.03, ["0.00", "0.01", "0.02", "0.03"]),
        (14_000_000, ["0", "5M", "10M", "15M"]),
        (2_500_000_000, ["0", "1G", "2G", "3G"]),
    ],
)
def test_marks_are_round_numbers_and_told_shortly(highest: float, told: list[str]) -> None:
    assert tick_labels(ticks(highest)) == told


def test_labels_are_left_out_where_they_would_touch() -> None:
    assert spaced(["1", "2", "3"], 100.0) == [(0, "1"), (1, "2"), (2, "3")]
    assert [place for place, _ in spaced(["Jan 1"] * 10, 15.0)] == [0, 3, 6, 9]


def test_steps_are_labelled_without_what_all_of_them_share() -> None:
    assert labels_of(edges(2), "day") == ["30", "31"]
    assert labels_of(edges(3), "day") == ["Jan 30", "Jan 31", "Feb 1"]
    assert labels_of(edges(2, hours=1), "hour") == ["00:00", "01:00"]
    assert labels_of(edges(2, hours=24), "hour") == ["Jan 30 00h", "Jan 31 00h"]
    assert labels_of(edges(2, days=31), "month") == ["Jan", "Mar"]
    assert labels_of(edges(13, days=31), "month")[-1] == "Feb 27"


def test_a_line_of_small_columns_shows_the_course_however_long_it_is() -> None:
    assert sparkline([0, 1, 4, 8]) == " ▂▅█"
    assert sparkline([]) == ""
    assert len(sparkline([1.0] * 1000)) <= 60


# --- Columns and bars -----------------------------------------------------------------------------


def test_columns_are_as_high_as_their_amounts_and_stand_upon_each_other() -> None:
    colours = colours_of(["a", "b"])
    drawn = Drawing(columns("C", ["1", "2"], [{"a": 1.0, "b": 3.0}, {"a": 2.0}], colours))
    first, second = drawn.rectangles("c0")
    (upon,) = drawn.rectangles("c1")
    assert second.bottom - second.top == pytest.approx(2 * (first.bottom - first.top), abs=0.05)
    assert upon.bottom - upon.top == pytest.approx(3 * (first.bottom - first.top), abs=0.05)
    assert (upon.bottom, upon.left) == pytest.approx((first.top, first.left), abs=0.05)
    assert drawn.hovers == ["1: a 1.00", "1: b 3.00", "2: a 2.00"]
    described = drawn.root.findtext("desc")
    assert described == "2 steps from 1 to 2, together 6.00; the most, 4.00, in 1."
    drawn.check()


@pytest.mark.parametrize("steps", [1, 24, 31, 149, 1000])
def test_columns_of_any_number_of_steps_keep_within_their_frame(steps: int) -> None:
    amounts = [{"VCPU": 1e6 * (n + 1)} for n in range(steps)]
    labels = labels_of(edges(steps), "day")
    Drawing(columns("C", labels, amounts, colours_of(["VCPU"]))).check()
    Drawing(columns("C", labels, [{}] * steps, {}, begun=steps // 2)).check()


def test_bars_are_as_long_as_their_amounts_and_long_names_are_cut() -> None:
    name = "CUSTOM_" + "LONG_" * 12
    drawn = Drawing(bars("B", [(name, Decimal(4)), ("b", Decimal(1))], colours_of([name, "b"])))
    (one,), (other,) = drawn.rectangles("c0"), drawn.rectangles("c1")
    assert one.right - one.left == pytest.approx(4 * (other.right - other.left), abs=0.1)
    drawn.check()


def test_those_without_a_colour_of_their_own_share_one() -> None:
    names = [str(n) for n in range(12)]
    assert len(set(colours_of(names).values())) == 8
    assert "5 others" in legend_of(colours_of(names))
    assert "others" not in legend_of(colours_of(names[:8]))


# --- Pages ----------------------------------------------------------------------------------------


def test_series_are_put_together_and_those_beyond_the_most_are_one() -> None:
    found = [series("a", "VCPU", 1, 2), series("b", "VCPU", 5, 5, held=1), series("b", "GPU", 1, 1)]
    by_project = added_up(found, by_project=True)
    sums = [(one.project, int(one.total), int(one.held)) for one in by_project]
    assert sums == [("b", 12, 2), ("a", 3, 0)]
    many = added_up([series("p", f"C{n}", n, 0) for n in range(6)], by_project=False)
    assert [(one.name, int(one.total)) for one in most_of(many, 3)] == [
        ("C5", 5),
        ("C4", 4),
        ("4 others", 6),
    ]


def test_a_page_of_many_projects_tells_the_greatest_and_the_others_as_one() -> None:
    many = [series(f"project-{n:02}", "VCPU", n + 1, 0, 5, held=n % 2) for n in range(30)]
    priced = {"currency": "EUR", "price_book": "standard", "price_book_number": 1}
    costs = use(*[series(one.project, "VCPU", 1, 2, 3) for one in many], steps=3, **priced)
    flavors = use(*[series("p", f"f{n}", 1, 1, 1) for n in range(9)], steps=3)
    page = usage_page(use(*many, steps=3), flavors, costs, None).decode()
    drawn = list(drawings(page))
    assert [one.title for one in drawn] == [
        *("Costs by project", "Costs by resource", "VCPU by project", "Flavors"),
    ]
    for one in drawn:
        one.check()
    assert "23 others" in page
    assert "180 EUR" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "prefers-color-scheme: dark" in page


def test_a_page_of_nothing_says_so() -> None:
    nothing = use(steps=2)
    assert "Nothing was held in this time." in usage_page(nothing, nothing, None, "acme").decode()
    totals: Body = {"at": "2026-01-01T00:00:00Z", "edges": None, "step": None, "trees": 0}
    empty = {**totals, "providers": 0, "room": None, "classes": []}
    assert "There is no inventory there." in utilization_page(empty, {"items": []}, None).decode()


def told(name: str, capacity: int, usage: int, stranded: int | None = 0, **more: Any) -> Body:
    return {
        "resource_class": name,
        "capacity": capacity,
        "usage": usage,
        "utilization": usage / capacity if capacity else None,
        "stranded": stranded,
        "units": None,
        "course": None,
        **more,
    }


def site(name: str, *classes: Body) -> Body:
    return {"provider_name": name, "providers": 1, "room": None, "classes": list(classes)}


def test_the_stranded_part_of_a_host_is_drawn_beside_what_is_used() -> None:
    course = {"mean": 0.1, "peak": 1.2, "means": [0.1, None], "peaks": [1.2, None]}
    units = {"free": 1, "partly_used": 2, "used": 3}
    line = told("VCPU", 4, 1, 3, course=course, units=units)
    none = {"mean": None, "peak": None, "means": [None, None], "peaks": [None, None]}
    sites = [
        site("<host>", line),
        site("free", told("VCPU", 4, 0, course=course | {"mean": 0.0})),
        site("no", told("VCPU", 0, 0, course=none)),
    ]
    totals = {"at": "2026-01-01T00:00:00Z", "edges": edges(2), "step": "day", "trees": 3,
              "providers": 3, "room": None, "classes": [line]}  # fmt: skip
    page = utilization_page(totals, {"items": sites}, None).decode()
    drawn = {one.title: one for one in drawings(page)}
    host = drawn["Capacity of <host>"]
    (used,), (stranded,) = host.rectangles("c0"), host.rectangles("stranded")
    assert stranded.right - stranded.left == pytest.approx(3 * (used.right - used.left), abs=0.1)
    assert "Capacity of free" not in drawn
    # A tenth on average in the first of two steps, and no capacity in the second: one cell.
    (cell,) = drawn["The fullest by VCPU"].rectangles("heat h1")
    assert cell.right < drawn["The fullest by VCPU"].frame.right * 0.7
    for one in drawn.values():
        one.check()


def test_sites_are_ordered_by_what_they_strand_or_by_how_full_they_are() -> None:
    sites = [
        site("a", told("VCPU", 10, 1, 1), told("PGPU", 0, 0)),
        site("b", told("VCPU", 10, 9, 0, course={"mean": 0.2})),
        site("c", told("VCPU", 100, 5, 30), told("MEMORY_MB", 10, 3, None)),
    ]
    assert [one["provider_name"] for one in most_stranded(sites, 5)] == ["c", "a"]
    assert [one["provider_name"] for one in busiest(sites, 2)] == ["c", "b"]
    assert spread_of(sites, "VCPU") == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
