"""Utilization on the screen: of each class in total, and the trees that strand most."""

from collections.abc import Sequence

from scripts.cli import screen
from scripts.cli.client import Body
from scripts.cli.span import covered
from scripts.cli.utilization_read import busiest, most_stranded, stranded_part

MOST_SITES = 20


def show(totals: Body, sites: Body | None) -> None:
    if totals["edges"] is None:
        screen.say(f"at         {screen.second(totals['at'])} UTC")
    else:
        screen.say(f"time       {covered(totals['edges'])}, by {totals['step']}")
    screen.say(f"providers  {totals['providers']:,} in {totals['trees']:,} trees")
    if totals["room"] is not None:
        screen.say(f"room       for {totals['room']:,} more of the flavor")
    if not totals["classes"]:
        screen.say("There is no inventory there.")
        return
    _table("", [("", line) for line in totals["classes"]])
    if sites is not None:
        _sites(sites)


def _sites(sites: Body) -> None:
    """Those that strand most of a class; where none does, those that are fullest."""
    items = sites["items"]
    shown = most_stranded(items, MOST_SITES)
    what = "that strand most of a class"
    if not shown:
        shown, what = busiest(items, MOST_SITES), "that are fullest; nothing is stranded"
    of = f"of {len(items):,} " if len(shown) < len(items) else ""
    screen.say(f"The {len(shown)} {of}{what} (--json tells all):")
    lines = [
        # A name is told once, beside the first of its classes.
        (site["provider_name"] if place == 0 else "", line)
        for site in shown
        for place, line in enumerate(site["classes"])
    ]
    _table("provider", lines)


def _table(what: str, lines: Sequence[tuple[str, Body]]) -> None:
    with_units = any(line["units"] is not None for _, line in lines)
    with_course = any(line["course"] is not None for _, line in lines)
    columns = (
        *((what,) if what else ()),
        *("class", "capacity", "usage", "use", "stranded", "of it"),
        *(("units free/partly/used",) if with_units else ()),
        *(("mean", "peak", "over time") if with_course else ()),
    )
    screen.table(
        columns,
        (
            (
                *((name,) if what else ()),
                *_now(line),
                *((_units(line["units"]),) if with_units else ()),
                *(_course(line["course"]) if with_course else ()),
            )
            for name, line in lines
        ),
        right=("capacity", "usage", "stranded", "mean", "peak"),
    )


def _now(line: Body) -> tuple[str, ...]:
    stranded = line["stranded"]
    return (
        line["resource_class"],
        f"{line['capacity']:,}",
        f"{line['usage']:,}",
        screen.bar(line["usage"], line["capacity"]),
        "" if stranded is None else f"{stranded:,}",
        "" if stranded is None else f"{stranded_part(line):4.0%}",
    )


def _units(units: Body | None) -> str:
    return "" if units is None else f"{units['free']:,}/{units['partly_used']:,}/{units['used']:,}"


def _course(course: Body | None) -> tuple[str, ...]:
    if course is None:
        return ("", "", "")
    means = [one or 0.0 for one in course["means"]]
    return (_part(course["mean"]), _part(course["peak"]), screen.sparkline(means))


def _part(part: float | None) -> str:
    return "" if part is None else f"{part:.1%}"
