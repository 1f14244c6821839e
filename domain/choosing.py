"""How a wish is decided: option by option, and tree by tree in the order of the preference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from domain.allocation import Shares
from domain.books import Books, Ranking
from domain.decision import MOST_CANDIDATES, Decision, Relaxation, Scored
from domain.demand import Affinities, Demand
from domain.errors import Invalid
from domain.known_names import require_classes, require_traits
from domain.placing import Effort, Placement, place_in_tree
from domain.provider import Provider
from domain.relaxing import relaxed
from domain.request import Reason
from domain.wish import Preference, Wish

MOST_LINES = 128
"""Amounts and selections of one option, all components together."""
MOST_RELAXATIONS = 3
MOST_RELAXATIONS_TRIED = 20


@dataclass(frozen=True)
class Asked:
    """A wish that makes sense, as it is decided: a demand for each option, and the preference."""

    demands: tuple[Demand, ...]
    preference: Preference


@dataclass(frozen=True)
class Choice:
    placement: Placement
    decision: Decision


@dataclass(frozen=True)
class Surroundings:
    """What the same append changes besides: what it gives back, and what others in it take."""

    freed: Shares = field(default_factory=dict)
    taken: Sequence[Shares] = ()
    own_trees: Sequence[tuple[str, ...]] = ()
    """Trees to be tried before all others."""
    effort: Effort = field(default_factory=Effort)


@dataclass(frozen=True)
class Refusal:
    reasons: tuple[Reason, ...]
    considered: int
    relaxations: tuple[Relaxation, ...]


def asked(books: Books, wish: Wish, affinities: Affinities, seed: int) -> Asked:
    """Raises Invalid where the wish contradicts itself or names what is unknown."""
    require_classes(books, wish.preference.classes)
    demands = tuple(Demand.of(option, affinities) for option in wish.options)
    for demand in demands:
        _require_sense(books, demand)
    return Asked(demands, _resolved(wish.preference, books.preference, seed))


def choose(books: Books, asked: Asked, around: Surroundings | None = None) -> Choice | None:
    """The first that fits of `choices`."""
    return next(choices(books, asked, around), None)


def choices(books: Books, asked: Asked, around: Surroundings | None = None) -> Iterator[Choice]:
    """What really fits, one placement for each proposed tree: the preferred ones first."""
    around = around or Surroundings()
    for index, demand in enumerate(asked.demands):
        ranking = books.search.rank(demand, asked.preference)
        for tree in dict.fromkeys(around.own_trees) if around.own_trees else ():
            placement = _place(books, demand, tree, around)
            if placement is not None:
                yield Choice(placement, _decision(index, asked.preference, ranking, tree))
        for tree in ranking.trees():
            if around.effort.steps <= 0:
                return
            placement = _place(books, demand, tree, around)
            if placement is not None:
                yield Choice(placement, _decision(index, asked.preference, ranking, tree))


def refusal(books: Books, asked: Asked) -> Refusal:
    """Why nothing fits, of each option, and the smallest changes that would have helped."""
    reasons: list[Reason] = []
    considered = 0
    for index, demand in enumerate(asked.demands):
        found, considered = books.search.reasons(demand)
        reasons += [one.model_copy(update={"option": index}) if index else one for one in found]
    return Refusal(tuple(reasons), considered, tuple(_relaxations(books, asked)))


def _relaxations(books: Books, asked: Asked) -> Iterable[Relaxation]:
    """Those that the aggregates confirm, of all options, the smallest first."""
    found: list[Relaxation] = []
    around = Surroundings()
    for index, demand in enumerate(asked.demands):
        confirmed = 0
        for tried, one in enumerate(books.search.relaxations(demand)):
            if confirmed == MOST_RELAXATIONS or tried == MOST_RELAXATIONS_TRIED:
                break
            less = relaxed(demand, one.changes)
            tree = books.search.tree_of(one.provider_id)
            if less.lines and _place(books, less, tree, around) is not None:
                found.append(one.model_copy(update={"option": index}) if index else one)
                confirmed += 1
    found.sort(key=lambda one: one.cut)
    return found[:MOST_RELAXATIONS]


def _place(
    books: Books, demand: Demand, tree: tuple[str, ...], around: Surroundings
) -> Placement | None:
    providers = [books.get(Provider, provider_id) for provider_id in tree]
    return place_in_tree(demand, providers, around.freed, around.taken, around.effort)


def _decision(
    option: int, preference: Preference, ranking: Ranking, tree: tuple[str, ...]
) -> Decision:
    root = tree[0]
    best = ranking.best(MOST_CANDIDATES)
    if all(one.provider_id != root for one in best):
        chosen = Scored(provider_id=root, score=ranking.score(root))
        best = (*best[: MOST_CANDIDATES - 1], chosen)
    return Decision(
        option=option,
        preference=preference,
        chosen=root,
        fitting=ranking.fitting,
        candidates=best,
        stranding=ranking.stranding(root),
    )


def _resolved(stated: Preference, default: Preference, seed: int) -> Preference:
    """With the service's own policy where none is stated, and a seed where chance is to be used."""
    if stated.policy is None and stated.weights is None:
        among = max(stated.among, default.among)
        stated = default.model_copy(update={"among": among, "seed": stated.seed})
    if stated.among > 1 and stated.seed is None:
        return stated.model_copy(update={"seed": seed})
    return stated


def _require_sense(books: Books, demand: Demand) -> None:
    if len(demand.lines) > MOST_LINES:
        raise Invalid(
            "request_too_large", f"asks for {len(demand.lines)} things; {MOST_LINES} is the most"
        )
    require_classes(books, demand.resource_classes)
    require_traits(books, demand.traits)
    for where in demand.wheres:
        if both := where.required & where.forbidden:
            raise Invalid(
                "contradicting_traits", f"both required and forbidden: {', '.join(sorted(both))}"
            )
    for provider_id in demand.named_providers:
        if not books.get(Provider, provider_id).exists:
            raise Invalid("unknown_provider", f"there is no provider {provider_id}")
