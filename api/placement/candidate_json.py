"""Candidates as JSON, by the thousand: what is the same for all is written once.

An answer may name every provider of the cloud. So nothing is built for each of them that can be
put together from bytes: requests are rows of one table of bytes, in which only the ids differ, and
a provider's summary is kept for as long as nothing in its tree changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic_core import to_json

from api.placement.traits import in_order
from projections.candidate_groups import CandidateQuery
from projections.candidate_shapes import AlikeTrees, members_of
from projections.candidate_walk import AllocationRequest
from projections.id_table import Rows, filled, filled_by_column
from projections.live_capacity import LiveCapacity
from projections.tree_texts import TreeTexts

SINCE_BY_PROVIDER, SINCE_TRAITS, SINCE_ALL_CLASSES, SINCE_TREES, SINCE_MAPPINGS = 12, 17, 27, 29, 34
_ID = re.compile(rb"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
NO_CANDIDATES = [b'{"allocation_requests":[', b'],"provider_summaries":{', b"}}"]
SUMMARIES_IN_A_PIECE = 4_000


class CandidateJson:
    def __init__(self, view: LiveCapacity, minor: int, query: CandidateQuery) -> None:
        self._view = view
        self._minor = minor
        self._query = query

    # --- Where each provider serves the query alone -----------------------------------------------

    def of_rows(self, rows: Rows) -> list[bytes]:
        resources = to_json(dict(self._query.groups[0].resources))
        if self._minor < SINCE_BY_PROVIDER:
            parts = [b'{"allocations":[{"resource_provider":{"uuid":"', b'"},"resources":']
            parts[1] += resources + b"}]}"
        elif self._minor < SINCE_MAPPINGS:
            parts = [b'{"allocations":{"', b'":{"resources":' + resources + b"}}}"]
        else:
            middle = b'":{"resources":' + resources + b'}},"mappings":{"":["'
            parts = [b'{"allocations":{"', middle, b'"]}}']
        return self._answer(filled(self._view, parts, rows), self._each_summary(rows))

    # --- Any requests -----------------------------------------------------------------------------

    def of_requests(self, requests: Iterable[AllocationRequest]) -> list[bytes]:
        """For clients that know of no trees."""
        told: list[bytes] = []
        used: set[int] = set()
        for request in requests:
            told.append(self._request(request))
            used.update(row for row, _ in request.amounts)
        summaries = [self._summary(row) for row in sorted(used)]
        return self._answer([b",".join(told)] if told else [], summaries)

    def _request(self, request: AllocationRequest) -> bytes:
        ids = self._view.ids
        allocations: Any = {ids[row]: {"resources": dict(some)} for row, some in request.amounts}
        if self._minor < SINCE_BY_PROVIDER:
            allocations = [
                {"resource_provider": {"uuid": id}, **one} for id, one in allocations.items()
            ]
        told = {"allocations": allocations}
        if self._minor >= SINCE_MAPPINGS:
            told["mappings"] = {
                suffix: [ids[row] for row in rows] for suffix, rows in request.mappings
            }
        return to_json(told)

    # --- Of trees that are alike ------------------------------------------------------------------

    def of_alike(self, found: Iterable[AlikeTrees]) -> list[bytes]:
        trees = list(found)
        told: list[bytes] = []
        for alike in trees:
            told += [b","] if told else []
            told += self._of_each(alike)
        return self._answer(told, self._each_summary(members_of(self._view, trees)))

    def _of_each(self, alike: AlikeTrees) -> Iterator[bytes]:
        """The requests of one tree as a text of which only the ids are others'."""
        ids = self._view.ids
        column_of = {ids[row].encode(): column for column, row in enumerate(alike.first)}
        text = b",".join(map(self._request, alike.requests))
        pieces = _ID.split(text)
        columns = [column_of[id] for id in pieces[1::2]]
        return filled_by_column(self._view, pieces[::2], columns, alike.rows)

    # --- Summaries --------------------------------------------------------------------------------

    def _answer(self, requests: Iterable[bytes], summaries: Sequence[bytes]) -> list[bytes]:
        """In pieces, as it may be megabytes: each copy of them costs as much as they did."""
        before, between, after = NO_CANDIDATES
        return [before, *requests, between, *_in_pieces(summaries), after]

    def _each_summary(self, rows: Rows) -> list[bytes]:
        if self._minor < SINCE_TREES:
            return [self._summary(row) for row in rows.tolist()]
        kept: TreeTexts = self._view.kept.setdefault("placement summaries", TreeTexts())
        return kept.of(self._view, rows, self._summary)

    def _summary(self, row: int) -> bytes:
        view, columns = self._view, self._view.columns
        classes = view.inventories[row]
        if self._minor < SINCE_ALL_CLASSES:
            asked = {name for group in self._query.groups for name in group.resources}
            classes = {name: one for name, one in classes.items() if name in asked}
        told: dict[str, Any] = {
            "resources": {
                name: {
                    "capacity": int(columns["capacity", name][row]),
                    "used": int(columns["usage", name][row]),
                }
                for name in classes
            }
        }
        if self._minor >= SINCE_TRAITS:
            told["traits"] = in_order(view.traits.of(row))
        if self._minor >= SINCE_TREES:
            parent = view.forest.parent(row)
            told["parent_provider_uuid"] = None if parent < 0 else view.ids[parent]
            told["root_provider_uuid"] = view.ids[view.forest.root(row)]
        return b'"%b":%b' % (view.ids[row].encode(), to_json(told))


def _in_pieces(summaries: Sequence[bytes]) -> Iterator[bytes]:
    for start in range(0, len(summaries), SUMMARIES_IN_A_PIECE):
        if start:
            yield b","
        yield b",".join(summaries[start : start + SUMMARIES_IN_A_PIECE])
