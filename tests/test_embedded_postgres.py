"""The embedded server: it starts, it keeps, it ends with its owner, and it has one owner."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.embedded_postgres import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    ordinary_user,
    reachable_temporary_directory,
    usable_binaries,
)
from tests.databases import ScratchDatabase

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets")

# A process that starts the server, says where it is, and then waits to be killed.
OWNER = """
import sys, time
from pathlib import Path
from infra.embedded_postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1]), fsync=False) as server:
    print(server.url, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that any user may pass through, as root runs the server as an ordinary one."""
    base = reachable_temporary_directory(ordinary_user()[0])
    folder = Path(tempfile.mkdtemp(prefix="tallystick-tests-", dir=base))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def started_owner(data_directory: Path) -> tuple[subprocess.Popen[str], int]:
    """An owner in a process of its own, with the server's process id.

    Its temporary files go beside the data, as a killed owner cannot remove its socket's folder.
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_directory)],
        env={**os.environ, "TMPDIR": str(data_directory.parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline().startswith("postgresql://")
    pid_file = data_directory / "postmaster.pid"
    return owner, int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])


def is_gone(pid: int, within_seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_what_is_written_is_there_after_a_restart(place: Path) -> None:
    with EmbeddedPostgres(place / "data") as server, psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE notch (depth integer)")
        connection.execute("INSERT INTO notch VALUES (7)")
    with EmbeddedPostgres(place / "data") as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT depth FROM notch").fetchall() == [(7,)]


def test_databases_are_made_with_c_collation_and_dropped_while_in_use(place: Path) -> None:
    with EmbeddedPostgres(place / "data", fsync=False) as server:
        connection = psycopg.connect(server.create_database("a-b c"))
        query = "SELECT current_database(), datcollate, pg_encoding_to_char(encoding) "
        query += "FROM pg_database WHERE datname = current_database()"
        assert connection.execute(query).fetchall() == [("a-b c", "C", "UTF8")]
        server.drop_database("a-b c")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()


def test_a_second_owner_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.embedded_postgres.OWNER_TIMEOUT_SECONDS", 0.1)
    with (
        EmbeddedPostgres(place / "data", fsync=False),
        pytest.raises(EmbeddedPostgresError, match="in use"),
        EmbeddedPostgres(place / "data", fsync=False),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_owner_takes_the_server_down_and_the_next_one_starts(place: Path) -> None:
    owner, server_pid = started_owner(place / "data")
    owner.kill()
    owner.communicate()
    assert is_gone(server_pid)
    with EmbeddedPostgres(place / "data", fsync=False) as server:
        psycopg.connect(server.url).close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows where a process works")
def test_a_stale_pid_file_stops_nobody_and_hurts_nobody(place: Path) -> None:
    with EmbeddedPostgres(place / "data", fsync=False):
        pid_file = place / "data" / "postmaster.pid"
        stale = pid_file.read_text(encoding="utf-8")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        _, rest = stale.split("\n", 1)
        pid_file.write_text(f"{bystander.pid}\n{rest}", encoding="utf-8")
        with EmbeddedPostgres(place / "data", fsync=False) as server:
            psycopg.connect(server.url).close()
        assert bystander.poll() is None
        bystander.communicate(b"\n")


def test_a_half_made_cluster_is_made_again(place: Path) -> None:
    (place / "data.new").mkdir()
    (place / "data.new" / "PG_VERSION").write_text("18\n", encoding="utf-8")
    with EmbeddedPostgres(place / "data", fsync=False) as server:
        psycopg.connect(server.url).close()
    assert not (place / "data.new").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(place: Path) -> None:
    (place / "data").mkdir()
    (place / "data" / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(OSError, match="not empty"), EmbeddedPostgres(place / "data"):
        pass
    assert (place / "data" / "letter.txt").read_text(encoding="utf-8") == "dear"


def test_a_server_that_cannot_start_says_what_its_log_says(place: Path) -> None:
    with EmbeddedPostgres(place / "data", fsync=False):
        pass
    with (place / "data" / "postgresql.conf").open("a", encoding="utf-8") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        EmbeddedPostgres(place / "data").__enter__()


def test_leaving_the_context_ends_the_server_and_removes_its_socket(place: Path) -> None:
    with EmbeddedPostgres(place / "data", fsync=False) as server:
        socket_directory = Path(server.url.split("?host=")[1])
        pid = int((place / "data" / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    assert is_gone(pid)
    assert not socket_directory.exists()
    with pytest.raises(EmbeddedPostgresError, match="not running"):
        server.url  # noqa: B018  the property raises


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_as_root_a_closed_data_directory_is_refused_by_its_name(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(EmbeddedPostgresError, match=str(closed)):
        EmbeddedPostgres(closed / "data").__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_as_root_the_server_is_an_ordinary_users(place: Path) -> None:
    with (
        EmbeddedPostgres(place / "data", fsync=False) as server,
        psycopg.connect(server.url) as connection,
    ):
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        assert Path(f"/proc/{row[0]}").stat().st_uid == server.user != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has programs that others cannot read")
def test_as_root_programs_in_a_closed_home_are_copied_to_where_they_can_run(place: Path) -> None:
    installed = usable_binaries(os.geteuid(), os.getegid()).parents[1]
    home = place / "home"
    home.mkdir(mode=0o700)
    for folder in (installed, installed.with_name(installed.name + ".libs")):
        if folder.exists():
            shutil.copytree(folder, home / folder.name, symlinks=True)
    for _ in range(2):
        finished = subprocess.run(
            [sys.executable, "-c", OWNER.replace("600", "0"), str(place / "data")],
            env={"PATH": os.defpath, "PYTHONPATH": str(home), "TMPDIR": str(place)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
    assert len(list(place.glob("tallystick-postgres-*"))) == 1


def test_the_fixture_gives_each_test_an_empty_database(database: ScratchDatabase) -> None:
    assert not database.data_directory.exists()
    if database.url is None:
        assert database.engine == "sqlite"
        return
    with psycopg.connect(database.url) as connection:
        assert (
            connection.execute("SELECT relname FROM pg_class WHERE oid >= 16384").fetchall() == []
        )
        connection.execute(f"CREATE TABLE only_mine_{uuid.uuid4().hex} (a integer)")


def test_an_owner_that_is_asked_to_stop_leaves_nothing_running(place: Path) -> None:
    owner, server_pid = started_owner(place / "data")
    owner.send_signal(signal.SIGINT)
    owner.communicate()
    assert is_gone(server_pid)
