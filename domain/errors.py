"""The errors of the domain: calls that make no sense or came too late, each with a stable code.

    LedgerError
    ├── NotFound        what is named does not exist
    ├── Conflict        it exists, but its state forbids this
    ├── Stale           the client's own version is not the newest
    ├── Invalid         well-formed, yet it contradicts itself or names unknown things
    └── Forbidden       the service is set up not to allow it

A request that does not fit is none of these: it is a fact, and kept as an event.
"""

from __future__ import annotations

from pydantic import JsonValue


class LedgerError(Exception):
    """Base of all: `code` is stable and machine-readable, `detail` is a sentence for people."""

    def __init__(self, code: str, detail: str, **extras: JsonValue) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.extras = extras


class NotFound(LedgerError):
    pass


class Conflict(LedgerError):
    pass


class Stale(LedgerError):
    pass


class Invalid(LedgerError):
    pass


class Forbidden(LedgerError):
    pass


KINDS: dict[str, type[LedgerError]] = {
    kind.__name__: kind for kind in (NotFound, Conflict, Stale, Invalid, Forbidden)
}
