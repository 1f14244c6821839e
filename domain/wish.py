"""A wish: what is asked for, without who asks; what would do instead; and what is preferred."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.component import Component, ProviderConditions, StoredComponent
from domain.events import Fact
from domain.values import ClassName, ComponentLabel, Uuid

Labels = Annotated[tuple[ComponentLabel, ...], Field(min_length=2, max_length=64)]
Rule = Annotated[tuple[Labels, ...], Field(max_length=20)]


class OptionConditions(ProviderConditions):
    """Conditions on all components together, and rules between those that have a label.

    `in_tree` is a provider: only its tree, and what shares with it. `same_subtree`: of the
    providers that serve these components, one is the others' ancestor, or the only one.
    `different_providers`: none serves two of these components.
    """

    in_tree: Uuid | None = None
    same_subtree: Rule = ()
    different_providers: Rule = ()

    def require_known_labels(self, components: Iterable[Component]) -> None:
        """Raises ValueError for a label that is there twice, or that no component has."""
        labels = [one.label for one in components if one.label is not None]
        if len(set(labels)) < len(labels):
            raise ValueError("two components have the same label")
        for rule in (*self.same_subtree, *self.different_providers):
            if len(set(rule)) < len(rule):
                raise ValueError("a rule names a component twice")
            if unknown := sorted(set(rule) - set(labels)):
                raise ValueError(f"no component has the label {unknown[0]}")


class Option(OptionConditions):
    """One way to serve a wish."""

    components: Annotated[tuple[StoredComponent, ...], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _knows_its_labels(self) -> Self:
        self.require_known_labels(self.components)
        return self


# --- Preferences ----------------------------------------------------------------------------------

Policy = Literal["first_fit", "pack", "spread", "least_stranding"]
"""Which of the trees that fit: the first by registration, the fullest, the emptiest, or that where
the least is stranded by it."""
ScoreName = Literal["pack", "spread", "least_stranding"]
MOST_AMONG = 64
LARGEST_SEED = 2**53 - 1
"""Seeds pass through JSON readers that know only floating-point numbers."""


class Preference(Fact):
    """A policy, or weights over scores of 0 to 1000.

    `classes` are those by which pack and spread tell full trees from empty ones; all, if none is
    named. With `among`, one of so many best is taken, by chance: so that several who ask at once do
    not all reach for the same. The seed is recorded, and may be given.
    """

    policy: Policy | None = None
    weights: (
        Annotated[
            dict[ScoreName, Annotated[int, Field(ge=-1000, le=1000, strict=True)]],
            Field(min_length=1),
        ]
        | None
    ) = None
    classes: Annotated[tuple[ClassName, ...], Field(max_length=32)] = ()
    among: Annotated[int, Field(ge=1, le=MOST_AMONG, strict=True)] = 1
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED, strict=True)] | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if self.policy is not None and self.weights is not None:
            raise ValueError("give either a `policy` or `weights`")
        return self


Affinity = Literal["affinity", "anti_affinity", "soft_affinity", "soft_anti_affinity"]
"""To the trees in which other consumers of the group hold something; the soft ones prefer only."""


class Wish(Option):
    """The first option is the wish itself; its alternatives are tried in their order."""

    alternatives: Annotated[tuple[Option, ...], Field(max_length=16)] = ()
    affinity: Affinity | None = None
    preference: Preference = Preference()

    @property
    def options(self) -> tuple[Option, ...]:
        return (self, *self.alternatives)
