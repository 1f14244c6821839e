"""The virtual environment of Placement's suites, and the programs that run them in it.

It is made the first time, and again when the lock has changed: there are a hundred packages in it
which nothing else needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from scripts.bootstrap import only_one_installer

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".venv-placement"
LOCK = ROOT / "tests" / "placement" / "requirements.lock"


@dataclass(frozen=True)
class Result:
    file: str
    test: str
    ok: bool
    message: str

    @property
    def words(self) -> str:
        """The end of what the test says, which tells most."""
        lines = [line.strip() for line in self.message.splitlines() if line.strip()]
        return "; ".join(lines[-2:])


def installed() -> Path:
    """The environment's interpreter, after making it if it is not there, or outdated."""
    stamp, digest = FOLDER / "tallystick-stamp", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    python = FOLDER / "bin" / "python"
    with only_one_installer(ROOT / ".venv-placement.lock"):
        if not stamp.exists() or stamp.read_text() != digest:
            venv.create(FOLDER, with_pip=True, clear=True)
            pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
            subprocess.run([*pip, "--require-hashes", "-r", str(LOCK)], check=True)
            stamp.write_text(digest)
    return python


def environment(python: Path) -> dict[str, str]:
    """What everything there gets: its own programs first, and no proxy on the way to a service."""
    kept = {name: value for name, value in os.environ.items() if "PROXY" not in name.upper()}
    return {**kept, "PATH": f"{python.parent}:{os.environ['PATH']}"}


def run(python: Path, module: str, results: Path, *, against: str) -> list[Result]:
    """What became of the tests that `module` runs against "tallystick", or a real "placement"."""
    starts = {
        "tallystick": [sys.executable, "-P", "-m", "scripts.cli", "serve", "--empty", "--port=0"],
        "placement": [str(python), "-m", "tests.placement.real_placement"],
    }
    command = [str(python), "-m", f"tests.placement.{module}", str(results)]
    settings = {**environment(python), "TALLYSTICK_SUITE_COMMAND": shlex.join(starts[against])}
    log = results.with_suffix(".log")
    with log.open("w") as output:
        done = subprocess.run(
            command, cwd=ROOT, env=settings, stdout=output, stderr=output, check=False
        )
    assert done.returncode == 0, log.read_text()[-3_000:]
    return [Result(**json.loads(line)) for line in results.read_text().splitlines()]


def by_file(results: Iterable[Result]) -> Iterator[tuple[str, list[Result]]]:
    ordered = sorted(results, key=lambda result: result.file)
    for file, group in groupby(ordered, key=lambda result: result.file):
        yield file, list(group)
