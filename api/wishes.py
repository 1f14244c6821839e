"""What is asked for, as clients write it: a wish whose flavors go by their names."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from domain.books import Books
from domain.component import Component
from domain.expanding import expand
from domain.wish import Affinity, Option, OptionConditions, Preference, Wish

WISH_CODES = (
    "request_too_large",
    "unknown_resource_class",
    "unknown_trait",
    "unknown_provider",
    "contradicting_traits",
    "flavor_not_found",
)


class OptionBody(OptionConditions):
    """One way to serve a wish."""

    components: Annotated[tuple[Component, ...], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _knows_its_labels(self) -> Self:
        self.require_known_labels(self.components)
        return self

    def option(self, books: Books) -> Option:
        return Option(**self._conditions(), components=expand(books, self.components))

    def _conditions(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in OptionConditions.model_fields}


class WishBody(OptionBody):
    """What is asked for, without who asks. Alternatives are tried in their order, if the wish
    itself finds no place."""

    alternatives: Annotated[tuple[OptionBody, ...], Field(max_length=16)] = ()
    affinity: Affinity | None = Field(
        default=None, description="To the other consumers of the consumer's group."
    )
    preference: Preference = Field(
        default=Preference(),
        description="Which of the trees that fit. Empty: the service's own.",
    )

    def wish(self, books: Books) -> Wish:
        """What is stored: flavors are put in their meaning's words of now."""
        return Wish(
            **self._conditions(),
            components=expand(books, self.components),
            alternatives=tuple(one.option(books) for one in self.alternatives),
            affinity=self.affinity,
            preference=self.preference,
        )
