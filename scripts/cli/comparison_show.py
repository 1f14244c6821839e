"""Two price books side by side, on the screen."""

from decimal import Decimal

from scripts.cli import screen
from scripts.cli.comparison_read import Comparison

MOST_PROJECTS = 40
SUMS = ("total", "other_total", "difference")


def show(found: Comparison) -> None:
    told, projects = found.answer, found.projects
    name, other = found.names
    screen.say(f"period    {told['period']}, up to {screen.second(told['until'])} UTC")
    screen.say(f"rests on  position {told['position']:,} of the log")
    if not projects:
        screen.say("Nobody held anything in this period.")
        return
    rows = [
        (one["project_id"], *(Decimal(one[what]) for what in SUMS))
        for one in projects[:MOST_PROJECTS]
    ]
    sums = tuple(found.sum_of(what) for what in SUMS)
    screen.table(
        ("project", name, other, "difference", "share"),
        (
            (project, f"{total:,}", f"{by_other:,}", f"{more:+,}", share_of(more, total))
            for project, total, by_other, more in (*rows, ("all projects", *sums))
        ),
        right=(name, other, "difference", "share"),
        title=f"in {told['currency']}",
    )
    if len(projects) > MOST_PROJECTS:
        screen.say(f"The other {len(projects) - MOST_PROJECTS:,} projects: --json or --html.")


def share_of(more: Decimal, total: Decimal) -> str:
    """`+12.5%`; empty where there is nothing to compare with."""
    return f"{more / total:+.1%}" if total else ""
