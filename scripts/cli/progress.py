"""Progress with its rate and the time left: drawn on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

from scripts.cli.screen import note

# Often enough to see that it lives, seldom enough for a log of an unattended run.
LINE_SECONDS = 5.0


class Advance(Protocol):
    def __call__(self, steps: int = 1) -> None: ...


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """Yields a function to call after each step. Writes to the error stream only."""
    if sys.stderr.isatty():
        with _drawn(what, total) as advance:
            yield advance
    else:
        lines = ProgressLines(what, total)
        yield lines.advance
        lines.finish()


@contextmanager
def progress_as_told(what: str) -> Iterator[Callable[[int, int], None]]:
    """For work that tells (done, of) itself, and knows how much it is only once it has begun."""
    told = 0
    with ExitStack() as stack:
        advance: Advance | None = None

        def tell(done: int, of: int) -> None:
            nonlocal advance, told
            if advance is None:
                advance = stack.enter_context(progress(what, of))
            advance(done - told)
            told = done

        yield tell


@contextmanager
def _drawn(what: str, total: int) -> Iterator[Advance]:
    from rich import progress as parts
    from rich.console import Console

    class Rate(parts.ProgressColumn):
        def render(self, task: parts.Task) -> str:
            return f"{task.finished_speed or task.speed or 0:,.0f}/s"

    columns = (
        parts.TextColumn("{task.description}"),
        parts.BarColumn(),
        parts.MofNCompleteColumn(),
        Rate(),
        parts.TimeRemainingColumn(),
        parts.TextColumn("left"),
    )
    with parts.Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(what, total=total)
        yield lambda steps=1: shown.update(task, advance=steps)


class ProgressLines:
    """One line each `LINE_SECONDS`: `replay: 4,000 of 17,000, 1,512/s, 9 s left`."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._begun = self._said = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        now = time.monotonic()
        if now - self._said >= LINE_SECONDS:
            self._said = now
            note(self.line(now - self._begun))

    def finish(self) -> None:
        note(self.line(time.monotonic() - self._begun))

    def line(self, seconds: float) -> str:
        rate = self._done / seconds if seconds > 0 else 0.0
        line = f"{self._what}: {self._done:,} of {self._total:,}, {rate:,.0f}/s"
        if rate > 0 and self._done < self._total:
            line += f", {(self._total - self._done) / rate:,.0f} s left"
        return line
