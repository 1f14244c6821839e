"""Utilization as one page to look at: in total, over time, and the trees that strand most."""

from collections.abc import Sequence

from scripts.cli.client import Body
from scripts.cli.drawing import legend
from scripts.cli.markup import Markup, element
from scripts.cli.page import facts, page, row
from scripts.cli.screen import second
from scripts.cli.span import covered, labels_of
from scripts.cli.utilization_charts import (
    MEANING,
    course,
    course_map,
    heat_map,
    split_bars,
    spread_of,
)
from scripts.cli.utilization_read import fullest_of, most_stranded

MOST_SITES = 30
FEWEST_COURSES, MOST_COURSES, MOST_CELLS = 5, 15, 1_500


def to_html(totals: Body, sites: Body, flavor: str | None) -> bytes:
    title = "Utilization"
    if not totals["classes"]:
        nothing = element("p", "There is no inventory there.")
        return page(title, _head(title, totals, flavor), nothing)
    return page(
        title,
        _head(title, totals, flavor),
        *_now(totals, sites["items"]),
        *_over_time(totals, sites["items"]),
        *_worst(sites["items"]),
        _explained(flavor),
    )


def _head(title: str, totals: Body, flavor: str | None) -> Markup:
    told = {"As of": f"{second(totals['at'])} UTC"}
    if totals["edges"] is not None:
        told["Over time"] = f"{covered(totals['edges'])}, by {totals['step']}"
    told["Providers"] = f"{totals['providers']:,} in {totals['trees']:,} trees"
    if flavor is not None:
        told["Stranded for"] = f"{flavor}: room for {totals['room']:,} more"
    return element("header", element("div", element("h1", title), facts(told)))


def _now(totals: Body, sites: Sequence[Body]) -> list[Markup]:
    lines = [(line["resource_class"], line) for line in totals["classes"]]
    spread = [(name, spread_of(sites, name)) for name, _ in lines]
    return [
        element("h2", "All of it, by class"),
        element("figure", split_bars("Capacity by class", lines), legend(MEANING)),
        element("h2", "How many are how full"),
        element("figure", heat_map("How many are how full, by class", spread)),
        *_units(totals),
    ]


def _units(totals: Body) -> list[Markup]:
    lines = [line for line in totals["classes"] if line["units"] is not None]
    if not lines:
        return []
    rows = [
        row(
            "td",
            line["resource_class"],
            *(f"{line['units'][what]:,}" for what in ("free", "partly_used", "used")),
            numbers=(1, 2, 3),
        )
        for line in lines
    ]
    head = row("th", "Units of", "Free", "Partly in use", "In use", numbers=(1, 2, 3))
    return [
        element("h2", "Units"),
        element("table", element("thead", head), element("tbody", *rows)),
    ]


def _over_time(totals: Body, sites: Sequence[Body]) -> list[Markup]:
    if totals["edges"] is None:
        return []
    labels = labels_of(totals["edges"], totals["step"])
    content = []
    for line in totals["classes"]:
        name, told = line["resource_class"], line["course"]
        content += [
            element("h2", f"{name} over time"),
            element(
                "figure",
                course(f"Utilization of {name}", labels, told),
                legend([(f"average per {totals['step']}", "c0"), ("peak", "c1")]),
            ),
            *_courses(name, labels, sites),
        ]
    return content


def _courses(resource_class: str, labels: Sequence[str], sites: Sequence[Body]) -> list[Markup]:
    """Those that had most of the class in use over the time; with many steps, fewer of them."""
    most = max(FEWEST_COURSES, min(MOST_COURSES, MOST_CELLS // len(labels)))
    rows = [
        (site["provider_name"], line["course"]["means"])
        for site, line in fullest_of(sites, resource_class)[:most]
    ]
    if not rows:
        return []
    title = f"The fullest by {resource_class}"
    return [
        element(
            "figure",
            element("figcaption", f"{title}: the average of each step"),
            course_map(title, labels, rows),
        )
    ]


def _worst(sites: Sequence[Body]) -> list[Markup]:
    worst = most_stranded(list(sites), MOST_SITES)
    if not worst:
        return [element("h2", "Stranded"), element("p", "Nothing is stranded.")]
    content = [element("h2", f"The {len(worst)} that strand most of a class")]
    for site in worst:
        lines = [(line["resource_class"], line) for line in site["classes"]]
        members = f", {site['providers']:,} providers" if site["providers"] > 1 else ""
        content.append(
            element(
                "figure",
                element("figcaption", f"{site['provider_name']}{members}"),
                split_bars(f"Capacity of {site['provider_name']}", lines),
            )
        )
    return [*content, legend(MEANING)]


def _explained(flavor: str | None) -> Markup:
    shape = (
        "what would be sold is a slice of the tree, all of its classes in the proportions of "
        "their capacities"
        if flavor is None
        else f"what would be sold is the flavor {flavor}; trees that could never serve it are left "
        "out"
    )
    sentences = (
        "In use is what claims and holds have; capacity is (total - reserved) × allocation ratio.",
        (
            "Stranded is what is free but cannot be sold, because there is too little of another "
            f"class beside it: {shape}."
        ),
        "All that one request gets comes from one tree of providers, so it is reckoned by tree.",
        "An average is usage × time over capacity × time.",
    )
    return element(
        "section",
        element("h2", "What it means"),
        element("ul", *(element("li", sentence) for sentence in sentences)),
        class_="whole",
    )
