"""Placement's candidates: what the search lists is what trying out everything lists.

The brute force below is written from Placement's rules alone: it looks at every way to give each
part of a query a provider, in every tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.inventory import DivisibleInventory
from projections.candidate_groups import CandidateQuery, RequestGroup
from projections.candidate_walk import AllocationRequest
from projections.live_candidates import SHARES, LiveCandidates
from projections.live_capacity import LiveCapacity

CLASSES = ("VCPU", "DISK_GB")
TRAITS = ("CUSTOM_A", "CUSTOM_B")
GROUPS = ("red", "blue")

Found = frozenset[tuple[frozenset[tuple[int, str, int]], frozenset[tuple[str, frozenset[int]]]]]


@dataclass
class Host:
    parent: int
    inventories: dict[str, tuple[int, int, int]]
    """Capacity, usage and max_unit by class."""
    traits: frozenset[str]
    groups: frozenset[str]


@dataclass
class Cloud:
    hosts: list[Host]
    view: LiveCapacity = field(default_factory=LiveCapacity)

    def __post_init__(self) -> None:
        ids = [f"00000000-0000-4000-8000-{n:012}" for n in range(len(self.hosts))]
        for number, host in enumerate(self.hosts):
            parent = None if host.parent < 0 else ids[host.parent]
            row = self.view.add_provider(ids[number], f"host-{number}", parent)
            self.view.set_traits(row, host.traits)
            self.view.set_groups(row, host.groups)
            for name, (capacity, usage, most) in host.inventories.items():
                inventory = DivisibleInventory(total=capacity, max_unit=most)
                self.view.set_inventory(row, name, inventory)
                self.view.columns.add(("usage", name), row, usage)

    def root(self, number: int) -> int:
        while self.hosts[number].parent >= 0:
            number = self.hosts[number].parent
        return number

    def above(self, number: int) -> set[int]:
        found = {number}
        while self.hosts[number].parent >= 0:
            number = self.hosts[number].parent
            found.add(number)
        return found

    def anchors(self, number: int) -> set[int]:
        """The trees that a provider can serve: its own, and those that it shares with."""
        host = self.hosts[number]
        found = {self.root(number)}
        if SHARES in host.traits:
            found |= {self.root(n) for n, one in enumerate(self.hosts) if one.groups & host.groups}
        return found


# --- Brute force ----------------------------------------------------------------------------------


def tried_out(cloud: Cloud, query: CandidateQuery) -> Found:
    found = set()
    parts: list[tuple[RequestGroup, dict[str, int]]] = []
    for group in query.groups:
        if spreads(cloud, group):
            parts += [(group, {name: amount}) for name, amount in group.resources.items()]
        else:
            parts.append((group, dict(group.resources)))
    numbers = range(len(cloud.hosts))
    for anchor in {cloud.root(number) for number in numbers}:
        top = cloud.hosts[anchor].traits
        if not set(query.root_required) <= top or set(query.root_forbidden) & top:
            continue
        for chosen in product(numbers, repeat=len(parts)):
            placed = list(zip(parts, chosen, strict=True))
            serving = all(serves(cloud, part, number, anchor) for part, number in placed)
            if serving and fits(cloud, query, placed):
                found.add(told(placed))
    return frozenset(found)


def spreads(cloud: Cloud, group: RequestGroup) -> bool:
    """Whether several providers may serve the group."""
    together = any(one.parent >= 0 or SHARES in one.traits for one in cloud.hosts)
    return together and not group.is_granular


def serves(
    cloud: Cloud, part: tuple[RequestGroup, dict[str, int]], number: int, anchor: int
) -> bool:
    group, resources = part
    host = cloud.hosts[number]
    if anchor not in cloud.anchors(number) or set(group.forbidden_traits) & host.traits:
        return False
    if not resources and not (group.required_traits or group.member_of):
        return False
    for name, amount in resources.items():
        capacity, usage, most = host.inventories.get(name, (0, 0, 0))
        if usage + amount > capacity or amount > most:
            return False
    if not spreads(cloud, group) and not all(
        set(names) & host.traits for names in group.required_traits
    ):
        return False
    return is_in_tree(cloud, part, number, anchor) and is_in_groups(cloud, group, number, anchor)


def is_in_tree(
    cloud: Cloud, part: tuple[RequestGroup, dict[str, int]], number: int, anchor: int
) -> bool:
    group, resources = part
    if group.in_tree is None:
        return True
    if spreads(cloud, group) and anchor != cloud.root(number):
        return False
    return not resources or cloud.root(number) == cloud.root(int(group.in_tree[-12:]))


def is_in_groups(cloud: Cloud, group: RequestGroup, number: int, anchor: int) -> bool:
    """Of the provider or, where the group may be spread, of the root; but what shares has to be
    inside by itself."""
    host, root = cloud.hosts[number], cloud.hosts[anchor]
    inside = all(set(names) & host.groups for names in group.member_of)
    outside = not set(group.not_member_of) & host.groups
    if spreads(cloud, group):
        if anchor == cloud.root(number) or SHARES not in host.traits:
            inside = inside or all(set(names) & root.groups for names in group.member_of)
        outside = outside and not set(group.not_member_of) & root.groups
    return inside and outside


def fits(
    cloud: Cloud,
    query: CandidateQuery,
    placed: list[tuple[tuple[RequestGroup, dict[str, int]], int]],
) -> bool:
    rows: dict[str, set[int]] = {}
    amounts: Counter[tuple[int, str]] = Counter()
    for (group, resources), number in placed:
        rows.setdefault(group.suffix, set()).add(number)
        for name, amount in resources.items():
            amounts[number, name] += amount
    for (number, name), amount in amounts.items():
        capacity, usage, most = cloud.hosts[number].inventories[name]
        if usage + amount > capacity or amount > most:
            return False
    for group in query.groups:
        have = set().union(*(cloud.hosts[number].traits for number in rows[group.suffix]))
        if not all(set(names) & have for names in group.required_traits):
            return False
    granular = [number for (group, _), number in placed if group.is_granular]
    if query.isolate and len(set(granular)) < len(granular):
        return False
    for suffixes in query.same_subtree:
        together = set().union(*(rows[suffix] for suffix in suffixes))
        common = set.intersection(*(cloud.above(number) for number in together))
        if not common & together:
            return False
    used = {number for _, number in placed}
    return query.nested or len({cloud.root(number) for number in used}) == len(used)


def told(
    placed: list[tuple[tuple[RequestGroup, dict[str, int]], int]],
) -> tuple[frozenset[tuple[int, str, int]], frozenset[tuple[str, frozenset[int]]]]:
    amounts: Counter[tuple[int, str]] = Counter()
    mappings: dict[str, set[int]] = {}
    for (group, resources), number in placed:
        mappings.setdefault(group.suffix, set()).add(number)
        for name, amount in resources.items():
            amounts[number, name] += amount
    return (
        frozenset((number, name, amount) for (number, name), amount in amounts.items()),
        frozenset((suffix, frozenset(rows)) for suffix, rows in mappings.items()),
    )


# --- Made up --------------------------------------------------------------------------------------


@st.composite
def clouds(draw: Any) -> Cloud:
    hosts: list[Host] = []
    for number in range(draw(st.integers(1, 5))):
        inventories = {}
        for name in draw(st.sets(st.sampled_from(CLASSES))):
            capacity = draw(st.integers(1, 4))
            usage = draw(st.integers(0, capacity))
            inventories[name] = (capacity, usage, draw(st.integers(1, 4)))
        hosts.append(
            Host(
                parent=draw(st.integers(-1, number - 1)),
                inventories=inventories,
                traits=frozenset(draw(st.sets(st.sampled_from((*TRAITS, SHARES)), max_size=2))),
                groups=frozenset(draw(st.sets(st.sampled_from(GROUPS)))),
            )
        )
    # Twins, so that there are trees that are alike.
    twins = [
        Host(one.parent + len(hosts) if one.parent >= 0 else -1, *vars_of(one)) for one in hosts
    ]
    return Cloud([*hosts, *(twins if len(hosts) < 4 and draw(st.booleans()) else [])])


def vars_of(host: Host) -> tuple[Any, ...]:
    return host.inventories, host.traits, host.groups


def names(of: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(of), min_size=1, max_size=2, unique=True)


@st.composite
def groups(draw: Any, suffix: str, hosts: int, *, may_be_empty: bool) -> RequestGroup:
    resources = st.dictionaries(
        st.sampled_from(CLASSES), st.integers(1, 3), min_size=0 if may_be_empty else 1
    )
    some = st.integers(0, 3).map(lambda n: n == 0)
    return RequestGroup(
        suffix=suffix,
        resources=draw(resources),
        required_traits=[draw(names(TRAITS))] if draw(some) else [],
        forbidden_traits=draw(names(TRAITS))[:1] if draw(some) else [],
        member_of=[draw(names(GROUPS))] if draw(some) else [],
        not_member_of=draw(names(GROUPS))[:1] if draw(some) else [],
        in_tree=f"00000000-0000-4000-8000-{draw(st.integers(0, hosts - 1)):012}"
        if draw(some)
        else None,
    )


@st.composite
def asked(draw: Any) -> tuple[Cloud, CandidateQuery]:
    cloud = draw(clouds())
    suffixes = draw(st.lists(st.sampled_from(["", "_1", "_2"]), min_size=1, unique=True))
    granular = [suffix for suffix in suffixes if suffix]
    subtree = [frozenset(granular)] if granular and draw(st.booleans()) else []
    chosen = [
        draw(groups(suffix, len(cloud.hosts), may_be_empty=bool(subtree and suffix)))
        for suffix in suffixes
    ]
    some = st.integers(0, 4).map(lambda n: n == 0)
    query = CandidateQuery(
        groups=tuple(chosen),
        isolate=draw(st.booleans()),
        same_subtree=subtree,
        root_required=draw(names(TRAITS))[:1] if draw(some) else [],
        root_forbidden=draw(names(TRAITS))[:1] if draw(some) else [],
        nested=draw(st.integers(0, 4)) > 0,
    )
    return cloud, query


def listed(cloud: Cloud, query: CandidateQuery) -> Iterator[Any]:
    candidates = LiveCandidates(cloud.view, query)
    rows = candidates.flat_rows()
    if rows is not None:
        (group,) = query.groups
        for row in rows.tolist():
            amounts = frozenset((row, name, amount) for name, amount in group.resources.items())
            yield amounts, frozenset({("", frozenset({row}))})
        return
    for request in candidates.requests():
        yield in_words(request, range(len(cloud.hosts)))


def in_words(request: AllocationRequest, row_of: Mapping[int, int] | range) -> Any:
    return (
        frozenset((row_of[row], name, n) for row, some in request.amounts for name, n in some),
        frozenset(
            (suffix, frozenset(row_of[row] for row in rows)) for suffix, rows in request.mappings
        ),
    )


def listed_together(cloud: Cloud, query: CandidateQuery, most: int, *, by_turns: bool) -> list[Any]:
    """The same from trees that are alike."""
    return [
        in_words(request, dict(zip(alike.first, rows, strict=True)))
        for alike in LiveCandidates(cloud.view, query).alike(most, by_turns=by_turns)
        for rows in alike.rows.tolist()
        for request in alike.requests
    ]


@given(asked())
@settings(max_examples=200, deadline=None)
def test_the_candidates_are_those_that_trying_out_everything_finds(
    made: tuple[Cloud, CandidateQuery],
) -> None:
    cloud, query = made
    found = list(listed(cloud, query))
    assert len(found) == len(set(found)), "one is listed twice"
    assert set(found) == tried_out(cloud, query)
    if not query.nested:
        return
    for most, by_turns in product((len(found) + 1, *range(1, len(found) + 1, 3)), (False, True)):
        together = listed_together(cloud, query, most, by_turns=by_turns)
        assert len(set(together)) == len(together) == min(most, len(found))
        assert set(together) <= set(found)


def test_what_cannot_be_isolated_is_given_up_at_once_and_what_can_is_all_listed() -> None:
    """Eight devices: eight groups have 40,320 ways, isolated or not, and nine have none."""
    cloud = Cloud([*host_with_devices(0, 8)])

    def ways(groups: int, *, isolate: bool) -> int:
        found = LiveCandidates(cloud.view, devices(groups, isolate=isolate)).requests()
        return sum(1 for _ in found)

    assert [ways(8, isolate=isolate) for isolate in (True, False)] == [40_320, 40_320]
    assert [ways(9, isolate=isolate) for isolate in (True, False)] == [0, 0]


def test_by_turns_the_first_candidates_are_of_as_many_trees_as_there_are() -> None:
    cloud = Cloud([*host_with_devices(0, 3), *host_with_devices(4, 2), *host_with_devices(7, 3)])

    def roots(most: int, *, by_turns: bool) -> list[int]:
        trees = LiveCandidates(cloud.view, devices(1)).alike(most, by_turns=by_turns)
        return [cloud.root(int(row)) for alike in trees for row in alike.used().reshape(-1)]

    assert Counter(roots(4, by_turns=False)) == {0: 3, 7: 1}
    assert Counter(roots(4, by_turns=True)) == {0: 2, 4: 1, 7: 1}


def host_with_devices(number: int, count: int) -> Iterator[Host]:
    yield Host(-1, {}, frozenset(), frozenset())
    yield from (Host(number, {"VCPU": (1, 0, 1)}, frozenset(), frozenset()) for _ in range(count))


def devices(groups: int, *, isolate: bool = True) -> CandidateQuery:
    """Each group asks for one device."""
    asked_for = [RequestGroup(suffix=f"_{n}", resources={"VCPU": 1}) for n in range(groups)]
    return CandidateQuery(groups=tuple(asked_for), isolate=isolate)
