"""A checkpoint as others read it: a signed note (C2SP tlog-checkpoint and signed-note).

Three lines: who keeps the log, how many events it has, and base64 of the root over them. Then an
empty line, and for each signature a line: a dash, the key's name, and base64 of the key's id and of
the Ed25519 signature over the first three lines.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import NamedTuple

from domain.merkle import HASH_BYTES

ED25519 = b"\x01"
ID_BYTES = 4


class BadNote(ValueError):
    """A text is no signed checkpoint."""


class Note(NamedTuple):
    """`text` is what is signed."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]
    """Of each the name, the key's id, and the signature itself."""


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    return f"{origin}\n{size}\n{in_base64(root)}\n"


def signed_note(text: str, name: str, public_key: bytes, signature: bytes) -> str:
    told = in_base64(key_id(name, public_key) + signature)
    return f"{text}\n— {name} {told}\n"


def read_note(note: str) -> Note:
    """Raises BadNote. No signature is checked here."""
    text, separator, signed = note.rpartition("\n\n")
    try:
        origin, size, root = text.split("\n")[:3]
        found = Note(origin, int(size), from_base64(root), f"{text}\n", _signatures(signed))
    except ValueError as wrong:
        raise BadNote(f"it is not a checkpoint: {wrong}") from wrong
    if not separator or str(found.size) != size or found.size < 0 or len(found.root) != HASH_BYTES:
        raise BadNote("it is not a checkpoint")
    return found


def _signatures(lines: str) -> tuple[tuple[str, bytes, bytes], ...]:
    found = []
    for line in lines.removesuffix("\n").split("\n"):
        dash, name, told = line.split(" ")
        signature = from_base64(told)
        if dash != "—" or not name:
            raise BadNote("a signature cannot be read")
        found.append((name, signature[:ID_BYTES], signature[ID_BYTES:]))
    return tuple(found)


def key_id(name: str, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:ID_BYTES]


def verifier_key(name: str, public_key: bytes) -> str:
    """The public key in one line, as tools for signed notes take it."""
    return f"{name}+{key_id(name, public_key).hex()}+{in_base64(ED25519 + public_key)}"


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def from_base64(text: str) -> bytes:
    """Raises ValueError, also for a text that another encoding of the same bytes would be."""
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as wrong:
        raise ValueError(str(wrong)) from wrong
    if in_base64(content) != text:
        raise ValueError("it is not base64 as it should be")
    return content
