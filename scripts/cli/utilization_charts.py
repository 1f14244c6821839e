"""Charts of utilization: what is used, sellable and stranded; its course; how trees are spread."""

from collections.abc import Sequence

from scripts.cli.client import Body
from scripts.cli.drawing import (
    WIDTH,
    drawing,
    line,
    rectangle,
    short,
    tick_labels,
    ticks,
    under_columns,
    words,
)
from scripts.cli.markup import Markup
from scripts.cli.utilization_read import stranded_part

USED, STRANDED, FREE = "c0", "stranded", "free"
MEANING = [("in use", USED), ("stranded", STRANDED), ("free", FREE)]
ROW = 28.0
NAME_WIDTH, NUMBERS_WIDTH = 250.0, 190.0
HEIGHT, TOP, LEFT, BOTTOM = 150.0, 12.0, 70.0, 24.0
BINS = 10
CELL = 30.0


def split_bars(title: str, rows: Sequence[tuple[str, Body]]) -> Markup:
    """A bar for each class, as long as its capacity: in use, stranded and free."""
    room = WIDTH - NAME_WIDTH - NUMBERS_WIDTH
    drawn = []
    for place, (name, told) in enumerate(rows):
        top = place * ROW
        used = min(1.0, told["usage"] / told["capacity"]) if told["capacity"] else 0.0
        stranded = min(1.0 - used, stranded_part(told))
        hover = (
            f"{name}: capacity {told['capacity']:,}, in use {told['usage']:,}, "
            f"stranded {told['stranded'] or 0:,}"
        )
        drawn.append(words(short(name), NAME_WIDTH - 12, top + 18, "end"))
        left = NAME_WIDTH
        for colour, part in ((USED, used), (STRANDED, stranded), (FREE, 1.0 - used - stranded)):
            if part > 0:
                drawn.append(
                    rectangle(
                        colour, x=left, y=top + 5, width=part * room, height=ROW - 10, hover=hover
                    )
                )
            left += part * room
        numbers = f"{_percent(used)} used, {_percent(stranded)} stranded"
        drawn.append(words(numbers, NAME_WIDTH + room + 10, top + 18))
    return drawing(len(rows) * ROW, title, *drawn)


def _percent(part: float) -> str:
    """With one decimal where there is little of it, so that little is not nothing."""
    return f"{part:.1%}" if 0 < part < 0.1 else f"{part:.0%}"


def course(title: str, labels: Sequence[str], told: Body) -> Markup:
    """A column for the average of each step, and a line above it for its peak."""
    means, peaks = told["means"], told["peaks"]
    marks = ticks(max((one or 0.0 for one in peaks), default=0.0) * 100)
    scale = (HEIGHT - TOP - BOTTOM) / marks[-1] * 100
    width = (WIDTH - LEFT) / max(1, len(means))
    floor_y = HEIGHT - BOTTOM
    drawn = []
    for mark, label in zip(marks, tick_labels(marks), strict=True):
        y = floor_y - mark * scale / 100
        drawn += [
            line("soft" if mark == 0 else "rule", LEFT, WIDTH, y),
            words(f"{label} %", LEFT - 8, y + 4, "end", "soft"),
        ]
    for place, (mean, peak) in enumerate(zip(means, peaks, strict=True)):
        if mean is None:
            continue
        left, wide = LEFT + (place + 0.12) * width, width * 0.76
        hover = f"{labels[place]}: {mean:.1%} on average, {peak or 0:.1%} at most"
        height = max(mean * scale, 0.0)
        drawn.append(
            rectangle(USED, x=left, y=floor_y - height, width=wide, height=height, hover=hover)
        )
        if peak is not None:
            y = floor_y - peak * scale - 1
            drawn.append(rectangle("c1", x=left, y=y, width=wide, height=2.0, hover=hover))
    drawn += under_columns(labels, LEFT, HEIGHT - 7)
    described = f"On average {told['mean'] or 0:.1%} in use, at most {told['peak'] or 0:.1%}."
    return drawing(HEIGHT, title, *drawn, description=described)


def heat_map(title: str, spread: Sequence[tuple[str, Sequence[int]]]) -> Markup:
    """How many trees are how full, by class: the more trees, the fuller the colour."""
    wide = (WIDTH - NAME_WIDTH) / BINS
    bins = [f"{n * 100 // BINS}-{(n + 1) * 100 // BINS} %" for n in range(BINS)]
    drawn = [
        words(name, NAME_WIDTH + (n + 0.5) * wide, 14, "middle", "soft")
        for n, name in enumerate(bins)
    ]
    for place, (name, counts) in enumerate(spread):
        top = 22.0 + place * CELL
        drawn.append(words(short(name), NAME_WIDTH - 12, top + 19, "end"))
        whole = sum(counts) or 1
        for n, count in enumerate(counts):
            x = NAME_WIDTH + n * wide
            hover = f"{name}: {count:,} of {whole:,} are {bins[n]} in use"
            drawn += _cell(count / whole, x, top, wide, hover)
            if count:
                drawn.append(words(f"{count:,}", x + wide / 2, top + 19, "middle"))
    return drawing(22.0 + len(spread) * CELL, title, *drawn)


def course_map(
    title: str, labels: Sequence[str], rows: Sequence[tuple[str, Sequence[float | None]]]
) -> Markup:
    """How full each of some trees was in each step: the fuller, the fuller the colour."""
    wide = (WIDTH - NAME_WIDTH) / max(1, len(labels))
    drawn = []
    for place, (name, means) in enumerate(rows):
        top = place * CELL
        drawn.append(words(short(name), NAME_WIDTH - 12, top + 19, "end"))
        for n, mean in enumerate(means):
            if mean is not None:
                hover = f"{name}, {labels[n]}: {_percent(mean)} on average"
                drawn += _cell(mean, NAME_WIDTH + n * wide, top, wide, hover)
    height = len(rows) * CELL
    drawn += under_columns(labels, NAME_WIDTH, height + 16)
    return drawing(height + 22, title, *drawn)


def _cell(part: float, x: float, y: float, wide: float, hover: str) -> list[Markup]:
    """The emptiest is as the ground is; five shades for all others."""
    gap = min(1.0, wide / 10)
    colours = ["free"] if part <= 0 else ["free", f"heat h{1 + min(4, int(part * 5))}"]
    return [
        rectangle(
            colour,
            x=x + gap,
            y=y + 1,
            width=wide - 2 * gap,
            height=CELL - 2,
            hover=hover,
        )
        for colour in colours
    ]


def spread_of(sites: Sequence[Body], resource_class: str) -> list[int]:
    """How many sites are in use to 0-10 %, 10-20 % and so on; the last bin takes all beyond."""
    counts = [0] * BINS
    for site in sites:
        for told in site["classes"]:
            if told["resource_class"] == resource_class and told["utilization"] is not None:
                counts[min(BINS - 1, int(told["utilization"] * BINS))] += 1
    return counts
