"""The tree, its proofs and its notes: as others compute them, and never true for anything else."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.checkpoint import BadNote, Note, from_base64, key_id, read_note, verifier_key
from domain.merkle import (
    TILE_HASHES,
    TileMissing,
    Tiles,
    consistency_path,
    hash_leaf,
    hash_node,
    inclusion_path,
    root_of,
)
from infra.signing import SigningKey, is_signed_by
from scripts.verify_proof import BadProof, Checkpoint, require_consistent, root_by_path

# The leaves and roots that implementations of RFC 6962 test themselves with.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATH_OF_THE_FIRST_OF_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]


@dataclass(frozen=True)
class Tree:
    leaves: list[bytes]
    tiles: Tiles

    def root(self, size: int) -> bytes:
        return root_of(size, self.tiles.node)


def tree(size: int) -> Tree:
    leaves = [hash_leaf(b"%d" % number) for number in range(size)]
    tiles = Tiles()
    tiles.append(0, b"".join(leaves))
    return Tree(leaves, tiles)


BIG = tree(66_000)
"""Enough for a third level of tiles."""


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word by word."""
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hash_node(by_definition(leaves[:middle]), by_definition(leaves[middle:]))


sizes = st.one_of(st.integers(1, 600), st.integers(1, len(BIG.leaves)))


def test_roots_and_paths_are_those_of_the_rfcs_own_tests() -> None:
    tiles = Tiles()
    tiles.append(0, b"".join(hash_leaf(leaf) for leaf in LEAVES))
    assert [root_of(size, tiles.node).hex() for size in range(1, 9)] == list(ROOTS)
    assert root_of(0, tiles.node) == sha256(b"").digest()
    assert [one.hex() for one in inclusion_path(0, 8, tiles.node)] == PATH_OF_THE_FIRST_OF_8


@settings(deadline=None)
@given(size=st.integers(1, 1_100))
def test_a_root_is_what_the_rfc_defines(size: int) -> None:
    assert BIG.root(size) == by_definition(BIG.leaves[:size])


@settings(deadline=None)
@given(steps=st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_hashes_added_bit_by_bit_are_those_added_at_once(steps: list[int]) -> None:
    kept: dict[tuple[int, int], bytes] = {}
    done = 0
    for step in steps:
        tiles = Tiles(lambda level, number: kept.get((level, number)))
        tiles.append(done, b"".join(BIG.leaves[done : done + step]))
        done += step
        kept.update(tiles.changed)
        assert root_of(done, tiles.node) == BIG.root(done)
    assert kept == tree_tiles(done)


def tree_tiles(size: int) -> dict[tuple[int, int], bytes]:
    tiles = Tiles()
    tiles.append(0, b"".join(BIG.leaves[:size]))
    return tiles.changed


@settings(deadline=None)
@given(size=sizes, data=st.data())
def test_every_inclusion_proof_holds_and_no_other(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, BIG.tiles.node)
    leaf, root = BIG.leaves[index], BIG.root(size)
    assert root_by_path(index, size, leaf, path) == root
    assert root_by_path(index, size, sha256(leaf).digest(), path) != root
    for at in range(len(path)):
        forged = [*path[:at], sha256(path[at]).digest(), *path[at + 1 :]]
        assert root_by_path(index, size, leaf, forged) != root
    for wrong in ([*path, root], path[:-1]):
        if wrong != path:
            with pytest.raises(BadProof):
                root_by_path(index, size, leaf, wrong)
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index) | st.none())
    if other is not None and len(inclusion_path(other, size, BIG.tiles.node)) == len(path):
        assert root_by_path(other, size, leaf, path) != root


@settings(deadline=None)
@given(pair=st.tuples(sizes, sizes).map(sorted), data=st.data())
def test_every_consistency_proof_holds_and_no_other(pair: list[int], data: st.DataObject) -> None:
    old, new = (Checkpoint("log", size, BIG.root(size)) for size in pair)
    path = consistency_path(old.size, new.size, BIG.tiles.node)
    require_consistent(old, new, path)
    forged = [old._replace(root=sha256(old.root).digest()), new._replace(root=bytes(32))]
    for before, after in ((forged[0], new), (old, forged[1])):
        with pytest.raises(BadProof):
            require_consistent(before, after, path)
    for wrong in (
        [*path, new.root],
        path[:-1],
        *([*path[:at], bytes(32), *path[at + 1 :]] for at in range(len(path))),
    ):
        if wrong != path:
            with pytest.raises(BadProof):
                require_consistent(old, new, wrong)


def test_sizes_that_cannot_be_prove_nothing() -> None:
    leaf, root = BIG.leaves[0], BIG.root(1)
    for index, size in ((0, 0), (1, 1), (-1, 1)):
        with pytest.raises(BadProof):
            root_by_path(index, size, leaf, [])
    for old, new in ((0, 1), (2, 1)):
        with pytest.raises(BadProof):
            require_consistent(Checkpoint("log", old, root), Checkpoint("log", new, root), [])


def test_hashes_that_are_missing_are_told() -> None:
    with pytest.raises(TileMissing):
        root_of(TILE_HASHES + 1, Tiles().node)


# --- Notes ----------------------------------------------------------------------------------------

# From the documentation of Go's package golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)


def test_a_note_that_another_tool_signed_is_verified() -> None:
    name, _, told = GO_KEY.split("+", 2)
    key, signature = from_base64(told)[1:], from_base64(GO_SIGNATURE)
    assert verifier_key(name, key) == GO_KEY
    assert key_id(name, key) == signature[:4]
    signed = (name, signature[:4], signature[4:])
    note = Note("", 0, b"", GO_TEXT, (signed,))
    assert is_signed_by(note, key)
    assert not is_signed_by(note._replace(text=GO_TEXT.replace("answer", "question")), key)


def test_a_checkpoint_is_read_as_it_was_signed() -> None:
    key, other = (SigningKey(Ed25519PrivateKey.generate()) for _ in range(2))
    signed = key.sign_checkpoint("example.org/ledger", 7, BIG.root(7))
    note = read_note(signed)
    assert (note.origin, note.size, note.root) == ("example.org/ledger", 7, BIG.root(7))
    assert is_signed_by(note, key.public)
    assert not is_signed_by(note, other.public)
    assert not is_signed_by(read_note(signed.replace("\n7\n", "\n8\n")), key.public)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n\n", "\n"),
        ("\n7\n", "\n07\n"),
        ("\n7\n", "\n-7\n"),
        ("\n7\n", "\nseven\n"),
        ("—", "-"),
        ("=\n\n", "\n\n"),
        ("\n7\n", "\n"),
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(old: str, new: str) -> None:
    signed = SigningKey(Ed25519PrivateKey.generate()).sign_checkpoint("log", 7, BIG.root(7))
    assert read_note(signed)
    with pytest.raises(BadNote):
        read_note(signed.replace(old, new))
