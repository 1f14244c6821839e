"""The two services that are compared: a real Placement, and Tallystick with the same API."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from scripts.benchmarks.calls import Caller, CallFailed
from scripts.benchmarks.running import ServiceFailed, free_port, running_service

START_SECONDS = 120.0
WORKERS, THREADS = 2, 8
"""Of the reference, as its documentation has it for two cores."""
CONFIGURATION = """\
[api]
auth_strategy = noauth2
[placement_database]
connection = {connection}
sync_on_startup = True
"""


@dataclass(frozen=True, kw_only=True)
class Side:
    """`pids` are of what the service consists of on this machine, its database included."""

    name: str
    port: int
    prefix: str = ""
    host: str = "127.0.0.1"
    pids: tuple[int, ...] = ()


@contextmanager
def tallystick(folder: Path, database_url: str | None = None) -> Iterator[Side]:
    with running_service(folder, database_url) as service:
        pids = (service.pid,)
        yield Side(name="Tallystick", port=service.port, prefix="/placement", pids=pids)


def placement_at(url: str) -> Side:
    """One that runs already."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    return Side(name="Placement", port=port, prefix=parts.path.rstrip("/"), host=host)


@contextmanager
def placement(
    folder: Path, python: Path, connection: str, database_pid: int | None = None
) -> Iterator[Side]:
    """One of an environment that has openstack-placement and gunicorn; empty if its database is."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "placement.conf").write_text(CONFIGURATION.format(connection=connection))
    port, log = free_port(), folder / "placement.log"
    command = [str(python), "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
    command += ["--workers", str(WORKERS), "--threads", str(THREADS), "--keep-alive", "75"]
    command += ["--preload", "placement.wsgi.api:application"]
    environment = {**os.environ, "OS_PLACEMENT_CONFIG_DIR": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
        try:
            _await_versions(process, port, log)
            pids = (process.pid, *([] if database_pid is None else [database_pid]))
            yield Side(name="Placement", port=port, pids=pids)
        finally:
            process.terminate()
            process.wait()


def _await_versions(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServiceFailed(f"Placement ended:\n{log.read_text(errors='replace')[-3000:]}")
        try:
            with Caller(port) as caller:
                caller.call("GET", "/", expected=200)
        except (CallFailed, OSError, HTTPException):
            time.sleep(0.1)
        else:
            return
    raise ServiceFailed(f"no Placement within {START_SECONDS:g} s")
