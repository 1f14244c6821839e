"""From rows of the log to leaves: each with the leaf of the event before it in its stream."""

from __future__ import annotations

from collections.abc import Sequence

from domain.leaf import FIRST, leaf_hash
from infra.log_rows import LogRow


class ChainBroken(Exception):
    """A row does not follow what its stream had before."""

    def __init__(self, position: int, detail: str) -> None:
        super().__init__(f"position {position}: {detail}")
        self.position = position
        self.detail = detail


class LeafChain:
    """Feed it rows in the log's order. It keeps the newest leaf of each stream that it saw."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[int, bytes]] = {}

    def unknown(self, rows: Sequence[LogRow]) -> list[tuple[str, int]]:
        """The (stream, version) before these rows whose leaves are to be set first."""
        firsts: dict[str, int] = {}
        for row in rows:
            firsts.setdefault(row.originator_id, row.originator_version)
        return [
            (stream, version - 1)
            for stream, version in firsts.items()
            if version > 1 and self._newest.get(stream, (0, FIRST))[0] != version - 1
        ]

    def set(self, stream: str, version: int, leaf: bytes) -> None:
        self._newest[stream] = (version, leaf)

    def leaf(self, row: LogRow) -> bytes:
        """Raises ChainBroken."""
        position, stream, version, topic, state = row
        if not _is_whole(row):
            raise ChainBroken(position, "a column is not of its type")
        before, previous = self._newest.get(stream, (0, FIRST))
        if version != before + 1:
            raise ChainBroken(position, f"{stream} has version {version} after {before}")
        leaf = leaf_hash(
            position=position,
            stream=stream,
            version=version,
            topic=topic,
            state=state,
            previous=previous,
        )
        self._newest.pop(stream, None)  # So that those not seen for longest come first.
        self._newest[stream] = (version, leaf)
        return leaf

    def trim(self, most: int) -> None:
        """Forget the streams not seen for longest, but for so many."""
        for stream in list(self._newest)[: max(0, len(self._newest) - most)]:
            del self._newest[stream]

    def forget(self) -> None:
        self._newest.clear()


def _is_whole(row: LogRow) -> bool:
    """False for what only somebody else than the ledger writes: the columns may be null."""
    kinds: tuple[type, ...] = (int, str, int, str, bytes)
    return all(isinstance(value, kind) for value, kind in zip(row, kinds, strict=True))
