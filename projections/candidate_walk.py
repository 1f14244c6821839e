"""The combinations of one tree: which of its providers, or those that share, serve which part."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from domain import fit
from projections.candidate_groups import CandidateQuery, RequestGroup
from projections.live_capacity import DISCRETE, LiveCapacity

MOST_FUTILE = 20_000
"""Steps in one tree since its last request, before the rest of it is given up: about 50 ms."""


class Part(NamedTuple):
    """What one provider has to serve: a whole group, or one class of it."""

    group: RequestGroup
    resources: tuple[tuple[str, int], ...]


class AllocationRequest(NamedTuple):
    """`amounts`: by row and class, in order. `mappings`: by suffix, the rows that serve it."""

    amounts: tuple[tuple[int, tuple[tuple[str, int], ...]], ...]
    mappings: tuple[tuple[str, tuple[int, ...]], ...]


class TreeWalk:
    """Parts are given rows one after the other; what breaks a rule is left at once."""

    def __init__(
        self,
        view: LiveCapacity,
        query: CandidateQuery,
        parts: Sequence[tuple[Part, list[int]]],
    ) -> None:
        self._view = view
        self._query = query
        # Those with the fewest choices first, but a group's parts together.
        choices: dict[str, int] = {}
        for part, rows in parts:
            choices[part.group.suffix] = min(len(rows), choices.get(part.group.suffix, len(rows)))
        order = sorted(
            range(len(parts)),
            key=lambda n: (choices[parts[n][0].group.suffix], parts[n][0].group.suffix),
        )
        self._parts = [parts[n] for n in order]
        self._as_asked = sorted(range(len(parts)), key=order.__getitem__)
        self._last = {part.group.suffix: n for n, (part, _) in enumerate(self._parts)}
        asked = [name for part, _ in parts for name, _ in part.resources]
        self._contested = {name for name in asked if asked.count(name) > 1}
        self._chosen: list[int] = []
        self._taken: dict[tuple[int, str], int] = {}
        self._futile = 0

    def requests(self) -> Iterator[AllocationRequest]:
        if not self._has_enough() or (self._query.isolate and not self._can_be_isolated()):
            return
        yield from self._choose(0)

    def _choose(self, index: int) -> Iterator[AllocationRequest]:
        if index == len(self._parts):
            self._futile = 0
            yield self._request()
            return
        part, rows = self._parts[index]
        for row in rows:
            self._futile += 1
            if self._futile > MOST_FUTILE:
                return
            if not self._is_free(part, row) or not self._take(part, row):
                continue
            self._chosen.append(row)
            if self._last[part.group.suffix] != index or self._group_is_right(part.group):
                yield from self._choose(index + 1)
            self._chosen.pop()
            self._give_back(part, row)

    def _has_enough(self) -> bool:
        """Whether all the rows together have as much left of what several parts ask for."""
        for name in self._contested:
            asked, rows = 0, set()
            for part, some in self._parts:
                amounts = dict(part.resources)
                if name in amounts:
                    asked += amounts[name]
                    rows.update(some)
            columns = self._view.columns
            left = sum(int(columns["capacity", name][r] - columns["usage", name][r]) for r in rows)
            if left < asked:
                return False
        return True

    # --- Rules ------------------------------------------------------------------------------------

    def _is_free(self, part: Part, row: int) -> bool:
        """`isolate`, and (for old clients) no two providers of one tree."""
        if self._query.isolate and part.group.is_granular:
            for (other, _), chosen in zip(self._parts, self._chosen, strict=False):
                if chosen == row and other.group.is_granular:
                    return False
        if not self._query.nested:
            root = self._view.forest.root(row)
            return all(
                chosen == row or self._view.forest.root(chosen) != root for chosen in self._chosen
            )
        return True

    def _take(self, part: Part, row: int) -> bool:
        """Count the amounts of classes that several parts ask for; False if it gets too much."""
        for number, (name, amount) in enumerate(part.resources):
            if name not in self._contested:
                continue
            taken = self._taken.get((row, name), 0) + amount
            if not self._has_room(row, name, taken):
                for before, less in part.resources[:number]:
                    if before in self._contested:
                        self._taken[row, before] -= less
                return False
            self._taken[row, name] = taken
        return True

    def _give_back(self, part: Part, row: int) -> None:
        for name, amount in part.resources:
            if name in self._contested:
                self._taken[row, name] -= amount

    def _has_room(self, row: int, name: str, amount: int) -> bool:
        columns = self._view.columns
        if columns["kind", name][row] != DISCRETE and amount > columns["max_unit", name][row]:
            return False
        return bool(
            fit.has_room(amount, columns["capacity", name][row], columns["usage", name][row])
        )

    def _group_is_right(self, group: RequestGroup) -> bool:
        """Once all of a group has its rows: traits that they have together, and subtrees."""
        if group.required_traits and not group.is_granular:
            have = set().union(*(self._view.traits.of(row) for row in self._rows_of(group.suffix)))
            if not all(have.intersection(names) for names in group.required_traits):
                return False
        return all(
            self._is_subtree(suffixes)
            for suffixes in self._query.same_subtree
            if group.suffix in suffixes
        )

    def _is_subtree(self, suffixes: Collection[str]) -> bool:
        """So far; what is not chosen yet is not looked at until it is."""
        rows = {row for suffix in suffixes for row in self._rows_of(suffix)}
        done = all(self._last.get(suffix, -1) < len(self._chosen) for suffix in suffixes)
        if not done or len(rows) == 1:
            return True
        common = set.intersection(*(self._ancestors(row) for row in rows))
        return bool(common & rows)

    def _ancestors(self, row: int) -> set[int]:
        found = {row}
        while (row := self._view.forest.parent(row)) >= 0:
            found.add(row)
        return found

    def _rows_of(self, suffix: str) -> list[int]:
        return [
            row
            for (part, _), row in zip(self._parts, self._chosen, strict=False)
            if part.group.suffix == suffix
        ]

    def _can_be_isolated(self) -> bool:
        """Whether the granular groups can have a provider each: a matching (Kuhn's way)."""
        granular = [rows for part, rows in self._parts if part.group.is_granular]
        holder: dict[int, int] = {}

        def seat(number: int, tried: set[int]) -> bool:
            for row in granular[number]:
                if row not in tried:
                    tried.add(row)
                    if row not in holder or seat(holder[row], tried):
                        holder[row] = number
                        return True
            return False

        return all(seat(number, set()) for number in range(len(granular)))

    # --- The answer -------------------------------------------------------------------------------

    def _request(self) -> AllocationRequest:
        amounts: dict[int, dict[str, int]] = {}
        mappings: dict[str, dict[int, None]] = {}
        for index in self._as_asked:
            part, row = self._parts[index][0], self._chosen[index]
            mappings.setdefault(part.group.suffix, {})[row] = None
            of_row = amounts.setdefault(row, {}) if part.resources else {}
            for name, amount in part.resources:
                of_row[name] = of_row.get(name, 0) + amount
        return AllocationRequest(
            tuple((row, tuple(sorted(some.items()))) for row, some in sorted(amounts.items())),
            tuple((suffix, tuple(sorted(rows))) for suffix, rows in mappings.items()),
        )
