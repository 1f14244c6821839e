"""Charts of amounts: bars, and columns over time with their parts upon each other."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from scripts.cli.drawing import (
    LAST_COLOUR,
    WIDTH,
    Colours,
    drawing,
    legend,
    line,
    rectangle,
    short,
    tick_labels,
    ticks,
    under_columns,
    words,
)
from scripts.cli.markup import Markup

ROW = 28.0
NAME_WIDTH, LETTER = 270.0, 9.0
AMOUNT_WIDTH = 130.0
HEIGHT, TOP, LEFT, BOTTOM = 240.0, 12.0, 70.0, 24.0


def bars(title: str, sums: Sequence[tuple[str, Decimal]], colours: Colours) -> Markup:
    """A bar for each name, as long as its amount."""
    greatest = float(max((amount for _, amount in sums), default=0)) or 1.0
    left = min(NAME_WIDTH, 12 + LETTER * max((len(name) for name, _ in sums), default=0))
    room = WIDTH - left - AMOUNT_WIDTH
    drawn = []
    for place, (name, amount) in enumerate(sums):
        top = place * ROW
        length = max(1.0, float(amount) / greatest * room)
        colour = colours.get(name, f"c{LAST_COLOUR}")
        drawn += [
            words(short(name), left - 12, top + 18, "end"),
            rectangle(
                colour,
                x=left,
                y=top + 5,
                width=length,
                height=ROW - 10,
                hover=f"{name}: {amount:,}",
                rounded=2,
            ),
            words(f"{amount:,}", left + length + 8, top + 18),
        ]
    return drawing(len(sums) * ROW, title, *drawn)


def columns(
    title: str,
    labels: Sequence[str],
    steps: Sequence[Mapping[str, float]],
    colours: Colours,
    *,
    begun: int | None = None,
) -> Markup:
    """A column for each step, in the colours' order from below. What comes after the steps that
    have `begun` is marked as still to come."""
    floor_y = HEIGHT - BOTTOM
    marks = ticks(max((sum(step.values()) for step in steps), default=0.0))
    scale = (floor_y - TOP) / (marks[-1] or 1.0)
    width = (WIDTH - LEFT) / max(1, len(steps))
    drawn = [*_future(begun, len(steps), width), *_grid(marks, scale)]
    for place, step in enumerate(steps):
        y = floor_y
        for name, colour in colours.items():
            height = step.get(name, 0.0) * scale
            y -= height
            if height > 0:
                drawn.append(
                    rectangle(
                        colour,
                        x=LEFT + (place + 0.12) * width,
                        y=y,
                        width=width * 0.76,
                        height=height,
                        hover=f"{labels[place]}: {name} {step[name]:,.2f}",
                    )
                )
    drawn += under_columns(labels, LEFT, HEIGHT - 7)
    return drawing(HEIGHT, title, *drawn, description=_described(labels, steps))


def legend_of(colours: Colours) -> Markup:
    """The names' colours; those that share one are told as one."""
    own = list(colours.items())[:LAST_COLOUR]
    rest = len(colours) - len(own)
    if rest:
        last = list(colours)[-1] if rest == 1 else f"{rest:,} others"
        own.append((last, f"c{LAST_COLOUR}"))
    return legend(own)


def _described(labels: Sequence[str], steps: Sequence[Mapping[str, float]]) -> str:
    sums = [sum(step.values()) for step in steps]
    if not any(sums):
        return "Nothing in any step."
    peak = max(range(len(sums)), key=sums.__getitem__)
    return (
        f"{len(steps)} steps from {labels[0]} to {labels[-1]}, together {sum(sums):,.2f}; "
        f"the most, {sums[peak]:,.2f}, in {labels[peak]}."
    )


def _future(begun: int | None, steps: int, width: float) -> list[Markup]:
    """The part of the period that nothing can be told of yet."""
    if begun is None or begun >= steps:
        return []
    left = LEFT + begun * width
    area = rectangle("future", x=left, y=TOP, width=WIDTH - left, height=HEIGHT - TOP - BOTTOM)
    said = words("still to come", (left + WIDTH) / 2, TOP + 18, "middle", "soft")
    return [area, said] if WIDTH - left > 90 else [area]


def _grid(marks: Sequence[float], scale: float) -> list[Markup]:
    drawn = []
    for mark, label in zip(marks, tick_labels(marks), strict=True):
        y = HEIGHT - BOTTOM - mark * scale
        drawn += [
            line("soft" if mark == 0 else "rule", LEFT, WIDTH, y),
            words(label, LEFT - 8, y + 4, "end", "soft"),
        ]
    return drawn
