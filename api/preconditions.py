"""What a call may say in headers: under which key, on which version, and at which time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from api.problems import BadCall, BadTime
from api.times import parse_time
from domain.aggregate import Aggregate

RawHeaders = Iterable[tuple[bytes, bytes]]

_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
_LIST_OF_TAGS = re.compile(
    r'\s*(?:W/)?"[\x21\x23-\x7e]*"\s*(?:,\s*(?:(?:W/)?"[\x21\x23-\x7e]*"\s*)?)*'
)
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_VERSION = re.compile(r"[0-9]{1,18}")
NEVER = -1
"""A version that no stream is ever at."""


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The versions that the client would accept; None if it did not say. Every one is `*`."""

    versions: frozenset[int] | None = None
    every: bool = False

    def expected(self, aggregate: Aggregate) -> int | None:
        """The one version by which a use case can tell whether the aggregate's is accepted."""
        if self.versions is None and not self.every:
            return None
        versions = self.versions or frozenset()
        if aggregate.version in versions or (self.every and aggregate.version):
            return aggregate.version
        return max(versions, default=NEVER)


def header(headers: RawHeaders, name: bytes) -> str | None:
    """All the header's lines as one, or None if there is none."""
    lines = [value for key, value in headers if key == name]
    return b", ".join(lines).decode("latin-1") if lines else None


def read_idempotency_key(value: bytes | None) -> str | None:
    if value is None:
        return None
    if not _KEY.fullmatch(value):
        raise BadCall("bad_idempotency_key", "a key is 1 to 255 visible ASCII characters")
    return value.decode("ascii")


def read_if_match(value: str | None) -> IfMatch:
    """RFC 9110, 13.1.1: strong comparison, so that a weak tag matches nothing."""
    if value is None:
        return IfMatch()
    if value.strip() == "*":
        return IfMatch(every=True)
    return IfMatch(frozenset(int(tag) for tag in _tags(value, weak=False) if _is_version(tag)))


def matches_none(value: str | None, version: int) -> bool:
    """True if an If-None-Match names this version (weakly compared): the client has it already."""
    if value is None:
        return False
    return value.strip() == "*" or str(version) in _tags(value, weak=True)


def read_ledger_time(value: bytes | None) -> datetime | None:
    """`Tallystick-At`: when, by the client's own clock, the write happened."""
    if value is None:
        return None
    try:
        return parse_time(value.decode("latin-1"))
    except BadTime as wrong:
        raise BadCall("bad_time", f"Tallystick-At: {wrong}") from wrong


def entity_tag(version: int) -> str:
    return f'"{version}"'


def _tags(value: str, *, weak: bool) -> set[str]:
    if not _LIST_OF_TAGS.fullmatch(value):
        raise BadCall("bad_if_match", 'write versions as tags: "7", or several, or *')
    return {tag for weakness, tag in _TAG.findall(value) if weak or not weakness}


def _is_version(tag: str) -> bool:
    return _VERSION.fullmatch(tag) is not None
