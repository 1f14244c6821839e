"""Where every build of every projection is, for those who look."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from api.house import BuildComparison, BuildProgress, BuildState, ProjectionHealth
from infra.build_progress import PartProgress, parts_of
from infra.builds import WORKED_ON, BuildRecord, Builds
from infra.database import Database


def build_statuses(database: Database, builds: Builds, head: int) -> list[ProjectionHealth]:
    """By name, then by age."""
    return [_status(database, record, head) for record in builds.all()]


def _status(database: Database, record: BuildRecord, head: int) -> ProjectionHealth:
    parts = _parts(database, record)
    position = min((part.position for part in parts), default=0)
    error = next((part.error for part in parts if part.error), None)
    lag = max(0, head - position)
    updated = max((part.updated_at for part in parts), default=record.created_at)
    seconds = max(0.0, time.time() - updated / 1e6) if lag else 0.0
    build = record.build
    return ProjectionHealth(
        name=build.name,
        version=build.label,
        serving=record.state == "serving",
        position=position,
        state=_state(record, error),
        lag_events=lag,
        lag_seconds=round(seconds, 3),
        size_bytes=database.size_of(build.place),
        error=error,
        to_go_on=_to_go_on(record, error),
        progress=_progress(record, head),
        comparison=_comparison(record),
    )


def _parts(database: Database, record: BuildRecord) -> Sequence[PartProgress]:
    try:
        with database.read_models(record.build.place).connect() as connection:
            return parts_of(connection)
    except DBAPIError:  # Its tables are being made, or dropped.
        return ()


def _state(record: BuildRecord, error: str | None) -> BuildState:
    if record.state == "serving":
        return "stopped" if error else "following"
    return record.state


def _to_go_on(record: BuildRecord, error: str | None) -> str | None:
    command = f"tally projections {{}} {record.build}"
    if error or record.state in ("paused", "stopped"):
        return command.format("resume")
    return command.format("switch") if record.state == "ready" else None


def _progress(record: BuildRecord, head: int) -> BuildProgress | None:
    if record.state not in WORKED_ON:
        return None
    if not record.progress:
        return BuildProgress(
            phase="waiting", done=0, of=head, events_per_second=0, seconds_left=None
        )
    return BuildProgress.model_validate(record.progress)


def _comparison(record: BuildRecord) -> BuildComparison | None:
    if record.comparison is None:
        return None
    return BuildComparison.model_validate(record.comparison)
