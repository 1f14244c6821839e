"""Which roots must hold when the log is verified: the checkpoints' whose signatures are good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.checkpoint import BadNote, read_note, verifier_key
from infra.sealed_tables import Sealed
from infra.signing import is_signed_by
from infra.verification import Problem


@dataclass(frozen=True, slots=True)
class Seal:
    """A root that must hold (None: not known for certain); `kept` elsewhere, or in the ledger."""

    size: int
    root: bytes | None
    kept: bool


@dataclass(frozen=True, slots=True)
class Seals:
    """The smallest first. `keys` are those that signed in the ledger."""

    seals: list[Seal]
    keys: list[str]
    problems: list[Problem]


def read_seals(sealed: Sequence[Sealed], kept: Sequence[str], pinned: Sequence[bytes]) -> Seals:
    """From the ledger's checkpoints and kept notes. Without pinned keys any one is trusted."""
    names = {one.public_key: one.note.partition("\n")[0] for one in sealed}
    seals: list[Seal] = []
    problems: list[Problem] = []
    good = 0
    for one in sealed:
        wrong = _wrong_with(one, pinned)
        seals.append(Seal(one.size, None if wrong else one.root, kept=False))
        if wrong is None:
            good = one.size
        else:
            detail = f"the checkpoint of {one.size} events {wrong[1]}; it does not prove "
            detail += f"positions {good + 1} to {one.size}"
            problems.append(finding(wrong[0], good + 1, detail))
    for text in kept:
        found = _read_kept(text, pinned or list(names))
        if isinstance(found, Seal):
            seals.append(found)
        else:
            problems.append(found)
    seals.sort(key=lambda one: one.size)
    return Seals(seals, [verifier_key(name, key) for key, name in names.items()], problems)


def _wrong_with(one: Sealed, pinned: Sequence[bytes]) -> tuple[str, str] | None:
    if pinned and one.public_key not in pinned:
        return "other_key", "is signed with a key that is not trusted"
    try:
        note = read_note(one.note)
    except BadNote:
        return "bad_checkpoint", "cannot be read"
    if not is_signed_by(note, one.public_key):
        return "bad_signature", "has a forged signature"
    if (note.size, note.root) != (one.size, one.root):
        return "bad_checkpoint", "is not what was signed"
    return None


def _read_kept(text: str, keys: Sequence[bytes]) -> Seal | Problem:
    try:
        note = read_note(text)
    except BadNote as bad:
        return finding("bad_checkpoint", 0, f"the kept checkpoint: {bad}")
    if not any(is_signed_by(note, key) for key in keys):
        return finding("bad_signature", 0, "no key here signed the kept checkpoint")
    return Seal(note.size, note.root, kept=True)


def finding(code: str, position: int, detail: str) -> Problem:
    return Problem(code=code, position=position, stream="", detail=detail)
