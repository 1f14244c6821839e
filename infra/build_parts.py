"""The processes that fill the parts of a build, side by side.

They are started before anything is opened, as a process must not share its connections with those
that it forks; then they wait to be told what to do. They end when their parent does.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from typing import Any

from infra.build_filling import Filling, Unhandled
from infra.build_progress import Superseded
from infra.builds import Build
from infra.database import open_database
from infra.event_log import EventLog
from infra.settings import Settings
from projections.all import projections
from projections.projection import Projection

MOST_PROCESSES = 4
WATCH_SECONDS = 0.2


class PartFailed(Exception):
    """A process that filled a part came to grief, and not over an event."""


class PartProcesses:
    """Create it first of all; `start` it once the parts are there to be filled."""

    def __init__(self, settings: Settings, build: Build) -> None:
        self._projection = next(one for one in projections() if one.name == build.name)
        context = _context()
        self._pipes: list[Pipe] = []
        for number in range(self.wanted(self._projection)):
            ours, theirs = context.Pipe()
            context.Process(
                target=_work, args=(settings, build, number, theirs, os.getpid()), daemon=True
            ).start()
            theirs.close()
            self._pipes.append(ours)
        self._busy: list[Pipe] = []
        self._failures: list[tuple[str, str]] = []

    @staticmethod
    def wanted(projection: Projection) -> int:
        """How many parts: as many as there are cores, if the projection can be built in parts."""
        return min(MOST_PROCESSES, os.cpu_count() or 1) if projection.by_stream else 1

    def start(self, parts: int, until: int) -> None:
        """Fill all parts up to a position, each process some of them."""
        for pipe in self._pipes:
            pipe.send((len(self._pipes), parts, until))
        self._busy = list(self._pipes)

    def done(self, wait_seconds: float) -> bool:
        for pipe in wait(self._busy, wait_seconds):
            assert isinstance(pipe, Pipe)
            self._busy.remove(pipe)
            try:
                if failure := pipe.recv():
                    self._failures.append(failure)
            except EOFError:
                self._failures.append(("failed", "a process of the build was killed"))
        return not self._busy

    def require_success(self) -> None:
        """Raises Unhandled, Superseded or PartFailed."""
        kinds = {"unhandled": Unhandled, "superseded": Superseded, "failed": PartFailed}
        for kind, failure in kinds.items():
            for found, text in self._failures:
                if found == kind:
                    raise failure(text)


def _context() -> Any:
    """Forked where that can be: a new interpreter takes a second to import all this."""
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if "fork" in methods else None)


def _work(settings: Settings, build: Build, number: int, pipe: Pipe, parent: int) -> None:
    threading.Thread(target=end_with, args=(parent,), daemon=True).start()
    processes, parts, until = pipe.recv()
    database = open_database(settings)
    projection = next(one for one in projections() if one.name == build.name)
    failure = None
    try:
        for part in range(number, parts, processes):
            Filling(database, EventLog(database), projection, build, part, parts).fill(until)
    except Unhandled as unhandled:
        failure = ("unhandled", str(unhandled))
    except Superseded as superseded:
        failure = ("superseded", str(superseded))
    except Exception as failed:  # noqa: BLE001 - told to the parent, who raises it
        failure = ("failed", f"{type(failed).__name__}: {failed}")
    finally:
        database.close()
    pipe.send(failure)


def end_with(parent: int) -> None:
    """End this process as soon as its parent is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)
