"""The use case of reshaping: inventories and allocations of several providers, in one append.

A host's devices become providers of their own, say: what consumers have of the host moves with
them, and at no moment is anything held twice, or by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.assigning import Assignment, assign
from domain.books import Books
from domain.claim import Claim
from domain.draft import Draft
from domain.inventory import Inventories
from domain.known_names import require_classes
from domain.provider import Provider
from domain.request import Request


@dataclass(frozen=True)
class NewInventories:
    """All that a provider is to have, and the generation that the client read."""

    generation: int
    inventories: Inventories


def reshape(
    books: Books,
    at: datetime,
    providers: Mapping[str, NewInventories],
    assignments: Sequence[Assignment],
) -> Provider | Claim | Request:
    """Change all of it or nothing. Returns the request that does not fit, if one does not.

    Raises NotFound, Stale, Invalid and Conflict, as changing inventories and assigning do.
    """
    draft = Draft(books)
    for provider_id, new in providers.items():
        provider = draft.get(Provider, provider_id)
        provider.require_exists()
        provider.require_generation(new.generation)
        require_classes(books, new.inventories)
        if new.inventories:
            # What goes is there until nobody has any of it.
            draft.record(provider.change_inventories(at, new.inventories, confirm=True))
    before = len(draft.events)
    if assignments:
        outcome = assign(draft, at, assignments)
        if isinstance(outcome, Request):
            books.record(draft.events[before:])
            return outcome
    for provider_id, new in providers.items():
        provider = draft.get(Provider, provider_id)
        gone = dict.fromkeys(provider.inventories.keys() - new.inventories.keys())
        draft.record(provider.change_inventories(at, {**new.inventories, **gone}, confirm=True))
    books.record(draft.events)
    if assignments:
        return books.get(Claim, assignments[0].consumer_id)
    return books.get(Provider, next(iter(providers)))
