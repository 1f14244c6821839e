"""How a request was decided, as its events keep it: enough to tell why, and to decide it again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from domain.events import Fact
from domain.values import ClassName
from domain.wish import Preference

MOST_CANDIDATES = 5
"""How many of the best are kept in the event."""


class Scored(Fact):
    """A tree, by its root's id, and its score under the preference: the higher, the better."""

    provider_id: str
    score: int


class Stranding(Fact):
    """How much of the scarcest class is stranded in the chosen tree, before and after.

    It is what is free there, less what the demand of late could use of it: the requests up to the
    log position `as_of`. Decision 18 has the formula.
    """

    resource_class: ClassName
    before: int
    after: int
    as_of: int


class Decision(Fact):
    """`preference` has all that the service added: its own policy, and the seed of any chance.

    `option` is the wish itself (0) or one of its alternatives, from 1. `fitting` counts the trees
    that could serve it by the live view; None where the search stopped at the first. `candidates`
    are the best of them, with the chosen one among them.
    """

    option: Annotated[int, Field(ge=0)] = 0
    preference: Preference = Preference()
    chosen: str
    fitting: int | None = None
    candidates: tuple[Scored, ...] = ()
    stranding: Stranding | None = None


class Change(Fact):
    """A condition of the wish, and how it would have to be less strict.

    `code` is the condition's, as in a refusal's reasons. `component` counts from 0; None: of the
    whole option. `asked` and `possible` are amounts, or numbers of units; without `possible` the
    condition would have to be left out, `names` being its traits or groups.
    """

    code: str
    component: int | None = None
    resource_class: ClassName | None = None
    names: tuple[str, ...] = ()
    asked: int | None = None
    possible: int | None = None
    detail: str


class Relaxation(Fact):
    """Changes of an option that together would have let a tree (by its root's id) serve it.

    `cut` says how much they take away of what was asked, in thousandths; a condition left out
    counts as 1000.
    """

    option: int = 0
    changes: tuple[Change, ...]
    provider_id: str
    cut: int
