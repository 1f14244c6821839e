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
from infra.audit.replay import Publication, Recomputed, Replay
from infra.audit.stated import Stated

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
    """In the order in which they are stated. Raises AuditFailed."""
    checked = {}
    for places, bill, found in _recomputed(replay, stated):
        place = places[bill]
        checked[place] = compare(stated[place], found)
        if look is not None:
            look(place, bill, checked[place])
        progress(len(checked), len(stated))
    for place, one in enumerate(stated):
        checked.setdefault(place, _not_checkable(one))
    return [checked[place] for place in range(len(stated))]


def _recomputed(
    replay: Replay, stated: Sequence[Stated]
) -> Iterator[tuple[list[int], int, Recomputed]]:
    """Those of the same terms together: the places of these, and the number of one among them."""
    groups: dict[Terms, list[int]] = defaultdict(list)
    for place, one in enumerate(stated):
        if one.recorded is None or one.recorded.rating == RATING:
            groups[one.publication, one.start, one.end].append(place)
    for terms, places in groups.items():
        for some in replay.recompute(*terms, [stated[place].asked for place in places]):
            for bill, found in some.items():
                yield places, bill, found


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
    reasons += _wrong_credit(stated)
    return Checked(stated, found, Verdict.DIFFERS if reasons else Verdict.AGREES, tuple(reasons))


def _wrong_credit(stated: Stated) -> list[str]:
    event = stated.recorded
    if event is None or event.credit is None:
        return []
    if event.before is None:
        return [f"credit: {event.credit}, but nothing was charged before"]
    if event.credit != -event.before:
        return [f"credit: {event.credit}, but {event.before} was charged before"]
    return []


def _not_checkable(stated: Stated) -> Checked:
    assert stated.recorded is not None
    why = f"it was made by rating rules {stated.recorded.rating}; the audit knows rules {RATING}"
    return Checked(stated, None, Verdict.NOT_CHECKABLE, (why,))
