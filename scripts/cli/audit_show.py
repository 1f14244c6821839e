"""An audit on the screen, and as JSON: what was checked, and what differs."""

from collections.abc import Sequence
from typing import Any

from domain.times import from_micros
from infra.audit.checking import Checked, Verdict
from infra.audit.evidence import Difference, EventInQuestion
from infra.audit.replay import Line
from infra.audit.report import AuditReport
from scripts.cli import screen
from scripts.cli.options import written

MOST_ROWS = 50


def show(report: AuditReport, period: str) -> None:
    if not report.checked:
        screen.say(
            f"By the log, nothing is charged for {period}. With --prices BOOK, what the service "
            "tells of all who held something then is checked, too."
        )
        return
    # What differs is never cut off.
    rows = sorted(report.checked, key=lambda one: one.verdict is Verdict.AGREES)[:MOST_ROWS]
    columns = ("project", "period", "price book", "stated by", "position", "lines", "total", "log")
    screen.table(columns, map(_row, rows), right=("position", "lines", "total"))
    if len(rows) < len(report.checked):
        screen.say(f"The first {len(rows)} of {len(report.checked):,}; --json has all.")
    for place, difference in report.differences.items():
        _explain(report.checked[place], difference)
    screen.say(_summary(report))


def _row(one: Checked) -> tuple[str, ...]:
    stated = one.stated
    book, number = stated.publication
    event = stated.recorded
    by = "the service" if event is None else f"position {event.position:,}"
    return (
        *(stated.project_id, stated.period, f"{book} {number}", by, f"{stated.position:,}"),
        *(f"{stated.lines:,}", f"{stated.total:,} {stated.currency}", one.verdict),
    )


def _summary(report: AuditReport) -> str:
    agree, differ = report.count(Verdict.AGREES), report.count(Verdict.DIFFERS)
    unknown = report.count(Verdict.NOT_CHECKABLE)
    parts = [f"{agree:,} of {len(report.checked):,} bills agree to the last digit"]
    parts += [f"{differ:,} differ"] if differ else []
    parts += [f"{unknown:,} cannot be checked"] if unknown else []
    return ", ".join(parts) + "."


def _explain(checked: Checked, difference: Difference) -> None:
    stated = checked.stated
    screen.say(f"\n{stated.project_id}, {stated.period}, from position {stated.position:,}:")
    for reason in checked.reasons:
        screen.say(f"  {reason}")
    if difference.stated is None:
        screen.say("  No service tells the lines of it (see --url); --lines writes the log's.")
    elif not (difference.stated or difference.by_the_log):
        screen.say("  The service's lines agree with the log's: only what was recorded differs.")
    _lines("only the service has", difference.stated or ())
    _lines("only the log has", difference.by_the_log)
    _events(difference.events)


def _lines(title: str, lines: Sequence[Line]) -> None:
    if lines:
        numbers = ("position", "held", "unit price", "amount")
        screen.table(
            ("position", "at", "until", "price", "resource", "provider", *numbers[1:]),
            (
                (
                    *(str(line.position), _moment(line.from_at), _moment(line.to_at), line.price),
                    *(_resource(line), line.provider, str(line.amount_held)),
                    *(line.unit_price, line.amount),
                )
                for line in lines
            ),
            title=title,
            right=numbers,
        )


def _resource(line: Line) -> str:
    if line.flavor:
        return f"flavor {line.flavor}"
    return f"{line.resource_class} {line.unit}".rstrip()


def _events(events: Sequence[EventInQuestion]) -> None:
    screen.table(
        ("position", "at", "stream", "event", "says"),
        ((str(one.position), written(one.at), one.stream, one.topic, one.says) for one in events),
        title="events in question",
        right=("position",),
    )


def _moment(micros: int) -> str:
    return written(from_micros(micros))


# --- For machines ---------------------------------------------------------------------------------


def as_json(report: AuditReport, period: str, position: int) -> dict[str, Any]:
    """`position` is how far the log was read; a bill's own is the one that it rests on."""
    return {
        "ok": report.ok,
        "period": period,
        "position": position,
        "bills": [
            {**_bill(one), "difference": _difference(report.differences.get(place))}
            for place, one in enumerate(report.checked)
        ],
    }


def _bill(one: Checked) -> dict[str, Any]:
    stated, found, event = one.stated, one.recomputed, one.stated.recorded
    return {
        "project_id": stated.project_id,
        "period": stated.period,
        "until": written(stated.end),
        "price_book": stated.publication.price_book,
        "price_book_number": stated.publication.number,
        "position": stated.position,
        "recorded_position": None if event is None else event.position,
        "currency": stated.currency,
        "total": str(stated.total),
        "lines": stated.lines,
        "digest": stated.digest,
        "by_the_log": None
        if found is None or found.unpriced
        else {"total": found.total, "lines": found.lines, "digest": found.digest},
        "verdict": one.verdict,
        "reasons": list(one.reasons),
    }


def _difference(difference: Difference | None) -> dict[str, Any] | None:
    if difference is None:
        return None
    told = difference.stated
    return {
        "lines_only_stated": None if told is None else [_line(one) for one in told],
        "lines_only_by_the_log": [_line(one) for one in difference.by_the_log],
        "events": [
            {
                "position": one.position,
                "stream": one.stream,
                "type": one.topic,
                "at": written(one.at),
                "says": one.says,
            }
            for one in difference.events
        ],
    }


def _line(line: Line) -> dict[str, Any]:
    return {**line._asdict(), "from_at": _moment(line.from_at), "to_at": _moment(line.to_at)}
