"""What is hashed of an event: its leaf in the Merkle tree, and with it the chain of its stream.

A leaf holds the leaf hash of the event before it in the same stream. So a proof that a stream's
newest event is in the log proves all of that stream's events before it, and their order.
"""

from __future__ import annotations

import struct
from hashlib import sha256

from domain.merkle import HASH_BYTES, hash_leaf

FORMAT = b"tallystick leaf 1\n"
"""Another encoding would be another number here: no bytes can be read as two encodings."""
FIRST = bytes(HASH_BYTES)
"""Stands for the leaf before a stream's first event."""

_NUMBERS = struct.Struct(">QQII")


def leaf_hash(
    *, position: int, stream: str, version: int, topic: str, state: bytes, previous: bytes
) -> bytes:
    """Over the bytes of a leaf: the format's name; position and version (8 bytes each), the lengths
    of stream and topic (4 each), all of them with the highest byte first; stream and topic in
    UTF-8; the SHA-256 of the state as it is stored; the leaf hash of the stream's event before."""
    named, topical = stream.encode(), topic.encode()
    numbers = _NUMBERS.pack(position, version, len(named), len(topical))
    return hash_leaf(b"".join((FORMAT, numbers, named, topical, sha256(state).digest(), previous)))
