"""Giving way: a rebuild that finds the log growing takes small pages, and rests between them.

Its processes have the least priority, but what a database server does for them has not, and all of
it shares processors, caches and a disk with those who write.
"""

from __future__ import annotations

import time

from infra.event_log import EventLog

PAGE = 20_000
"""Positions per transaction: the larger, the fewer look-ups and commits; memory grows with it."""
SMALL_PAGE = 2_000
"""While others write, so that nobody waits long behind one."""
REST_FOR_WORK = 1.5
"""Seconds of rest for a second of work, while others write."""
LONGEST_REST_SECONDS = 1.0


class Pace:
    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._head = log.head()
        self._began = time.monotonic()
        self.page = PAGE

    def rest(self) -> None:
        """Between two pages: rest, if somebody wrote since the last."""
        head = self._log.head()
        is_growing = head > self._head
        self._head = head
        self.page = SMALL_PAGE if is_growing else PAGE
        if is_growing:
            worked = time.monotonic() - self._began
            time.sleep(min(LONGEST_REST_SECONDS, REST_FOR_WORK * worked))
        self._began = time.monotonic()
