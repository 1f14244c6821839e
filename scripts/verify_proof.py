"""Checks a proof of Tallystick's, with nothing but the proof and the public key:

    python verify_proof.py proof.json key.pem [kept_checkpoint.txt]

It needs Python and the package `cryptography`, and nothing of Tallystick. A checkpoint that was
kept from an earlier time shows whether the log was another one then: a fork. Exit code 1 if
anything is wrong.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

LEAF_FORMAT = b"tallystick leaf 1\n"
LARGEST = 2**63


class BadProof(Exception):
    """It proves nothing, for this reason."""


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes


def check(proof: Any, key_pem: bytes, kept_note: str | None = None) -> str:
    """Say what is proven, in a sentence. Raises BadProof."""
    key = read_key(key_pem)
    try:
        kept = None if kept_note is None else read_checkpoint(kept_note, key)
        if proof["format"] == "tallystick inclusion 1":
            return check_inclusion(proof, key, kept)
        if proof["format"] == "tallystick consistency 1":
            return check_consistency(proof, key, kept)
    except (KeyError, TypeError, AttributeError, ValueError, struct.error) as wrong:
        raise BadProof(f"it cannot be read: {type(wrong).__name__} {wrong}") from wrong
    raise BadProof(f"{proof['format']!r} is no format that this program knows")


def check_inclusion(proof: Any, key: Ed25519PublicKey, kept: Checkpoint | None) -> str:
    event, seal = proof["event"], read_checkpoint(proof["checkpoint"], key)
    compare(seal, kept)
    if kept is not None and kept.size != seal.size:
        first, last = sorted((kept.size, seal.size))
        raise BadProof(f"the kept checkpoint is another one: prove {first} to {last} first")
    leaf = hash_of_event(event)
    if decoded(proof["leaf_hash"]) != leaf:
        raise BadProof("the event is not the one that the leaf hash is of")
    path = [decoded(one) for one in proof["path"]]
    if root_by_path(event["position"] - 1, seal.size, leaf, path) != seal.root:
        raise BadProof("the event is not in the log that the checkpoint seals")
    return (
        f"Version {event['version']} of {event['stream']} ({event['topic']}) is at position "
        f"{event['position']} of the {seal.size} events that {seal.origin} sealed."
    )


def check_consistency(proof: Any, key: Ed25519PublicKey, kept: Checkpoint | None) -> str:
    old, new = (read_checkpoint(proof[name], key) for name in ("old", "new"))
    compare(old, new)
    compare(old, kept)
    compare(new, kept)
    if kept is not None and kept.size not in (old.size, new.size):
        raise BadProof(f"the kept checkpoint, of {kept.size} events, is neither of the two")
    path = [decoded(one) for one in proof["path"]]
    require_consistent(old, new, path)
    return f"The first {old.size} of the {new.size} events that {new.origin} sealed are unchanged."


def compare(seal: Checkpoint, kept: Checkpoint | None) -> None:
    """Raises BadProof where two that are signed cannot both be of one log."""
    if kept is None:
        return
    if seal.origin != kept.origin:
        raise BadProof("the checkpoints are of two logs")
    if seal.size == kept.size and seal.root != kept.root:
        raise BadProof(f"a fork: there are two different logs of {seal.size} events, both signed")


# --- Signed notes ---------------------------------------------------------------------------------


def read_key(pem: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except ValueError as wrong:
        raise BadProof("the key is no public key in PEM") from wrong
    if not isinstance(key, Ed25519PublicKey):
        raise BadProof("the key is no Ed25519 key")
    return key


def read_checkpoint(note: str, key: Ed25519PublicKey) -> Checkpoint:
    text, _, signatures = note.rpartition("\n\n")
    raw = b"\x01" + key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    for line in signatures.removesuffix("\n").split("\n"):
        dash, name, told = line.split(" ")
        signature = decoded(told)
        if dash == "—" and signature[:4] == sha256(name.encode() + b"\n" + raw).digest()[:4]:
            try:
                key.verify(signature[4:], f"{text}\n".encode())
            except InvalidSignature:
                raise BadProof("the checkpoint's signature is forged") from None
            origin, size, root = text.split("\n")[:3]
            return Checkpoint(origin, int(size), decoded(root))
    raise BadProof("the checkpoint is not signed with this key")


# --- The tree: RFC 9162, 2.1 ----------------------------------------------------------------------


def hash_of_event(event: Any) -> bytes:
    stream, topic, previous = event["stream"].encode(), event["topic"].encode(), event["previous"]
    numbers = (event["position"], event["version"], len(stream), len(topic))
    state = sha256(event["state"].encode()).digest()
    if len(decoded(previous)) != 32:
        raise BadProof("the hash of the event before has another length than hashes have")
    content = LEAF_FORMAT + struct.pack(">QQII", *numbers) + stream + topic + state
    return sha256(b"\x00" + content + decoded(previous)).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def sides(at: int, last: int, path: list[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each hash of a path from below, and whether it comes from the left."""
    for one in path:
        if last == 0:
            raise BadProof("the path is too long")
        is_left = at & 1 == 1 or at == last
        yield one, is_left
        while is_left and at and not at & 1:
            at, last = at >> 1, last >> 1
        at, last = at >> 1, last >> 1
    if last:
        raise BadProof("the path is too short")


def root_by_path(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """2.1.3.2: the root over `size` leaves that follows from one leaf and its path."""
    if not 0 <= index < size <= LARGEST:
        raise BadProof(f"position {index + 1} is not among {size} events")
    root = leaf
    for one, is_left in sides(index, size - 1, path):
        root = node(one, root) if is_left else node(root, one)
    return root


def require_consistent(old: Checkpoint, new: Checkpoint, path: list[bytes]) -> None:
    """2.1.4.2: both roots follow from the path."""
    if not 0 < old.size <= new.size <= LARGEST:
        raise BadProof(f"{old.size} events do not come before {new.size}")
    at, last = old.size - 1, new.size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    # A whole subtree's root begins the path, and is not sent; nor is it if both are the same.
    first, *rest = [old.root, *path] if at == 0 or old.size == new.size else path or [b""]
    before = after = first
    for one, is_left in sides(at, last if old.size < new.size else 0, rest):
        before = node(one, before) if is_left else before
        after = node(one, after) if is_left else node(after, one)
    if before != old.root or after != new.root:
        raise BadProof(
            f"it does not lead from {old.size} events to {new.size}: it is forged, or the log is"
        )


def decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise BadProof(f"{text!r} is not base64") from wrong


def main(arguments: list[str]) -> int:
    if len(arguments) not in (2, 3):
        print(__doc__)
        return 2
    files = [Path(name) for name in arguments]
    try:
        kept = files[2].read_text(encoding="utf-8") if len(files) == 3 else None
        print(check(json.loads(files[0].read_bytes()), files[1].read_bytes(), kept))
    except (OSError, ValueError, BadProof) as wrong:
        print(f"NOT PROVEN: {wrong}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
