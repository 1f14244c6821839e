"""The Merkle tree over the log, as RFC 9162 (and RFC 6962 before it) defines it: hashes and proofs.

The leaf of the event at a position has the index position - 1. Hashes are kept in tiles: 256 of one
level, each hash of a level over 256 of the level below, so that a proof over millions of events
needs a few tiles. Only whole subtrees are kept; what hangs over at the right is hashed when asked.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

HASH_BYTES = 32
TILE_LEVELS = 8
"""Levels of the binary tree between a tile and the tiles below it."""
TILE_HASHES = 1 << TILE_LEVELS
TILE_BYTES = TILE_HASHES * HASH_BYTES

Node = Callable[[int, int], bytes]
"""Gets (level, index): the hash over the leaves index * 2^level up to (index + 1) * 2^level."""


class TileMissing(Exception):
    """Hashes that should be kept are not there."""


def hash_leaf(content: bytes) -> bytes:
    return sha256(b"\x00" + content).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(size: int, node: Node) -> bytes:
    """The root of the tree over the first `size` leaves."""
    return _range_root(0, size, node) if size else sha256().digest()


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """The hashes that lead from a leaf to the root over `size` leaves, from below."""
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left_part(end - start)
        if index < middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    return path[::-1]


def consistency_path(old: int, new: int, node: Node) -> list[bytes]:
    """The hashes from which both roots follow, over `old` and over `new` leaves; 0 < old <= new."""
    path: list[bytes] = []
    start, end = 0, new
    while old != end:
        middle = start + _left_part(end - start)
        if old <= middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    if start:  # From 0 on it is the old root itself, which the verifier has.
        path.append(_range_root(start, end, node))
    return path[::-1]


def _left_part(leaves: int) -> int:
    """The largest power of two below this number."""
    return 1 << ((leaves - 1).bit_length() - 1)


def _range_root(start: int, end: int, node: Node) -> bytes:
    """Over some leaves that begin where a subtree of their size could."""
    whole: list[bytes] = []
    while start < end:
        level = (end - start).bit_length() - 1
        whole.append(node(level, start >> level))
        start += 1 << level
    root = whole.pop()
    while whole:
        root = hash_node(whole.pop(), root)
    return root


class Tiles:
    """The kept hashes: what `load` has, and what was appended since, which is in `changed`.

    `load` gets (level, number) of a tile and may give more hashes than were asked for.
    """

    def __init__(self, load: Callable[[int, int], bytes | None] = lambda *_: None) -> None:
        self._load = load
        self._known: dict[tuple[int, int], bytes] = {}
        self.changed: dict[tuple[int, int], bytes] = {}

    def append(self, index: int, hashes: bytes, level: int = 0) -> None:
        """Put hashes of a level, one after the other, where the first of them has this index."""
        while hashes:
            number, offset = divmod(index, TILE_HASHES)
            kept = self._hashes(level, number, 0, offset) if offset else b""
            room = TILE_BYTES - len(kept)
            tile = kept + hashes[:room]
            self._known[level, number] = self.changed[level, number] = tile
            if len(tile) == TILE_BYTES:
                self.append(number, _tile_root(tile), level + 1)
            index += len(hashes[:room]) // HASH_BYTES
            hashes = hashes[room:]

    def node(self, level: int, index: int) -> bytes:
        above, within = divmod(level, TILE_LEVELS)
        number, offset = divmod(index << within, TILE_HASHES)
        return _tile_root(self._hashes(above, number, offset, 1 << within))

    def forget_whole(self) -> None:
        """Full tiles are not needed to append, nor for the root as of now."""
        whole = [place for place, tile in self._known.items() if len(tile) == TILE_BYTES]
        for place in whole:
            del self._known[place]

    def _hashes(self, level: int, number: int, offset: int, count: int) -> bytes:
        place = (level, number)
        tile = self._known.get(place)
        if tile is None:
            tile = self._known[place] = self._load(level, number) or b""
        found = tile[offset * HASH_BYTES : (offset + count) * HASH_BYTES]
        if len(found) < count * HASH_BYTES:
            raise TileMissing(f"hashes of tile {number} on level {level} are missing")
        return found


def _tile_root(hashes: bytes) -> bytes:
    """Of a power of two of hashes."""
    level = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(level) > 1:
        level = [hash_node(*pair) for pair in zip(level[::2], level[1::2], strict=True)]
    return level[0]
