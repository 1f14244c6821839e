"""Commands and services in processes of their own, as a person starts them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.cli.client import ServiceClient
from tests.databases import ScratchDatabase

ROOT = Path(__file__).resolve().parent.parent
TALLY = [sys.executable, "-m", "scripts.cli"]
# Nothing listens on the discard port of a test machine.
NOBODY = "http://127.0.0.1:9"
PATIENCE_SECONDS = 30.0


def environment(database: ScratchDatabase | None) -> dict[str, str]:
    settings = {} if database is None else database.settings_environment
    return {**os.environ, **settings, "PYTHONUNBUFFERED": "1"}


def tally(
    *arguments: str, database: ScratchDatabase | None = None, typed: str | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TALLY, *arguments],
        cwd=ROOT,
        env=environment(database),
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def told(answer: subprocess.CompletedProcess[str]) -> Any:
    """What a command said with --json."""
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


class Service:
    """`tally serve` in a process of its own."""

    def __init__(
        self, database: ScratchDatabase, *options: str, port: int = 0, root: Path = ROOT
    ) -> None:
        self.process = subprocess.Popen(
            [*TALLY, "serve", "--port", str(port), *options],
            cwd=root,
            env=environment(database),
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self.wait_for_line("Tallystick serves ").split()[-1]
        self.port = int(self.url.rpartition(":")[2])

    def wait_for_line(self, beginning: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip().startswith(beginning):
                return line.strip()
        self.close()
        raise AssertionError(f"the service ended before it said {beginning!r}")

    def kill(self) -> None:
        """As a power cut would: no chance to tidy up."""
        self.process.kill()
        self.close()

    def stop(self) -> None:
        self.process.terminate()
        self.close()

    def close(self) -> None:
        self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def position(self) -> int:
        with ServiceClient(self.url) as client:
            return int(client.health()["position"])


@contextmanager
def serving(
    database: ScratchDatabase, *options: str, port: int = 0, root: Path = ROOT
) -> Iterator[Service]:
    """The service of this repository, or of a copy of it."""
    service = Service(database, *options, port=port, root=root)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.01)
