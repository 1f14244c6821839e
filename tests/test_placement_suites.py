"""Placement's own suites, and those of its command line, against a live service.

They are installed into an environment of their own, `.venv-placement`, the first time: there are a
hundred packages of them, which nothing else needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import socket
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.placement_sides import placement, tallystick
from tests.placement.compare import Comparison, Side

pytestmark = [pytest.mark.placement, pytest.mark.slow]

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv-placement"
LOCK = ROOT / "tests" / "placement" / "requirements.lock"

DIFFERENT = {
    ("basic-http", "bad_content_length_not_int"): "its own client refuses to send such a header",
}
"""Tests of the suites that are expected to fail, each with its reason."""
GABBI_TESTS, COMMAND_LINE_TESTS = 1316, 160


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the suites' environment, which is made if it is not there, or outdated."""
    stamp, digest = FOLDER / "tallystick-stamp", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    found = FOLDER / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != digest:
        venv.create(FOLDER, with_pip=True, clear=True)
        pip = [str(found), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
        stamp.write_text(digest)
    return found


@pytest.fixture
def environment(python: Path) -> dict[str, str]:
    """How a suite starts services: `tests/placement/service_for_suite.py` has the other half."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-P", "-m", "scripts.cli", "serve", "--empty"]
    command += ["--port", "0", "--placement-port", str(port), "--data"]
    return {
        **{name: value for name, value in os.environ.items() if "PROXY" not in name.upper()},
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "TALLYSTICK_SUITE_PORT": str(port),
        "TALLYSTICK_SUITE_COMMAND": shlex.join(command),
    }


def run(
    python: Path, environment: dict[str, str], module: str, results: Path
) -> Iterator[dict[str, Any]]:
    command = [str(python), "-m", f"tests.placement.{module}", str(results)]
    log = results.with_suffix(".log")
    with log.open("w") as output:
        subprocess.run(command, cwd=ROOT, env=environment, stdout=output, stderr=output, check=True)
    for line in results.read_text().splitlines():
        yield json.loads(line)


def unexpected(found: list[dict[str, Any]]) -> list[str]:
    """Tests that failed and should not have, and those that pass though they are listed above."""
    wrong: list[str] = []
    for one in found:
        if one["ok"] == ((one["file"], one["test"]) in DIFFERENT):
            words = [line for line in one["message"].splitlines() if line.strip()]
            wrong.append(f"{one['file']}: {one['test']}: {'; '.join(words[-2:]) or 'passes now'}")
    return wrong


def test_placements_own_tests_pass(
    python: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    found = list(run(python, environment, "run_gabbi", tmp_path / "gabbi.jsonl"))
    assert unexpected(found) == []
    assert len(found) == GABBI_TESTS


def test_the_tests_of_the_openstack_command_pass(
    python: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    found = list(run(python, environment, "run_osc", tmp_path / "osc.jsonl"))
    assert unexpected(found) == []
    assert len(found) == COMMAND_LINE_TESTS


def test_made_up_calls_are_answered_as_placement_answers_them(
    python: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("theirs", "ours"):
        (tmp_path / name).mkdir()
    connection = f"sqlite:///{tmp_path / 'placement.sqlite'}"
    with (
        placement(tmp_path / "theirs", python, connection) as theirs,
        tallystick(tmp_path / "ours") as ours,
    ):
        sides = [Side(f"http://127.0.0.1:{one.port}{one.prefix}") for one in (theirs, ours)]
        comparison = Comparison(sides[0], sides[1], Counter(), Counter())
        for seed in range(1, 61):
            comparison.run(seed, 25)
        for side in sides:
            side.close()
    assert comparison.unknown == 0, capsys.readouterr().out
    assert comparison.calls.total() > 1_000
