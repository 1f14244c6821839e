"""Allocation candidates: every way in which the providers could serve a query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Literal

from api.placement.call import Answer, Call
from api.placement.candidate_json import NO_CANDIDATES, CandidateJson
from api.placement.explanation import link_of
from api.placement.faults import Fault
from api.placement.query_groups import read_query
from api.placement.routes import Route, Routes
from domain.books import Books
from domain.catalog import ResourceClass, Trait
from projections.candidate_groups import CandidateQuery, RequestGroup
from projections.live_candidates import LiveCandidates
from projections.live_capacity import LiveCapacity


class UnknownTrait(Fault):
    """Looked at later than a class that is not known."""


Hurdle = Fault | Literal["no_such_tree"] | None
"""A name that is not known, or a tree that is not there."""


async def list_candidates(call: Call) -> Answer:
    query, limit = read_query(call)
    hurdles = await call.ask(lambda books: _hurdles(books, query))
    pieces = await call.house.live(lambda view: _found(call, view, query, limit, hurdles))
    headers = link_of(call) if len(pieces) == len(NO_CANDIDATES) else {}
    return Answer(200, pieces[0], rest=pieces[1:], is_dated=True, headers=headers)


def _found(
    call: Call,
    view: LiveCapacity,
    query: CandidateQuery,
    limit: int | None,
    hurdles: Sequence[Hurdle],
) -> list[bytes]:
    told, candidates = CandidateJson(view, call.minor, query), LiveCandidates(view, query)
    if not candidates.has_anchors():
        return told.of_requests([])
    for group, hurdle in zip(query.groups, hurdles, strict=True):
        if hurdle is None:
            continue
        # As in Placement, what comes after a group that nothing serves is not looked at, nor are
        # traits where nobody is in the aggregates.
        before = query.groups[: query.groups.index(group)]
        looked_at = not isinstance(hurdle, UnknownTrait) or candidates.has_members(group)
        if isinstance(hurdle, Fault) and looked_at and all(map(candidates.can_serve, before)):
            raise hurdle
        return told.of_requests([])
    most = min(limit or call.options.max_candidates, call.options.max_candidates)
    rows = candidates.flat_rows()
    if rows is not None:
        return told.of_rows(rows[:most])
    if query.nested:
        by_turns = call.options.candidate_order == "breadth-first"
        return told.of_alike(candidates.alike(most, by_turns=by_turns))
    return told.of_requests(islice(candidates.requests(), most))


# --- Names that are not known ---------------------------------------------------------------------


def _hurdles(books: Books, query: CandidateQuery) -> list[Hurdle]:
    """For each group what keeps it from being served at all. Raises a Fault for a root's traits."""
    if fault := _unknown_traits(books, {*query.root_required, *query.root_forbidden}):
        raise fault
    return [_hurdle(books, group) for group in query.groups]


def _hurdle(books: Books, group: RequestGroup) -> Hurdle:
    for name in group.resources:
        if not books.get(ResourceClass, name).known:
            detail = f"No such resource class {name}."
            return Fault(400, f"Invalid resource class in resources parameter: {detail}")
    required = {name for some in group.required_traits for name in some}
    if fault := _unknown_traits(books, {*group.forbidden_traits, *required}):
        return fault
    there = group.in_tree is None or books.search.knows(group.in_tree)
    return None if there else "no_such_tree"


def _unknown_traits(books: Books, names: Iterable[str]) -> Fault | None:
    unknown = sorted(name for name in names if not books.get(Trait, name).known)
    return UnknownTrait(400, f"No such trait(s): {', '.join(unknown)}.") if unknown else None


ROUTES: Routes = {
    "/allocation_candidates": {
        "GET": Route(
            list_candidates, "placement:allocation_candidates:list", since=10, shows_json=True
        )
    }
}
