"""How fast a build goes, and how long it will still take."""

from __future__ import annotations

import time
from collections import deque

from api.house import BuildPhase, BuildProgress

OVER_SECONDS = 5.0
"""The rate is that of the last seconds, as a log is not everywhere of one kind."""


class Rate:
    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def progress(self, phase: BuildPhase, done: int, of: int) -> BuildProgress:
        now = time.monotonic()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > OVER_SECONDS:
            self._seen.popleft()
        then, before = self._seen[0]
        rate = (done - before) / (now - then) if now > then else 0.0
        left = (of - done) / rate if rate > 0 else None
        return BuildProgress(
            phase=phase,
            done=done,
            of=of,
            events_per_second=round(rate),
            seconds_left=None if left is None else round(left, 1),
        )
