"""Trees that are alike for a query: what serves it in one of them serves it in all.

Hosts are bought by the dozen. Where each part of a query could be served by the same places of two
trees, with as much left there, the combinations are the same, too. They are walked through once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from projections.candidate_groups import CandidateQuery
from projections.candidate_walk import AllocationRequest, Part, TreeWalk
from projections.live_capacity import LiveCapacity
from projections.live_filters import has_any

Rows = NDArray[np.int64]
Options = Sequence[tuple[Part, Rows, Rows, Rows]]
"""Each part; and of each tree, in order: where its rows begin, how many there are; and the rows."""


COUNTS = ("kind", "capacity", "usage", "max_unit")


@dataclass(frozen=True, slots=True)
class AlikeTrees:
    """`rows`: of each tree (a row) the providers that could serve a part (a column each). The
    requests are those of the first tree."""

    rows: Rows
    requests: list[AllocationRequest]


def alike_trees(
    view: LiveCapacity, query: CandidateQuery, options: Options, most: int
) -> Iterator[AlikeTrees]:
    """All trees, those that are alike together, with at most so many requests each. Not for queries
    with rules on subtrees."""
    counts = np.stack([count for _, _, count, _ in options], axis=1)
    for chosen in _equal(counts):
        widths = counts[chosen[0]]
        rows = np.concatenate(
            [
                some[start[chosen][:, None] + np.arange(width)]
                for (_, start, _, some), width in zip(options, widths, strict=True)
            ],
            axis=1,
        )
        for alike in _equal(_looks(view, options, widths, rows)):
            requests = _walk(view, query, options, widths, rows[alike[0]])
            yield AlikeTrees(rows[alike], list(islice(requests, most)))


def at_most(most: int, trees: Iterable[AlikeTrees]) -> Iterator[AlikeTrees]:
    """Those of the trees that have so many requests together; of the last one perhaps not all."""
    for alike in trees:
        each = len(alike.requests)
        whole, rest = divmod(most, each) if each else (0, 0)
        if whole and each:
            yield AlikeTrees(alike.rows[:whole], alike.requests)
        if rest and whole < len(alike.rows):
            yield AlikeTrees(alike.rows[whole : whole + 1], alike.requests[:rest])
        most -= min(most, len(alike.rows) * each)


def _walk(
    view: LiveCapacity, query: CandidateQuery, options: Options, widths: Rows, rows: Rows
) -> Iterator[AllocationRequest]:
    ends = np.cumsum(widths)
    parts = [
        (part, rows[end - width : end].tolist())
        for (part, *_), width, end in zip(options, widths, ends, strict=True)
    ]
    return TreeWalk(view, query, parts).requests()


def _looks(view: LiveCapacity, options: Options, widths: Rows, rows: Rows) -> Rows:
    """For each tree all that the walk looks at: places, what is left of classes that several parts
    ask for, and traits that a group has to have together."""
    columns: list[NDArray[Any]] = [_places(view)[rows]]
    asked = [name for part, *_ in options for name, _ in part.resources]
    ends = np.cumsum(widths)
    for (part, *_), width, end in zip(options, widths, ends, strict=True):
        here = rows[:, end - width : end]
        contested = [name for name, _ in part.resources if asked.count(name) > 1]
        columns += [view.columns[count, name][here] for name in contested for count in COUNTS]
        if not part.group.is_granular:
            required = part.group.required_traits
            columns += [has_any(view, "trait", names)[here] for names in required]
    return np.concatenate(columns, axis=1, dtype=np.int64)


def _places(view: LiveCapacity) -> Rows:
    """Each row's place among those of its tree."""

    def count() -> Rows:
        places = np.zeros(view.columns.length, dtype=np.int64)
        for root in np.unique(view.forest.roots).tolist():
            members = view.forest.members(root)
            places[members] = np.arange(len(members))
        return places

    return view.remembered("places in trees", count)


def _equal(table: Rows) -> list[Rows]:
    """The lines of a table, those that are equal together."""
    if (table == table[0]).all():
        return [np.arange(len(table))]
    lines = np.ascontiguousarray(table).view(np.dtype((np.void, table.shape[1] * table.itemsize)))
    numbers: dict[bytes, list[int]] = {}
    for number, line in enumerate(lines[:, 0].tolist()):
        numbers.setdefault(line, []).append(number)
    return [np.array(some, dtype=np.int64) for some in numbers.values()]
