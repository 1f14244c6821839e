"""Use and costs over time as one page to look at: charts, and the numbers that they are made of."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from scripts.cli.charts import columns
from scripts.cli.drawing import LAST_COLOUR, Colours, colours_of, legend
from scripts.cli.markup import Markup, element
from scripts.cli.page import facts, page, row
from scripts.cli.span import covered, labels_of
from scripts.cli.usage_read import OverTime, Series, added_up, most_of
from scripts.cli.usage_show import hours

OWN_COLOURS = LAST_COLOUR
MOST_CLASSES = 12
MOST_ROWS = 50


def to_html(use: OverTime, flavors: OverTime, costs: OverTime | None, project: str | None) -> bytes:
    """The first two are of use by project and class, and by project and flavor."""
    title = f"Usage of {project}" if project else "Usage"
    colours = _project_colours(use, costs)
    content = [
        _head(title, use, costs),
        *([] if costs is None else _costs(costs, colours)),
        *_use(use, colours),
        *_flavors(flavors),
        *_explained(costs is not None),
    ]
    return page(title, *content)


def _head(title: str, use: OverTime, costs: OverTime | None) -> Markup:
    edges = use.edges
    told = {
        "Covers": covered(edges),
        "Steps": f"{len(edges) - 1:,}, by {use.step}",
        "Projects": f"{len({one.project for one in use.series}):,}",
    }
    if costs is None:
        return element("header", element("div", element("h1", title), facts(told)))
    answer = costs.answer
    told["Price book"] = f"{answer['price_book']}, number {answer['price_book_number']}"
    total = sum((one.total for one in costs.series), Decimal(0))
    return element(
        "header",
        element("div", element("h1", title), facts(told)),
        element(
            "div",
            element("div", "Costs", class_="soft"),
            element("div", f"{total:,} {answer['currency']}", class_="total"),
            class_="sum",
        ),
    )


def _project_colours(use: OverTime, costs: OverTime | None) -> Colours:
    """The same in every chart, for those who pay most; without prices, who have most of a class."""
    if costs is not None:
        names = [one.project for one in added_up(costs.series, by_project=True)]
        return colours_of(names)
    totals = {one.name: one.total + one.held for one in added_up(use.series, by_project=False)}
    shares: dict[str, Decimal] = {}
    for one in use.series:
        if totals[one.name]:
            share = (one.total + one.held) / totals[one.name]
            shares[one.project] = max(share, shares.get(one.project, Decimal(0)))
    return colours_of(sorted(shares, key=lambda name: (-shares[name], name)))


def _costs(costs: OverTime, colours: Colours) -> list[Markup]:
    if not costs.series:
        return []
    currency = str(costs.answer["currency"])
    by_project = added_up(costs.series, by_project=True)
    by_resource = added_up(costs.series, by_project=False)
    of_resources = colours_of([one.name for one in by_resource])
    return [
        element("h2", f"Costs by project, in {currency} per {costs.step}"),
        _chart("Costs by project", costs, _named(by_project), colours),
        element("h2", f"Costs by resource, in {currency} per {costs.step}"),
        _chart("Costs by resource", costs, _named(by_resource), of_resources),
        element(
            "div",
            _table("Project", currency, by_project),
            _table("Resource", currency, by_resource),
            class_="columns",
        ),
    ]


def _use(use: OverTime, colours: Colours) -> list[Markup]:
    classes = [one.name for one in added_up(use.series, by_project=False)]
    if not classes:
        return [element("p", "Nothing was held in this time.")]
    content = []
    for name in sorted(classes[:MOST_CLASSES]):
        series = [one for one in use.series if one.name == name]
        whole = added_up(series, by_project=False)[0]
        content += [
            element("h2", f"{name} × hours per {use.step}"),
            _chart(f"{name} by project", use, _named(series), colours, _together(whole)),
        ]
    if len(classes) > MOST_CLASSES:
        rest = ", ".join(sorted(classes[MOST_CLASSES:]))
        content.append(element("p", f"Not drawn: {rest}.", class_="note"))
    return content


def _flavors(flavors: OverTime) -> list[Markup]:
    series = added_up(flavors.series, by_project=False)
    if not series:
        return []
    colours = colours_of([one.name for one in series])
    whole = _together(Series("", "", [one.total for one in series], [one.held for one in series]))
    return [
        element("h2", f"Flavors × hours per {flavors.step}"),
        _chart("Flavors", flavors, _named(series), colours, whole),
    ]


def _chart(
    title: str, told: OverTime, named: dict[str, Series], colours: Colours, caption: str = ""
) -> Markup:
    """Those with a colour of their own, the greatest at the bottom, and all others as one."""
    own = [named[name] for name in colours if name in named]
    shown = dict(zip(_names(named, colours), most_of(own, OWN_COLOURS + 1), strict=False))
    chosen = {name: colours.get(name, f"c{LAST_COLOUR}") for name in shown}
    steps = [
        {name: float(one.together[place]) for name, one in shown.items()}
        for place in range(len(told.edges) - 1)
    ]
    return element(
        "figure",
        columns(title, labels_of(told.edges, told.step), steps, chosen),
        legend(list(chosen.items())),
        *([element("figcaption", caption)] if caption else []),
    )


def _names(named: dict[str, Series], colours: Colours) -> Sequence[str]:
    own = [name for name in colours if name in named]
    if len(own) <= OWN_COLOURS + 1:
        return own
    return [*own[:OWN_COLOURS], f"{len(own) - OWN_COLOURS:,} others"]


def _named(series: Iterable[Series]) -> dict[str, Series]:
    """By project, or by name where they are of all projects."""
    return {one.project or one.name: one for one in series}


def _together(one: Series) -> str:
    if not one.held:
        return f"Together {hours(one.total)}."
    return f"Claims together {hours(one.total)}, and holds {hours(one.held)}; both are drawn."


def _table(what: str, currency: str, series: list[Series]) -> Markup:
    total = sum((one.total for one in series), Decimal(0))
    rows = [
        row("td", one.project or one.name, f"{one.total:,}", numbers=(1,))
        for one in most_of(series, MOST_ROWS)
    ]
    return element(
        "section",
        element("h2", f"By {what.lower()}"),
        element(
            "table",
            element("thead", row("th", what, currency, numbers=(1,))),
            element("tbody", *rows),
            element("tfoot", row("td", "Total", f"{total:,}", numbers=(1,))),
        ),
    )


def _explained(with_costs: bool) -> list[Markup]:
    sentences = [
        "Use is an amount times how long it was held: four CPUs for half an hour are two.",
        "A flavor counts for as long as all that it is made of is held.",
        "Steps are hours, days or months in UTC; the first and the last may be parts of one.",
    ]
    if with_costs:
        sentences.append(
            "Each step costs what the bills for it say, so the steps add up to the bills of the "
            "whole time, to the cent."
        )
    return [
        element(
            "section",
            element("h2", "How it was worked out"),
            element("ul", *(element("li", sentence) for sentence in sentences)),
            class_="whole",
        )
    ]
