"""The charts of a bill, as SVG that needs nothing from elsewhere."""

from datetime import datetime
from math import ceil, floor, log10

from scripts.cli.bill_read import Bill
from scripts.cli.bill_style import PALETTE
from scripts.cli.bill_sums import Course, Sums
from scripts.cli.markup import Markup, element, joined

WIDTH = 900.0
ROW = 28.0
NAME_WIDTH, LETTER = 270.0, 9.0
AMOUNT_WIDTH = 130.0
LONGEST_NAME = 32
HEIGHT, TOP, LEFT, BOTTOM = 240.0, 12.0, 70.0, 24.0
INK, SOFT, RULE, FUTURE = "#1c2126", "#5b646d", "#e3e7eb", "#f3f4f6"

Colours = dict[str, str]


def colours_of(resources: Sums) -> Colours:
    """Each of the greatest has its own, in every chart the same; all others share the last."""
    return {
        name: PALETTE[min(place, len(PALETTE) - 1)] for place, (name, _) in enumerate(resources)
    }


def bars(sums: Sums, colours: Colours) -> Markup:
    """A bar for each name, as long as its amount."""
    greatest = float(max((amount for _, amount in sums), default=0)) or 1.0
    left = min(NAME_WIDTH, 12 + LETTER * max((len(name) for name, _ in sums), default=0))
    room = WIDTH - left - AMOUNT_WIDTH
    drawn = []
    for place, (name, amount) in enumerate(sums):
        top = place * ROW
        length = max(1.0, float(amount) / greatest * room)
        label = element("title", f"{name}: {amount:,}")
        drawn += [
            _text(_short(name), left - 12, top + 18, "end", INK),
            element("rect", label, x=left, y=top + 5, width=length, height=ROW - 10,
                    rx=2, fill=colours.get(name, PALETTE[-1])),
            _text(f"{amount:,}", left + length + 8, top + 18, "start", INK),
        ]  # fmt: skip
    return _drawing(len(sums) * ROW, "Amount by resource", *drawn)


def columns(bill: Bill, course: Course, colours: Colours) -> Markup:
    """A column for each step of the period, its resources upon each other."""
    floor_y = HEIGHT - BOTTOM
    highest = max((sum(step.values()) for step in course.amounts), default=0.0)
    ticks = _ticks(highest)
    scale = (floor_y - TOP) / (ticks[-1] or 1.0)
    width = (WIDTH - LEFT) / len(course.amounts)
    drawn = [*_future(bill, course, width), *_grid(ticks, scale)]
    for place, step in enumerate(course.amounts):
        y, left = floor_y, LEFT + place * width
        for name in colours:
            height = step.get(name, 0.0) * scale
            y -= height
            if height > 0:
                label = element("title", f"{course.label(place)}: {name} {step[name]:,.2f}")
                drawn.append(
                    element("rect", label, x=left + width * 0.12, y=y, width=width * 0.76,
                            height=height, fill=colours[name])
                )  # fmt: skip
        drawn.append(_text(course.label(place), left + width / 2, HEIGHT - 7, "middle", SOFT))
    return _drawing(HEIGHT, f"Amount per {course.step}", *drawn)


def legend(colours: Colours) -> Markup:
    """The resources' colours; those that share one are told as one."""
    own = list(colours.items())[: len(PALETTE) - 1]
    rest = len(colours) - len(own)
    if rest:
        last = list(colours)[-1] if rest == 1 else f"{rest:,} others"
        own.append((last, PALETTE[-1]))
    return element(
        "ul",
        *(
            element(
                "li",
                element("svg", element("rect", width=10, height=10, rx=2, fill=colour),
                        viewBox="0 0 10 10", aria_hidden="true"),
                _short(name),
            )
            for name, colour in own
        ),
        class_="legend",
    )  # fmt: skip


def _future(bill: Bill, course: Course, width: float) -> list[Markup]:
    """The part of the period that nothing can be told of yet."""
    until = datetime.fromisoformat(bill.statement["until"])
    begun = sum(1 for start in course.starts[:-1] if start < until)
    left = LEFT + begun * width
    if begun == len(course.amounts):
        return []
    area = element("rect", x=left, y=TOP, width=WIDTH - left, height=HEIGHT - TOP - BOTTOM,
                   fill=FUTURE)  # fmt: skip
    said = _text("still to come", (left + WIDTH) / 2, TOP + 18, "middle", SOFT)
    return [area, said] if WIDTH - left > 90 else [area]


def _grid(ticks: list[float], scale: float) -> list[Markup]:
    drawn = []
    digits = max(0, -floor(log10(ticks[1]))) if ticks[1] < 1 else 0
    for tick in ticks:
        y = HEIGHT - BOTTOM - tick * scale
        drawn += [
            element("line", x1=LEFT, x2=WIDTH, y1=y, y2=y, stroke=SOFT if tick == 0 else RULE),
            _text(f"{tick:,.{digits}f}", LEFT - 8, y + 4, "end", SOFT),
        ]
    return drawn


def _ticks(highest: float) -> list[float]:
    """From 0 to at least the highest, in three to six steps of 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / 4
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [step * place for place in range(ceil(highest / step - 1e-9) + 1)]


def _drawing(height: float, title: str, *children: Markup) -> Markup:
    return element(
        "svg",
        joined(*children),
        viewBox=f"0 0 {WIDTH:g} {max(1.0, height):g}",
        role="img",
        aria_label=title,
    )


def _text(words: str, x: float, y: float, anchor: str, fill: str) -> Markup:
    return element("text", words, x=x, y=y, text_anchor=anchor, fill=fill)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
