"""Why there are no candidates: what the ledger says of the same query as a request of its own.

Placement's answer is an empty list. Its body stays that; a header says where the reasons are.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from api.placement.call import Answer, Call, json_answer
from api.placement.query_groups import read_query
from api.placement.routes import Route, Routes
from domain.books import Books
from domain.choosing import asked, refusal
from domain.component import AmountsComponent
from domain.demand import INDIFFERENT
from domain.errors import Invalid
from domain.wish import Wish
from projections.candidate_groups import CandidateQuery, RequestGroup

PATH = "/allocation_candidates/explanation"


def link_of(call: Call) -> dict[str, str]:
    """The header of an empty answer."""
    return {"link": f'<{call.prefix}{PATH}?{urlencode(call.query)}>; rel="describedby"'}


async def explain_no_candidates(call: Call) -> Answer:
    query, _ = read_query(call)
    return json_answer(await call.ask(lambda books: _explained(books, query)))


def _explained(books: Books, query: CandidateQuery) -> dict[str, Any]:
    """`considered` are trees. Reasons are the first condition that each provider fails."""
    wanted = asked(books, wish_of(query), INDIFFERENT, seed=0)
    why = refusal(books, wanted)
    return {
        "considered": why.considered,
        "reasons": [
            reason.model_dump(mode="json", include={"code", "resource_class", "detail", "count"})
            for reason in why.reasons
        ],
        "relaxations": [one.model_dump(mode="json") for one in why.relaxations],
        "not_looked_at": ["root_required"] if query.root_required or query.root_forbidden else [],
    }


def wish_of(query: CandidateQuery) -> Wish:
    """The query in the ledger's words, but for what roots have to be like. Raises Invalid."""
    groups = [group for group in query.groups if group.resources]
    if not groups:
        raise Invalid("request_too_large", "nothing is asked for")
    labels = [group.suffix for group in groups if group.is_granular]
    together = (tuple(s for s in labels if s in suffixes) for suffixes in query.same_subtree)
    return Wish(
        components=tuple(_component(group) for group in groups),
        in_tree=next((group.in_tree for group in groups if group.in_tree), None),
        different_providers=(tuple(labels),) if query.isolate and len(labels) > 1 else (),
        same_subtree=tuple(some for some in together if len(some) > 1),
    )


def _component(group: RequestGroup) -> AmountsComponent:
    return AmountsComponent(
        label=group.suffix or None,
        granular=group.is_granular,
        resources=dict(group.resources),
        required_traits=tuple(next(iter(some)) for some in group.required_traits if len(some) == 1),
        any_of_traits=tuple(tuple(sorted(some)) for some in group.required_traits if len(some) > 1),
        forbidden_traits=tuple(sorted(group.forbidden_traits)),
        member_of=tuple(tuple(sorted(some)) for some in group.member_of),
        not_member_of=tuple(sorted(group.not_member_of)),
    )


ROUTES: Routes = {
    PATH: {
        "GET": Route(
            explain_no_candidates, "placement:allocation_candidates:list", since=10, shows_json=True
        )
    }
}
