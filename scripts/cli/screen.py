"""What every command writes to the terminal with: tables, bars of use, numbers and JSON."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

# A pipe has no width; this one keeps a row of any table of ours on one line.
PIPED_WIDTH = 200


def console() -> "Console":
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)


def note(line: str) -> None:
    """Says how the work goes on, on the error stream."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def write_json(value: Any) -> None:
    say(json.dumps(value, indent=2, ensure_ascii=False))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str = "",
    right: Sequence[str] = (),
) -> None:
    """Prints rows of plain text, columns named in `right` aligned right."""
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        shown.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            # A moment is read at a glance or not at all.
            no_wrap=column == "at",
        )
    for row in rows:
        # Text, not markup: a name of a provider may hold square brackets.
        shown.add_row(*(Text(cell) for cell in row))
    console().print(shown)


def second(time: str) -> str:
    """`2026-11-23 14:32:00`, in UTC as all times are."""
    return time[:19].replace("T", " ")


def number(value: float) -> str:
    """1234567 as 1,234,567; a fraction keeps two digits."""
    whole = int(value)
    return f"{whole:,}" if value == whole else f"{value:,.2f}"


def sparkline(amounts: Sequence[float], most: int = 60) -> str:
    """A small column for each amount beside the greatest; of many, several are put together."""
    together = -(-len(amounts) // most) if amounts else 1
    sums = [sum(amounts[n : n + together]) for n in range(0, len(amounts), together)]
    greatest = max(sums, default=0.0)
    return "".join(" " if one <= 0 else "▁▂▃▄▅▆▇█"[min(7, int(one / greatest * 8))] for one in sums)


def bar(usage: float, capacity: float, width: int = 16) -> str:
    """`████░░░░  50 %`; more than 100 % can be, as an inventory may shrink below its use."""
    share = usage / capacity if capacity > 0 else float(usage > 0)
    filled = min(width, round(share * width))
    return "█" * filled + "░" * (width - filled) + f" {share:4.0%}"
