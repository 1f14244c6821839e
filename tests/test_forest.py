"""Trees of rows: whatever is added, moved and cut, each row knows its tree."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from projections.forest import Forest

steps = st.lists(
    st.tuples(st.sampled_from(["add", "move", "cut"]), st.integers(0, 20), st.integers(-1, 20)),
    max_size=60,
)


def root_by_walking(parents: list[int], row: int) -> int:
    while parents[row] >= 0:
        row = parents[row]
    return row


@given(steps)
def test_roots_and_members_are_what_walking_up_the_parents_finds(
    work: list[tuple[str, int, int]],
) -> None:
    forest, parents = Forest(), [-1]

    def below(top: int, row: int) -> bool:
        return row in forest.subtree(top)

    forest.add(-1)
    for name, row, parent in work:
        if row % 2:  # Between some of the steps somebody looks, as searches do.
            assert len(forest.roots) == len(parents)
            assert len(forest.in_order().rows) == len(parents)
        if name == "add" and parent < len(parents):
            forest.add(parent)
            parents.append(parent)
        elif name == "cut" and row < len(parents):
            forest.cut(row)
            parents[row] = -1
        elif name == "move" and max(row, parent) < len(parents) and not below(row, parent):
            forest.move(row, parent)
            parents[row] = parent
    roots = [root_by_walking(parents, row) for row in range(len(parents))]
    assert forest.roots.tolist() == roots
    for row, root in enumerate(roots):
        assert sorted(forest.members(row)) == [one for one, its in enumerate(roots) if its == root]
        assert forest.members(row)[0] == root
        assert forest.children(row) == [] or forest.is_flat is False
    some = sorted(set(roots))[::2]
    of_some = [row for root in some for row in sorted(forest.members(root))]
    assert forest.trees(np.array(some)).rows.tolist() == of_some
