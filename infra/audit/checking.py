"""Holds what is stated to what the log says: each bill is worked out anew, from the same position
and by the same publication, and has to be the same to the last digit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from infra.audit.log_source import Progress
from infra.audit.replay import AuditFailed, Publication, Recomputed, Replay
from infra.audit.stated import Recorded, Stated

RATING = 1
"""The version of the rating rules that the steps follow."""

Terms = tuple[Publication, datetime, datetime]
Look = Callable[[int, int, "Checked"], None]
"""Is shown each bill: its place among those that are stated, and its number among those that were
made last, whose lines `Replay.lines` tells."""


class Verdict(StrEnum):
    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_CHECKABLE = "not checkable"


@dataclass(frozen=True, slots=True)
class Checked:
    """`reasons`: in which respects it differs, or why it cannot be checked."""

    stated: Stated
    recomputed: Recomputed | None
    verdict: Verdict
    reasons: tuple[str, ...] = ()


def check(
    replay: Replay, stated: Sequence[Stated], progress: Progress, look: Look | None = None
) -> list[Checked]:
    """In the order in which they are stated."""
    checked: dict[int, Checked] = {}
    why = f"the audit knows rating rules {RATING}, and it was made by others"
    groups: dict[Terms, list[int]] = defaultdict(list)
    for place, one in enumerate(stated):
        if one.recorded is None or one.recorded.rating == RATING:
            groups[one.publication, one.start, one.end].append(place)
        else:
            checked[place] = Checked(one, None, Verdict.NOT_CHECKABLE, (why,))
    for terms, places in groups.items():
        try:
            for bill, found in _recomputed(replay, terms, [stated[place] for place in places]):
                place = places[bill]
                checked[place] = compare(stated[place], found)
                if look is not None:
                    look(place, bill, checked[place])
                progress(len(checked), len(stated))
        except AuditFailed as failed:
            for place in places:
                unknown = Checked(stated[place], None, Verdict.NOT_CHECKABLE, (str(failed),))
                checked.setdefault(place, unknown)
    return [checked[place] for place in range(len(stated))]


def _recomputed(
    replay: Replay, terms: Terms, stated: Sequence[Stated]
) -> Iterator[tuple[int, Recomputed]]:
    for some in replay.recompute(*terms, [one.asked for one in stated]):
        yield from some.items()


def compare(stated: Stated, found: Recomputed) -> Checked:
    reasons = [] if found.unpriced is None else [found.unpriced]
    if found.unpriced is None:
        told = (stated.total, stated.lines, stated.digest, stated.currency)
        right = (Decimal(found.total), found.lines, found.digest, found.currency)
        names = ("total", "lines", "digest", "currency")
        reasons += [
            f"{name}: {one}, by the log {other}"
            for name, one, other in zip(names, told, right, strict=True)
            if one != other
        ]
    if stated.recorded is not None:
        reasons += _wrong_record(stated, stated.recorded)
    return Checked(stated, found, Verdict.DIFFERS if reasons else Verdict.AGREES, tuple(reasons))


def _wrong_record(stated: Stated, event: Recorded) -> Iterator[str]:
    if stated.position >= event.position:
        yield f"position: {stated.position}, but it was charged at {event.position}"
    if event.credit is None:
        return
    if event.before is None:
        yield f"credit: {event.credit}, but nothing was charged before"
    elif event.credit != -event.before:
        yield f"credit: {event.credit}, but {event.before} was charged before"
