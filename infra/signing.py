"""The ledger's own key, and signatures: Ed25519."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from domain.checkpoint import Note, checkpoint_text, key_id, signed_note


class BadKey(Exception):
    """A file is not the key that it should be."""


class SigningKey:
    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def public_pem(self) -> str:
        info = PublicFormat.SubjectPublicKeyInfo
        return self._private.public_key().public_bytes(Encoding.PEM, info).decode()

    def sign_checkpoint(self, origin: str, size: int, root: bytes) -> str:
        text = checkpoint_text(origin, size, root)
        return signed_note(text, origin, self.public, self._private.sign(text.encode()))


def signing_key(path: Path) -> SigningKey:
    """The key in this file, made at first need. Raises BadKey, OSError."""
    if not path.exists():
        _make_key(path)
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as wrong:
        raise BadKey(f"{path} is no private key in PEM without a password") from wrong
    if not isinstance(private, Ed25519PrivateKey):
        raise BadKey(f"{path} is no Ed25519 key")
    return SigningKey(private)


def _make_key(path: Path) -> None:
    """Of several that start together, one makes the key. Nobody sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink()


def read_public_key(path: Path) -> bytes:
    """The raw key of a PEM file. Raises BadKey, OSError."""
    try:
        public = load_pem_public_key(path.read_bytes())
    except ValueError as wrong:
        raise BadKey(f"{path} is no public key in PEM") from wrong
    if not isinstance(public, Ed25519PublicKey):
        raise BadKey(f"{path} is no Ed25519 key")
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def is_signed_by(note: Note, public_key: bytes) -> bool:
    """True if one of the note's signatures is this key's."""
    return any(
        id == key_id(name, public_key) and _is_valid(public_key, signature, note.text.encode())
        for name, id, signature in note.signatures
    )


def _is_valid(public_key: bytes, signature: bytes, text: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True
