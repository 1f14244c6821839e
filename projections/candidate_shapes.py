"""Trees that are alike for a query: what serves it in one of them serves it in all.

Hosts are bought by the dozen. Where as many rows could serve each part of a query, with as much
left of what parts compete for, the combinations are the same, too. They are walked through once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from projections.candidate_groups import CandidateQuery
from projections.candidate_looks import looks
from projections.candidate_pairs import Pairs, Rows
from projections.candidate_walk import AllocationRequest, Part, TreeWalk
from projections.live_capacity import LiveCapacity
from projections.live_filters import Mask

SMALLEST_CHUNK, LARGEST_CHUNK = 128, 2048
"""Trees that are looked at together: a limit may end the search after the first few."""


@dataclass(frozen=True, slots=True)
class AlikeTrees:
    """`rows`: of each tree (a line) the providers that could serve a part (a column each).
    `requests` are those of the tree whose providers are `first`."""

    first: Sequence[int]
    rows: Rows
    requests: Sequence[AllocationRequest]

    def used(self) -> Rows:
        """The rows of which some request uses something."""
        return self.of({row for request in self.requests for row, _ in request.amounts})

    def of(self, some: Collection[int]) -> Rows:
        """For each tree those that are what these are among `first`."""
        return self.rows[:, [column for column, row in enumerate(self.first) if row in some]]


class TreeShapes:
    """The trees of one query. `sharing`: rows of what may share with other trees."""

    def __init__(
        self,
        view: LiveCapacity,
        query: CandidateQuery,
        parts: Sequence[tuple[Part, Pairs]],
        sharing: Mask,
        most: int,
    ) -> None:
        self._view = view
        self._query = query
        self._parts = parts
        self._sharing = sharing
        self._most = most
        self._walked: dict[bytes, tuple[list[int], list[AllocationRequest]]] = {}
        self._seen: set[AllocationRequest] = set()

    def of(self, anchors: Rows) -> Iterator[AlikeTrees]:
        """All of these trees, those that are alike together, with at most `most` requests each."""
        size, start = min(max(self._most, SMALLEST_CHUNK), LARGEST_CHUNK), 0
        while start < len(anchors):
            yield from self._chunk(anchors[start : start + size])
            start, size = start + size, LARGEST_CHUNK

    def _chunk(self, anchors: Rows) -> Iterator[AlikeTrees]:
        spans = [pairs.spans(anchors) for _, pairs in self._parts]
        counts = np.stack([ends - starts for starts, ends in spans], axis=1)
        for widths, some in _equal(counts):
            rows = np.concatenate(
                [
                    pairs.rows[starts[some][:, None] + np.arange(width)]
                    for (_, pairs), (starts, _), width in zip(
                        self._parts, spans, counts[some[0]], strict=True
                    )
                ],
                axis=1,
            )
            parts = [part for part, _ in self._parts]
            table = looks(self._view, self._query, parts, counts[some[0]], rows)
            # Requests made of what shares only are told apart below.
            table = np.concatenate([table, self._sharing[rows]], axis=1)
            for look, alike in _equal(table):
                first, requests = self._walk(widths + look, counts[some[0]], rows[alike[0]])
                yield from self._once_each(AlikeTrees(first, rows[alike], requests))

    def _walk(
        self, key: bytes, widths: Rows, rows: Rows
    ) -> tuple[list[int], list[AllocationRequest]]:
        known = self._walked.get(key)
        if known is None:
            choices = np.split(rows, np.cumsum(widths)[:-1])
            parts = [
                (part, some.tolist()) for (part, _), some in zip(self._parts, choices, strict=True)
            ]
            requests = TreeWalk(self._view, self._query, parts).requests()
            known = self._walked[key] = rows.tolist(), list(islice(requests, self._most))
        return known

    def _once_each(self, alike: AlikeTrees) -> Iterator[AlikeTrees]:
        """What shares may serve it all, and then each tree that it shares with would."""
        own: list[AllocationRequest] = []
        others: list[tuple[AllocationRequest, set[int]]] = []
        for request in alike.requests:
            serve = {row for _, rows in request.mappings for row in rows}
            if all(self._sharing[row] for row in serve):
                others.append((request, serve))
            else:
                own.append(request)
        if own:
            yield AlikeTrees(alike.first, alike.rows, own)
        for request, serve in others:
            lines = np.unique(alike.of(serve), axis=0, return_index=True)[1]
            for line in np.sort(lines).tolist():
                rows = alike.rows[line].tolist()
                moved = _moved(request, dict(zip(alike.first, rows, strict=True)))
                if moved not in self._seen:
                    self._seen.add(moved)
                    yield AlikeTrees(rows, alike.rows[line : line + 1], [moved])


def at_most(most: int, trees: Iterable[AlikeTrees]) -> Iterator[AlikeTrees]:
    """Those of the trees that have so many requests together; of the last one perhaps not all."""
    for alike in trees:
        each = len(alike.requests)
        whole, rest = divmod(most, each)
        if whole:
            yield AlikeTrees(alike.first, alike.rows[:whole], alike.requests)
        if rest and whole < len(alike.rows):
            yield AlikeTrees(alike.first, alike.rows[whole : whole + 1], alike.requests[:rest])
        most -= len(alike.rows) * each
        if most <= 0:
            return


def by_turns(most: int, trees: Iterable[AlikeTrees]) -> Iterator[AlikeTrees]:
    """One request of each tree, then another one of each; of no more trees than are needed."""
    taken: list[AlikeTrees] = []
    for alike in trees:
        taken.append(alike)
        if sum(len(one.rows) for one in taken) >= most:
            break
    for turn in range(max((len(one.requests) for one in taken), default=0)):
        for one in taken:
            if turn < len(one.requests):
                yield AlikeTrees(one.first, one.rows, one.requests[turn : turn + 1])


def members_of(view: LiveCapacity, trees: Sequence[AlikeTrees]) -> Rows:
    """All rows of the trees that some request names a provider of."""
    if not trees:
        return np.empty(0, dtype=np.int64)
    used = np.concatenate([alike.used().reshape(-1) for alike in trees])
    return view.forest.trees(np.unique(view.forest.roots[used])).rows


def _moved(request: AllocationRequest, to: dict[int, int]) -> AllocationRequest:
    return AllocationRequest(
        tuple(sorted((to[row], amounts) for row, amounts in request.amounts)),
        tuple(
            (suffix, tuple(sorted(to[row] for row in rows))) for suffix, rows in request.mappings
        ),
    )


def _equal(table: Rows) -> Iterator[tuple[bytes, Rows]]:
    """The different lines of a table, each with the numbers of those that are equal to it."""
    if (table == table[0]).all():
        yield table[0].tobytes(), np.arange(len(table))
        return
    lines = np.ascontiguousarray(table).view(np.dtype((np.void, table.shape[1] * table.itemsize)))
    numbers: dict[bytes, list[int]] = {}
    for number, line in enumerate(lines[:, 0].tolist()):
        numbers.setdefault(line, []).append(number)
    for line, some in numbers.items():
        yield line, np.array(some, dtype=np.int64)
