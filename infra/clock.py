"""The ledger's clock: UTC, to the microsecond, and never running backwards in one process."""

from __future__ import annotations

from datetime import UTC, datetime


class LedgerClock:
    def __init__(self) -> None:
        self._latest = datetime.min.replace(tzinfo=UTC)

    def observe(self, at: datetime) -> None:
        """Another host's clock is ahead if this has not come yet: go on from there."""
        self._latest = max(self._latest, at)

    def now(self) -> datetime:
        self._latest = max(self._latest, datetime.now(UTC))
        return self._latest
