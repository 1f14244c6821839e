"""A service with an empty ledger, as often as a suite needs one.

Runs in the suites' own environment, so it knows nothing of the service but how it is started.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import tempfile
import time
import urllib.request

COMMAND = shlex.split(os.environ["TALLYSTICK_SUITE_COMMAND"])
"""Starts one, given `--placement-port` and `--data`."""
SETTINGS = {
    "OpenPolicyFixture": {"TALLYSTICK_PLACEMENT_POLICY": "everyone"},
    "SecureRBACPolicyFixture": {"TALLYSTICK_PLACEMENT_POLICY": "secure"},
    "CORSFixture": {"TALLYSTICK_PLACEMENT_CORS_ORIGINS": "http://valid.example.com"},
}
"""What Placement's fixtures configure."""
PATIENCE_SECONDS = 60.0
FOLDERS = tempfile.gettempdir()
"""Now, as a suite may change it for the time of a test, and a service may live longer."""


class Service:
    """One process at a time, always on the same port."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def start(self, fixture: str = "") -> None:
        """Does not wait until it answers: see `wait`."""
        self.stop()
        self._folder = tempfile.TemporaryDirectory(prefix="tallystick-suite-", dir=FOLDERS)
        where = ["--placement-port", str(self.port), "--data", self._folder.name]
        self._process = subprocess.Popen(
            [*COMMAND, *where],
            env={**os.environ, **SETTINGS.get(fixture, {})},
            stdout=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError("the service ended before it answered")
            if time.monotonic() > deadline:
                raise RuntimeError("the service did not answer in time")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}").close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
