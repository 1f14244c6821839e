"""What a copy writes to a Placement: counted, side by side, and going on where one is refused."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from scripts.cli.placement_client import (
    CONNECTIONS,
    NEWEST,
    Body,
    PlacementClient,
    PlacementRefused,
)


class Writes:
    """`counts` says what was written. With `dry_run` nothing is, and it says what would be.
    `refused` says what the target would not have, or the source not tell: the rest is copied."""

    def __init__(self, target: PlacementClient, *, dry_run: bool) -> None:
        self._target = target
        self._dry_run = dry_run
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.refused: list[str] = []

    def write(
        self, what: str, method: str, path: str, body: object = None, version: str = NEWEST
    ) -> None:
        if not self._dry_run:
            self._target.write(method, path, body, version)
        with self._lock:
            self.counts[what] += 1

    def replace(self, provider_id: str, parts: Body) -> None:
        """Put a provider's inventories, traits or aggregates; each makes a generation."""
        if not parts:
            return
        generation = 0 if self._dry_run else self._target.generation(provider_id)
        for number, (part, value) in enumerate(parts.items()):
            body = {"resource_provider_generation": generation + number, part: value}
            self.write(part, "PUT", f"/resource_providers/{provider_id}/{part}", body)

    def attempt(self, work: Callable[[], None]) -> bool:
        """Whether it was done; not so if either side refused a part of it."""
        try:
            work()
        except PlacementRefused as refused:
            with self._lock:
                self.refused.append(str(refused))
            return False
        return True


def together(ids: Iterable[str], work: Callable[[str], None]) -> None:
    """A few at a time. What has not begun is left when one of them fails."""
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        try:
            for _ in threads.map(work, ids):
                pass
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
