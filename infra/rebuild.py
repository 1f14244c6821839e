"""Building a projection's tables anew, beside those that serve: a process of its own.

    python -m infra.rebuild capacity 2 1

It reads the log in parts, makes the indexes, catches up, compares, and switches. Each step finds
out by itself what was done already, so the whole can be killed anywhere and be run again.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import time

from sqlalchemy import Engine

from api.house import BuildComparison, BuildPhase, TableComparison
from infra.build_comparison import compare_tables
from infra.build_filling import Filling, Unhandled
from infra.build_pace import PAGE
from infra.build_parts import PartProcesses, end_with
from infra.build_progress import Superseded, parts_of, position_of, start_parts
from infra.build_rate import Rate
from infra.build_tables import make_reading_indexes, make_tables
from infra.builds import WORKED_ON, Build, Builds
from infra.database import open_database
from infra.event_log import EventLog
from infra.projector import can_keep
from infra.settings import Settings
from projections.all import projections

LEAST_PRIORITY = 19
"""Others come first: a rebuild takes the time that is left."""
REPORT_SECONDS = 0.25
WORTH_PARTS = 2 * PAGE
"""With fewer events to read, one process is done before several have started."""
COMPARE_WAIT_SECONDS = 30.0
"""How long the build that serves may take to reach the position that the new one has."""

logger = logging.getLogger(__name__)


class Rebuild:
    """One build, from wherever it is to where it serves, or waits for somebody to switch."""

    def __init__(self, settings: Settings, build: Build, parts: PartProcesses) -> None:
        self._database = open_database(settings)
        self._log = EventLog(self._database)
        self._builds = Builds(self._database.builds)
        self._build = build
        self._projection = next(one for one in projections() if one.name == build.name)
        self._parts = parts
        self._rate = Rate()

    def run(self) -> None:
        with self._database.own_place(self._build.place) as is_ours:
            record = self._builds.get(self._build)
            if not is_ours or record is None or record.state not in WORKED_ON:
                return
            try:
                if record.state == "building":
                    self._fill()
                    comparison = self._compare()
                    self._builds.compared(self._build, comparison.model_dump())
                    switches = record.switch_rule == "always" or (
                        record.switch_rule == "if_equal" and comparison.equal
                    )
                    if not switches:
                        self._builds.change(self._build, "ready", only_from=["building"])
                        return
                self._switch()
            except Unhandled as unhandled:
                logger.error("building %s stopped at %s", self._build, unhandled)  # noqa: TRY400
                self._builds.change(self._build, "stopped", only_from=WORKED_ON)

    # --- Filling ----------------------------------------------------------------------------------

    def _fill(self) -> None:
        make_tables(self._database, self._projection, self._build, all_indexes=False)
        head = self._log.head()
        with self._tables().connect() as connection:
            started = len(parts_of(connection)) > 1
            position = position_of(connection)
        if started or head - position > WORTH_PARTS:
            self._read_in_parts(head)
        self._make_indexes()
        self._catch_up("catching up")

    def _read_in_parts(self, head: int) -> None:
        # Processes of a job that was killed may still be at work, for a moment.
        with self._tables().execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            found = parts_of(connection, to_change=True)
            if len({part.position for part in found}) == 1:
                start_parts(connection, self._parts.wanted(self._projection), found[0].position)
                found = parts_of(connection)
        self._parts.start(len(found), head)
        while not self._parts.done(wait_seconds=REPORT_SECONDS):
            self._report("reading", head)
        self._parts.require_success()
        with self._tables().begin() as connection:
            if any(part.position != head for part in parts_of(connection)):
                raise Superseded(f"the parts of {self._build} did not all reach {head}")
            start_parts(connection, 1, head)

    def _make_indexes(self) -> None:
        """Those that only readers need: they cost less when they are made of a whole table."""
        for table in self._projection.metadata.sorted_tables:
            self._report("indexing", self._log.head())
            with self._tables().begin() as connection:
                make_reading_indexes(connection, self._projection, table.name)

    def _catch_up(self, phase: BuildPhase) -> None:
        """Up to a page from the head, or nearer, so that little is left for the switch."""
        while (position := self._position()) < (head := self._log.head()):
            self._fill_to(min(head, position + PAGE))
            self._report(phase, head)
            if head - position < PAGE:
                return

    def _fill_to(self, position: int) -> None:
        Filling(self._database, self._log, self._projection, self._build).fill(position)

    # --- Comparing, switching ---------------------------------------------------------------------

    def _compare(self) -> BuildComparison:
        serving = self._builds.serving(self._build.name)
        position = self._position()
        if serving is None:
            return _not_compared(None, position, "nothing served before")
        old = serving.build
        if not can_keep(self._projection, old.version):
            return _not_compared(old, position, "this release cannot read that version")
        engine = self._database.read_models(old.place, version=old.version)
        deadline = time.monotonic() + COMPARE_WAIT_SECONDS
        while time.monotonic() < deadline:
            # One view of all its tables, and of where it is.
            with engine.execution_options(isolation_level="SERIALIZABLE").connect() as before:
                position = position_of(before)
                if position >= self._position():
                    self._fill_to(position)
                    self._report("comparing", position)
                    with self._tables().connect() as after:
                        tables = compare_tables(self._projection, before, after)
                    return _compared(old, position, tables)
            time.sleep(REPORT_SECONDS)
        return _not_compared(old, position, f"it stands at {position} and does not move on")

    def _switch(self) -> None:
        self._catch_up("switching")
        serving = self._builds.serving(self._build.name)
        if serving is not None:
            # What readers have seen, they see from now on too.
            with self._database.read_models(serving.build.place).connect() as connection:
                self._fill_to(position_of(connection))
        self._report("switching", self._log.head())
        self._builds.switch(self._build)

    # --- Where it is ------------------------------------------------------------------------------

    def _tables(self) -> Engine:
        return self._database.read_models(self._build.place, version=self._build.version)

    def _position(self) -> int:
        with self._tables().connect() as connection:
            return position_of(connection)

    def _report(self, phase: BuildPhase, head: int) -> None:
        with self._tables().connect() as connection:
            positions = [part.position for part in parts_of(connection)]
        done = sum(positions) // len(positions)
        self._builds.report(self._build, self._rate.progress(phase, done, head).model_dump())


def _compared(old: Build, position: int, tables: list[TableComparison]) -> BuildComparison:
    return BuildComparison(
        against=old.label,
        position=position,
        equal=all(one.rows == one.rows_before and not one.differing for one in tables),
        tables=tables,
    )


def _not_compared(old: Build | None, position: int, note: str) -> BuildComparison:
    """Without an old build there is nothing to differ from."""
    return BuildComparison(
        against=None if old is None else old.label,
        position=position,
        equal=old is None,
        tables=[],
        note=note,
    )


def main() -> None:
    name, version, number = sys.argv[1:]
    build = Build(name, int(version), int(number))
    settings = Settings()
    os.nice(LEAST_PRIORITY)
    # A page's events are many and in no cycles; looking through them costs as much as decoding.
    gc.set_threshold(200_000, 20, 100)
    processes = PartProcesses(settings, build)  # Before there is any thread, as these are forks.
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    Rebuild(settings, build, processes).run()


if __name__ == "__main__":
    main()
