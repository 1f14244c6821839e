"""The doctor's judgements, each by itself, and what the terminal shows."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from scripts.cli import options, screen
from scripts.cli.doctor_check import Verdict
from scripts.cli.doctor_machine import (
    GIB,
    check_clock,
    check_database,
    check_folder,
    check_lock,
    check_python,
    check_space,
)
from scripts.cli.doctor_service import check_engine, check_health, check_projection
from scripts.cli.progress import ProgressLines
from scripts.cli.settings import database_shown, settings_from


def test_an_old_python_fails() -> None:
    assert check_python((3, 10)).verdict is Verdict.FAIL
    assert check_python((3, 11)).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(0.2, Verdict.FAIL), (1.0, Verdict.WARN), (50.0, Verdict.OK)],
)
def test_a_disk_that_fills_up_is_told_in_time(free: float, verdict: Verdict) -> None:
    assert check_space(int(free * GIB)).verdict is verdict


def test_a_clock_that_was_never_set_fails() -> None:
    assert check_clock(datetime(1970, 1, 1, tzinfo=UTC)).verdict is Verdict.FAIL
    assert check_clock(datetime(2031, 1, 1, tzinfo=UTC)).verdict is Verdict.OK


def test_a_folder_that_is_not_there_yet_is_a_warning_and_a_file_in_its_place_a_fault(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")

    assert next(check_folder(tmp_path / "a" / "b")).verdict is Verdict.WARN
    assert next(check_folder(tmp_path)).verdict is Verdict.OK
    assert next(check_folder(tmp_path / "file")).verdict is Verdict.FAIL


def test_a_damaged_database_file_fails(tmp_path: Path) -> None:
    assert check_database(settings_from(data=tmp_path)).verdict is Verdict.OK
    (tmp_path / "events.sqlite").write_text("this is no database, and long enough to tell" * 10)
    check = check_database(settings_from(data=tmp_path))

    assert check.verdict is Verdict.FAIL
    assert "not a database" in check.found


def test_a_postgresql_that_does_not_answer_fails_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TALLYSTICK_DATABASE_URL", "postgresql://ada:secret@127.0.0.1:9/ledger")
    settings = settings_from()
    check = check_database(settings)

    assert database_shown(settings) == "ada@127.0.0.1:9/ledger"
    assert check.verdict is Verdict.FAIL
    assert "secret" not in check.found + check.remedy


def test_a_folder_that_is_served_is_told(tmp_path: Path) -> None:
    from infra.sqlite_database import own_folder

    assert check_lock(tmp_path).found.startswith("free")
    with own_folder(tmp_path):
        assert check_lock(tmp_path).found == "a process serves this folder"


def test_a_service_that_is_not_well_fails_and_another_engine_is_a_warning() -> None:
    assert check_health({"status": "degraded"}).verdict is Verdict.FAIL
    assert check_engine({"engine": "sqlite"}, "postgresql").verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("seconds", "error", "verdict"),
    [(0.1, None, Verdict.OK), (60.0, None, Verdict.WARN), (0.0, "KeyError", Verdict.FAIL)],
)
def test_a_projection_that_stopped_fails_and_a_slow_one_is_a_warning(
    seconds: float, error: str | None, verdict: Verdict
) -> None:
    projection = {
        "name": "claims",
        "position": 7,
        "lag_events": 3,
        "lag_seconds": seconds,
        "error": error,
    }
    assert check_projection(projection).verdict is verdict


# --- What the terminal shows ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-23", "2026-11-23T00:00:00Z"),
        ("2026-11-23T14:32:00Z", "2026-11-23T14:32:00Z"),
        ("2026-11-23T14:32:00+02:00", "2026-11-23T12:32:00Z"),
        ("2026-11-23T14:32:00.25", "2026-11-23T14:32:00.250000Z"),
    ],
)
def test_a_moment_is_read_in_any_zone_and_written_in_utc(text: str, written: str) -> None:
    assert options.moment(text) == written


def test_a_moment_that_is_none_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="'soon' is not a time"):
        options.moment("soon")


@pytest.mark.parametrize(
    ("usage", "capacity", "shown"),
    [
        (0, 10, "░░░░   0%"),
        (5, 10, "██░░  50%"),
        (12, 10, "████ 120%"),
        (0, 0, "░░░░   0%"),
        (3, 0, "████ 100%"),
    ],
)
def test_a_bar_shows_use_also_beyond_the_capacity(usage: int, capacity: int, shown: str) -> None:
    assert screen.bar(usage, capacity, width=4) == shown


def test_numbers_have_their_thousands_apart() -> None:
    assert [screen.number(value) for value in (7, 1234567, 2.5)] == ["7", "1,234,567", "2.50"]


def test_a_progress_line_tells_the_rate_and_the_time_left() -> None:
    lines = ProgressLines("replay", 4000)
    lines.advance(1000)

    assert lines.line(seconds=10) == "replay: 1,000 of 4,000, 100/s, 30 s left"
    lines.advance(3000)
    assert lines.line(seconds=40) == "replay: 4,000 of 4,000, 100/s"
