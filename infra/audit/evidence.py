"""Shows a difference: the lines in which two bills differ, and the events that these rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.times import from_micros
from infra.audit.replay import Line, Replay
from infra.audit.stated import Stated

MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class EventInQuestion:
    position: int
    stream: str
    topic: str
    at: datetime
    says: str


@dataclass(frozen=True, slots=True)
class Difference:
    """`stated` and `by_the_log` are lines that only the one bill has, the first of them; `stated`
    is None where nobody tells the lines that the stated total is of."""

    stated: tuple[Line, ...] | None
    by_the_log: tuple[Line, ...]
    events: tuple[EventInQuestion, ...]


def explain(
    replay: Replay, stated: Stated, told: Sequence[Line] | None, right: Sequence[Line]
) -> Difference:
    """`told` are the lines of the stated bill, where they are known."""
    only_told = _without(told or (), right)
    only_right = _without(right, told) if told is not None else ()
    positions = {line.position for line in (*only_told, *only_right)}
    events = [*_charges(replay, stated), *_claim_events(replay, positions, stated.position)]
    units = {
        (line.provider, line.resource_class) for line in (*only_told, *only_right) if line.unit
    }
    events += _inventories(replay, units, stated.position)
    return Difference(
        None if told is None else only_told,
        only_right,
        tuple(sorted(events, key=lambda event: event.position)),
    )


def _without(lines: Iterable[Line], others: Iterable[Line]) -> tuple[Line, ...]:
    left = Counter(others)
    found = []
    for line in lines:
        if left[line] > 0:
            left[line] -= 1
        else:
            found.append(line)
    return tuple(found[:MOST_LINES])


def _charges(replay: Replay, stated: Stated) -> list[EventInQuestion]:
    """What the log says of the statement itself."""
    found = replay.connection.execute(
        "SELECT event_position, stream, "
        "CASE WHEN is_correction THEN 'statement.corrected' ELSE 'statement.closed' END, "
        "recorded_at, "
        "format('{} {} in {} lines, from position {}', total, currency, lines, position)"
        " || coalesce(' after a credit of ' || credit, '') FROM charges "
        "WHERE project = ? AND period = ? AND price_book = ?",
        [stated.project_id, stated.period, stated.publication.price_book],
    )
    return _events(found.fetchall())


def _claim_events(replay: Replay, positions: set[int], until: int) -> list[EventInQuestion]:
    """The events by which the intervals that begin at these positions began and ended, and all of
    the claim that they are part of."""
    found = replay.connection.execute(
        "WITH questioned AS (SELECT stream, claimed_at, position, to_position FROM intervals "
        "WHERE list_contains($positions, position)) "
        "SELECT DISTINCT event.position, event.stream, 'claim.' || kind, event_at, "
        "concat_ws(', ', project, list_aggregate(list_transform(items_of(shares), lambda item: "
        "format('{} {}{} on {}', item.amount, item.class, coalesce(' ' || item.unit, ''), "
        "item.provider)), 'string_agg', ', ')) "
        "FROM claim_events AS event JOIN questioned ON event.stream = questioned.stream "
        "AND (event.position = questioned.to_position OR (event.event_at >= questioned.claimed_at "
        "AND event.position <= questioned.position)) WHERE event.position <= $until",
        {"positions": sorted(positions), "until": until},
    )
    return _events(found.fetchall())


def _inventories(replay: Replay, units: set[tuple[str, str]], until: int) -> list[EventInQuestion]:
    """What the providers said of the units of these classes."""
    events = []
    for provider, resource_class in sorted(units):
        found = replay.connection.execute(
            "SELECT position, 'provider:' || provider, 'provider.inventory_changed', from_at, "
            "class || ' ' || CAST(attributes AS VARCHAR) FROM inventories "
            "WHERE provider = ? AND class = ? AND position <= ?",
            [provider, resource_class, until],
        )
        events += _events(found.fetchall())
    return events


def _events(rows: Iterable[tuple[int, str, str, int, str]]) -> list[EventInQuestion]:
    return [
        EventInQuestion(position, stream, topic, from_micros(at), says)
        for position, stream, topic, at, says in rows
    ]
