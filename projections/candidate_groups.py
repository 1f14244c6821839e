"""What a client of Placement asks candidates for: groups of resources, and rules between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RequestGroup:
    """Resources from one provider; those of the group without a suffix may come from several of one
    tree, and from what shares with it.

    Of each set of traits or groups at least one is required.
    """

    suffix: str
    resources: Mapping[str, int] = field(default_factory=dict)
    required_traits: Sequence[Collection[str]] = ()
    forbidden_traits: Collection[str] = ()
    member_of: Sequence[Collection[str]] = ()
    not_member_of: Collection[str] = ()
    in_tree: str | None = None

    @property
    def is_granular(self) -> bool:
        return bool(self.suffix)


@dataclass(frozen=True, slots=True)
class CandidateQuery:
    """`isolate`: no provider serves two granular groups. `same_subtree`: of the providers that
    serve these groups one is above the others, or the only one. The root's own traits may be asked
    for. Not `nested`: no two providers of one tree serve a request together.
    """

    groups: Sequence[RequestGroup]
    isolate: bool = False
    same_subtree: Sequence[Collection[str]] = ()
    root_required: Collection[str] = ()
    root_forbidden: Collection[str] = ()
    nested: bool = True
