"""Placement's allocation candidates on the live view: every way to serve a query, lazily.

A tree, called by its root, is the anchor of a request: each part comes from the tree, or from a
provider that shares with it. Columns say which providers could serve which part; only then are the
combinations of one tree walked through, so that a limit stops the search before it has begun on the
next tree, and what cannot be finished is given up early.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

import numpy as np

from projections.candidate_groups import CandidateQuery, RequestGroup
from projections.candidate_pairs import Pairs, Rows
from projections.candidate_shapes import AlikeTrees, TreeShapes, at_most
from projections.candidate_shapes import by_turns as in_turns
from projections.candidate_walk import AllocationRequest, Part, TreeWalk
from projections.live_capacity import LiveCapacity
from projections.live_filters import Mask, has_any, has_room_for

SHARES = "MISC_SHARES_VIA_AGGREGATE"


class LiveCandidates:
    """One query on the view as it is now. `rows()` tells whether the short way will do."""

    def __init__(self, view: LiveCapacity, query: CandidateQuery) -> None:
        self._view = view
        self._query = query
        self._alive: Mask = view.columns["alive"]
        self._sharing = self._alive & has_any(view, "trait", [SHARES])
        self._has_sharing = bool(self._sharing.any())
        self._is_flat = view.forest.is_flat

    def flat_rows(self) -> Rows | None:
        """The rows that each serve the query alone, where no other kind of answer is possible: one
        group without a suffix, no trees, nothing that shares. None: there may be others."""
        (group, *more) = self._query.groups
        if more or group.is_granular or self._has_sharing or not self._is_flat:
            return None
        mask = self._serves_alone(group)
        anchors = self._anchors_allowed()
        return np.flatnonzero(mask if anchors is None else mask & anchors)

    def has_anchors(self) -> bool:
        """Whether any root has the traits that roots are asked for."""
        allowed = self._anchors_allowed()
        if allowed is None:
            return True
        roots = self._view.forest.roots
        return bool((allowed & (roots == np.arange(len(roots)))).any())

    def has_members(self, group: RequestGroup) -> bool:
        """Whether any provider is in the groups that this one asks for."""
        return not group.member_of or bool((self._alive & self._in_groups(group)).any())

    def can_serve(self, group: RequestGroup) -> bool:
        """Whether anything could serve this group, if nothing else were asked for."""
        return next(self._requests([group]), None) is not None

    def requests(self) -> Iterator[AllocationRequest]:
        """Each of them once, by the registration of the trees."""
        return self._requests(self._query.groups)

    def alike(self, most: int, *, by_turns: bool = False) -> Iterator[AlikeTrees]:
        """The same, but at most so many, and those of trees that are alike together; or one of each
        tree, then another one of each. Only where the query is `nested`."""
        anchors, parts = self._all_parts(self._query.groups)
        trees = TreeShapes(self._view, self._query, parts, self._sharing, most).of(anchors)
        return at_most(most, in_turns(most, trees) if by_turns else trees)

    def _all_parts(self, groups: Sequence[RequestGroup]) -> tuple[Rows, list[tuple[Part, Pairs]]]:
        """The anchors of which all groups could be served, and what could serve them there."""
        parts: list[tuple[Part, Pairs]] = []
        common = self._alive
        for group in groups:
            found = list(self._parts(group))
            for _, pairs in found:
                anchors = np.zeros(len(common), dtype=np.bool_)
                anchors[pairs.anchors] = True
                common = common & anchors
            if not found or not common.any():
                return np.empty(0, dtype=np.int64), []
            parts += found
        # Few are left, perhaps: only these are put in order.
        kept = [(part, pairs.where(common[pairs.anchors]).in_order()) for part, pairs in parts]
        return np.flatnonzero(common), kept

    def _requests(self, groups: Sequence[RequestGroup]) -> Iterator[AllocationRequest]:
        anchors, parts = self._all_parts(groups)
        seen: set[AllocationRequest] = set()
        for anchor in anchors.tolist():
            choices = [(part, pairs.at(anchor).tolist()) for part, pairs in parts]
            for request in TreeWalk(self._view, self._query, choices).requests():
                if self._has_sharing:
                    # What shares may serve it all, and then each tree that it shares with would.
                    if request in seen:
                        continue
                    seen.add(request)
                yield request

    # --- Which providers could serve a group ------------------------------------------------------

    def _parts(self, group: RequestGroup) -> Iterator[tuple[Part, Pairs]]:
        if group.is_granular or not (self._has_sharing or not self._is_flat):
            yield Part(group, tuple(group.resources.items())), self._single(group)
            return
        for resource_class, amount in sorted(group.resources.items()):
            yield (
                Part(group, ((resource_class, amount),)),
                self._spread(group, resource_class, amount),
            )

    def _single(self, group: RequestGroup) -> Pairs:
        """Providers that serve the whole group, under their own root, and where they share."""
        rows = np.flatnonzero(self._serves_alone(group))
        anchors = self._view.forest.roots[rows]
        shared = rows[self._sharing[rows]]
        return self._allowed(anchors, rows, shared)

    def _spread(self, group: RequestGroup, resource_class: str, amount: int) -> Pairs:
        """Providers that serve one class of the group, in a tree, or sharing with it."""
        mask = self._alive & has_room_for(self._view, resource_class, amount)
        mask &= self._in_tree(group.in_tree)
        if group.forbidden_traits:
            mask = mask & ~has_any(self._view, "trait", group.forbidden_traits)
        rows = np.flatnonzero(mask)
        shared = rows[self._sharing[rows]]
        if group.in_tree is not None:
            shared = shared[:0]
        if group.member_of:
            shared = shared[self._in_groups(group)[shared]]
        pairs = self._allowed(self._view.forest.roots[rows], rows, shared)
        if group.member_of:
            inside = self._in_groups(group)
            pairs = pairs.where(inside[pairs.rows] | inside[pairs.anchors])
        if group.not_member_of:
            outside = ~has_any(self._view, "group", group.not_member_of)
            pairs = pairs.where(outside[pairs.rows] & outside[pairs.anchors])
        return pairs

    def _serves_alone(self, group: RequestGroup) -> Mask:
        view = self._view
        mask = self._alive.copy()
        for resource_class, amount in group.resources.items():
            mask &= has_room_for(view, resource_class, amount)
        if group.resources:
            mask &= self._in_tree(group.in_tree)
        elif not (group.required_traits or group.member_of):
            # As in Placement, which asks such a group for something to be found by.
            mask[:] = False
        for names in group.required_traits:
            mask &= has_any(view, "trait", names)
        if group.forbidden_traits:
            mask &= ~has_any(view, "trait", group.forbidden_traits)
        if group.member_of:
            mask &= self._in_groups(group)
        if group.not_member_of:
            mask &= ~has_any(view, "group", group.not_member_of)
        return mask

    def _in_groups(self, group: RequestGroup) -> Mask:
        masks = (has_any(self._view, "group", names) for names in group.member_of)
        return reduce(np.logical_and, masks)

    def _in_tree(self, provider_id: str | None) -> Mask:
        if provider_id is None:
            return self._alive
        mask = np.zeros(len(self._alive), dtype=np.bool_)
        mask[self._view.forest.members(self._view.row_of[provider_id])] = True
        return mask

    # --- Anchors ----------------------------------------------------------------------------------

    def _allowed(self, anchors: Rows, rows: Rows, shared: Rows) -> Pairs:
        """The pairs, and those of what shares with the trees that it shares with."""
        more = [self._trees_sharing(row) for row in shared.tolist()]
        pairs = Pairs(
            np.concatenate([anchors, *more]),
            np.concatenate([rows, np.repeat(shared, [len(some) for some in more])]),
        )
        allowed = self._anchors_allowed()
        return pairs if allowed is None else pairs.where(allowed[pairs.anchors])

    def _trees_sharing(self, row: int) -> Rows:
        """The roots of the trees, but its own, in which something has a group in common with it."""
        names = self._view.groups_of(row)
        roots = self._view.forest.roots
        others = np.unique(roots[self._alive & has_any(self._view, "group", names)])
        found: Rows = others[others != roots[row]]
        return found

    def _anchors_allowed(self) -> Mask | None:
        """By row: whether its own traits are those that a root has to have. None: no matter."""
        query = self._query
        if not (query.root_required or query.root_forbidden):
            return None
        mask = self._alive.copy()
        for name in query.root_required:
            mask &= has_any(self._view, "trait", [name])
        if query.root_forbidden:
            mask &= ~has_any(self._view, "trait", query.root_forbidden)
        return mask
