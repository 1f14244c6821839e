"""Allocation candidates: every way in which the providers could serve a query."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from api.placement.call import Answer, Call
from api.placement.candidate_json import CandidateJson
from api.placement.faults import Fault
from api.placement.query_groups import read_query
from api.placement.routes import Route, Routes
from domain.books import Books
from domain.catalog import ResourceClass, Trait
from projections.candidate_groups import CandidateQuery, RequestGroup
from projections.live_candidates import LiveCandidates
from projections.live_capacity import LiveCapacity


async def list_candidates(call: Call) -> Answer:
    query, limit = read_query(call)
    possible = await call.ask(lambda books: _is_possible(books, query))
    body = await call.house.live(lambda view: _found(call, view, query, limit, possible=possible))
    return Answer(200, body, is_dated=True)


def _found(
    call: Call, view: LiveCapacity, query: CandidateQuery, limit: int | None, *, possible: bool
) -> bytes:
    told = CandidateJson(view, call.minor, query)
    if not possible:
        return told.of_requests([])
    candidates = LiveCandidates(view, query)
    rows = candidates.flat_rows()
    if rows is not None:
        return told.of_rows(rows if limit is None else rows[:limit])
    return told.of_requests(islice(candidates.requests(), limit))


# --- Names that are not known ---------------------------------------------------------------------


def _is_possible(books: Books, query: CandidateQuery) -> bool:
    """False where something that is asked for cannot be found at all. Raises a Fault (400) for
    unknown names, as far as Placement would have come to look at them."""
    _require_traits(books, {*query.root_required, *query.root_forbidden})
    return all(_is_group_possible(books, group) for group in query.groups)


def _is_group_possible(books: Books, group: RequestGroup) -> bool:
    for name in group.resources:
        if not books.get(ResourceClass, name).known:
            detail = f"No such resource class {name}."
            raise Fault(400, f"Invalid resource class in resources parameter: {detail}")
    _require_traits(
        books, {*group.forbidden_traits, *(name for some in group.required_traits for name in some)}
    )
    return group.in_tree is None or books.search.knows(group.in_tree)


def _require_traits(books: Books, names: Iterable[str]) -> None:
    if unknown := sorted(name for name in names if not books.get(Trait, name).known):
        raise Fault(400, f"No such trait(s): {', '.join(unknown)}.")


ROUTES: Routes = {
    "/allocation_candidates": {
        "GET": Route(
            list_candidates, "placement:allocation_candidates:list", since=10, shows_json=True
        )
    }
}
