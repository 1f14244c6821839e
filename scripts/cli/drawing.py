"""What charts are drawn of: SVG that needs nothing from elsewhere, in colours of the page's style.

Colours are classes (`ink`, `soft`, `c0` …), so that a page may have a light and a dark scheme.
"""

from collections.abc import Sequence
from math import ceil, floor, log10

from scripts.cli.markup import Markup, element, joined

WIDTH = 900.0
LETTER = 7.0
"""About the width of a letter of 12 px."""
LONGEST_NAME = 32
LAST_COLOUR = 7
"""The colour that all share that have none of their own."""

Colours = dict[str, str]
"""A class by name."""


def colours_of(names: Sequence[str]) -> Colours:
    """Each of the first has its own, in every chart the same; all others share the last."""
    return {name: f"c{min(place, LAST_COLOUR)}" for place, name in enumerate(names)}


def drawing(height: float, title: str, *children: Markup, description: str = "") -> Markup:
    """An image with a name, and a description for those who do not see it."""
    described = [element("desc", description)] if description else []
    return element(
        "svg",
        joined(*described, *children),
        viewBox=f"0 0 {WIDTH:g} {max(1.0, height):g}",
        role="img",
        aria_label=title,
    )


def rectangle(
    colour: str,
    *,
    x: float,
    y: float,
    width: float,
    height: float,
    hover: str = "",
    rounded: int | None = None,
) -> Markup:
    """`hover` is told where the pointer rests on it."""
    said = [element("title", hover)] if hover else []
    return element("rect", *said, x=x, y=y, width=width, height=height, rx=rounded, class_=colour)


def words(text: str, x: float, y: float, anchor: str = "start", colour: str = "ink") -> Markup:
    return element("text", text, x=x, y=y, text_anchor=anchor, class_=colour)


def line(colour: str, x1: float, x2: float, y: float) -> Markup:
    return element("line", x1=x1, x2=x2, y1=y, y2=y, class_=f"{colour}-line")


def short(name: str, longest: int = LONGEST_NAME) -> str:
    return name if len(name) <= longest else name[: longest - 1] + "…"


def ticks(highest: float) -> list[float]:
    """From 0 to at least the highest, in three to six steps of 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / 4
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [step * place for place in range(ceil(highest / step - 1e-9) + 1)]


def tick_labels(marks: Sequence[float]) -> list[str]:
    """Short: from a million on in millions (M) or thousands of them (G)."""
    for unit, size in (("G", 1e9), ("M", 1e6)):
        if marks[-1] >= size:
            return [f"{mark / size:g}{unit if mark else ''}" for mark in marks]
    digits = max(0, -floor(log10(marks[1]))) if marks[1] < 1 else 0
    return [f"{mark:,.{digits}f}" for mark in marks]


def spaced(labels: Sequence[str], width: float) -> list[tuple[int, str]]:
    """As many of the labels of equal columns, each so wide, as have room beside each other."""
    longest = max((len(label) for label in labels), default=0) * LETTER + LETTER
    every = max(1, ceil(longest / width)) if width else 1
    return [(place, label) for place, label in enumerate(labels) if place % every == 0]


def under_columns(labels: Sequence[str], left: float, y: float) -> list[Markup]:
    """The labels of columns that share the width from `left` on; none reaches over its end."""
    width = (WIDTH - left) / max(1, len(labels))
    return [
        words(label, middle, y, "middle", "soft")
        for place, label in spaced(labels, width)
        for middle in [left + (place + 0.5) * width]
        if middle + len(label) * LETTER / 2 <= WIDTH
    ]


def legend(names: Sequence[tuple[str, str]]) -> Markup:
    """Names with the colours that stand for them."""
    return element(
        "ul",
        *(
            element(
                "li",
                element("svg", element("rect", width=10, height=10, rx=2, class_=colour),
                        viewBox="0 0 10 10", aria_hidden="true"),
                short(name),
            )
            for name, colour in names
        ),
        class_="legend",
    )  # fmt: skip
