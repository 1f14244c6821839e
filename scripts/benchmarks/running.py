"""Starting what is measured, and the load against it, each in a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPException
from pathlib import Path

from scripts.benchmarks.calls import Caller, CallFailed
from scripts.benchmarks.load import GRACE_SECONDS, Plan, Result

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 30.0
SETTLE_SECONDS = 60.0
POLL_SECONDS = 0.05


class ServiceFailed(Exception):
    """The service did not start, or ended while it was measured."""


@dataclass(frozen=True, kw_only=True)
class RunningService:
    port: int
    pid: int
    caller: Caller


@contextmanager
def running_service(
    folder: Path, database_url: str | None, settings: Mapping[str, str] | None = None
) -> Iterator[RunningService]:
    """The real service, empty, on a free port of 127.0.0.1, with its log in `folder`."""
    port, log = free_port(), folder / "service.log"
    command = [sys.executable, "-m", "scripts.cli", "serve", "--port", str(port)]
    command += ["--data", str(folder / "data"), "--empty"]
    environment = _environment(database_url) | dict(settings or {})
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        try:
            _await_health(process, port)
            with Caller(port) as caller:
                yield RunningService(port=port, pid=process.pid, caller=caller)
        except (ServiceFailed, CallFailed, HTTPException, OSError) as error:
            # Its own last words explain a crash better than the connection that it broke.
            state = f"exit status {process.poll()}, log ends:\n{_tail(log)}"
            raise ServiceFailed(f"{error}\nservice: {state}") from error
        finally:
            _stop(process)


def _environment(database_url: str | None) -> dict[str, str]:
    """The caller's own TALLYSTICK_ settings stay out: the benchmark says what it runs on."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TALLYSTICK_")}
    return kept | ({"TALLYSTICK_DATABASE_URL": database_url} if database_url else {})


def _await_health(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServiceFailed("the service ended before it was healthy")
        try:
            with Caller(port) as caller:
                caller.call("GET", "/healthz", expected=200)
        except (CallFailed, OSError):
            time.sleep(POLL_SECONDS)
        else:
            return
    raise ServiceFailed(f"no healthy service within {START_SECONDS:g} s")


def _tail(log: Path, characters: int = 3000) -> str:
    return log.read_text(errors="replace")[-characters:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def settle(service: RunningService) -> float:
    """Waits until no projection lags, and says for how many seconds.

    What projections still owe when a round ends would otherwise be paid in the next one.
    """
    started = time.monotonic()
    # A connection of its own: the service has closed one that was idle for a round.
    with Caller(service.port) as caller:
        while (waiting_for := _unsettled(caller)) is not None:
            if time.monotonic() - started > SETTLE_SECONDS:
                raise ServiceFailed(f"not settled after {SETTLE_SECONDS:g} s: {waiting_for}")
            time.sleep(POLL_SECONDS)
    return time.monotonic() - started


def _unsettled(caller: Caller) -> str | None:
    """What is not settled. A projection far behind may make the service call itself degraded."""
    try:
        health = caller.call("GET", "/healthz", expected=200)
    except CallFailed as error:
        return str(error)
    lagging = [one for one in health["projections"] if one["serving"] and one["lag_events"]]
    return f"projections lag: {lagging}" if lagging else None


def run_load(plan: Plan) -> Result:
    """One run of the load generator in its own process."""
    finished = subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.load"],
        check=False,
        cwd=ROOT,
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        timeout=plan.seconds + 2 * GRACE_SECONDS,
    )
    if finished.returncode:
        raise ServiceFailed(f"the load generator failed:\n{finished.stderr[-3000:]}")
    return Result(**json.loads(finished.stdout))


@contextmanager
def instant_server() -> Iterator[int]:
    """The port of a server that does nothing, to find the generator's own ceiling."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.benchmarks.ceiling"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    # Popen closes both pipes when the block ends, which is the server's sign to stop.
    with process:
        yield int(process.stdout.readline() if process.stdout else 0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
