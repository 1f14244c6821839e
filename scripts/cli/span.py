"""The stretch of time that a command tells of, and the steps that suit it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from scripts.cli import options, screen
from scripts.cli.client import ServiceProblem
from scripts.cli.failure import Failure

PeriodArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="PERIOD", help="A year, a month or a day, in UTC: 2026-11.", show_default=False
    ),
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", callback=options.moment, help="Where it begins."),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until",
        metavar="TIME",
        callback=options.moment,
        help="Where it ends.",
        show_default="now",
    ),
]
StepOption = Annotated[
    str | None,
    typer.Option(
        metavar="hour|day|month", show_default="by the length", help="How finely to tell it."
    ),
]
STEPS = ("hour", "day", "month")
# At most so many hours or days are told where nobody says how finely.
MOST_HOURS, MOST_DAYS = 48, 100
REMEDIES = {
    "at_in_future": "Tell of the past: the period has to begin before the service's clock.",
    "too_many_steps": "Take a greater --step, or a shorter period.",
    "bad_period": "A period begins before it ends.",
}


@dataclass(frozen=True, slots=True)
class Span:
    """RFC 3339. `until` None: the service's own now."""

    start: str
    until: str | None
    step: str

    def parameters(self) -> dict[str, Any]:
        return {"from": self.start, "until": self.until, "step": self.step}


def now() -> datetime:
    return datetime.now(UTC)


def span_of(
    period: str | None, start: str | None, until: str | None, step: str | None, clock: datetime
) -> Span:
    """From what was written: a period or two moments. Without either it is this month."""
    if step is not None and step not in STEPS:
        raise typer.BadParameter(f"{step!r} is no step; write hour, day or month.")
    if start is None and until is None:
        begins, ends = _bounds(period or f"{clock:%Y-%m}")
    elif period is not None or start is None:
        raise typer.BadParameter("write either a PERIOD, or --from and perhaps --until.")
    else:
        begins, ends = _moment(start), clock if until is None else _moment(until)
    return Span(
        options.written(begins),
        # What is not over is told up to the service's clock, whatever ours says.
        None if until is None and ends >= clock else options.written(ends),
        step or _step_for(ends - begins),
    )


def failure_of(problem: ServiceProblem) -> Failure:
    """What the service refused, with the remedy if it is about the time."""
    return Failure(problem.what, REMEDIES.get(problem.code, ""))


def _bounds(period: str) -> tuple[datetime, datetime]:
    from domain.errors import Invalid
    from domain.period import period_of

    try:
        found = period_of(period)
    except Invalid as invalid:
        raise Failure(
            invalid.detail, "A period is a year, a month or a day: 2026, 2026-11 or 2026-11-24."
        ) from None
    return found.start, found.end


def _step_for(length: timedelta) -> str:
    if length <= timedelta(hours=MOST_HOURS):
        return "hour"
    return "day" if length <= timedelta(days=MOST_DAYS) else "month"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def covered(edges: list[str]) -> str:
    """From where the first step begins to where the last one ends."""
    return f"{screen.second(edges[0])} to {screen.second(edges[-1])} UTC"


def labels_of(edges: list[str], step: str) -> list[str]:
    """A short name for each step, without what all of them share."""
    starts = [_moment(edge) for edge in edges[:-1]]
    if step == "month":
        form = "%b" if len({start.year for start in starts}) == 1 else "%b %y"
    elif step == "day":
        form = "%-d" if len({(start.year, start.month) for start in starts}) == 1 else "%b %-d"
    else:
        form = "%H:%M" if len({start.date() for start in starts}) == 1 else "%b %-d %Hh"
    return [start.strftime(form) for start in starts]
