"""Makes `.venv`, installs the locked packages into it, and becomes the command that was asked for.

The launchers beside this file run it with whatever `python3` the machine has, before anything is
installed, so it uses the standard library only and stays readable to an older Python (3.6), to
which it must explain itself: hence the quotes around newer annotations. Progress goes to standard
error: standard output belongs to the command.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}


class CannotInstall(Exception):
    """Says in one message what is wrong with this machine and what to do about it."""


def launch(extent: str, arguments: "list[str]") -> NoReturn:
    """Replace this process by `python ARGUMENTS` with the packages of `extent` installed.

    `extent` is "runtime" for the service and the command line, "dev" for the tests and benchmarks.
    """
    try:
        refuse_old_python(sys.version_info[:2])
        python = Installation(ROOT).ready(extent)
    except CannotInstall as error:
        sys.exit(f"tallystick: {error}")
    except PermissionError as error:
        sys.exit(f"tallystick: the installation needs to write in {ROOT}: {error}")
    except KeyboardInterrupt:
        sys.exit("\ntallystick: stopped; the next start takes the installation up again")
    # -P keeps the caller's folder off the import path: it may hold a `scripts` or `api` of its own.
    command = [str(python), "-P", *arguments]
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(python, command)  # noqa: S606  becoming the command keeps its process id and signals


def refuse_old_python(version: "tuple[int, int]") -> None:
    if version < OLDEST_PYTHON:
        raise CannotInstall(
            "this is Python {}.{} ({}), and Tallystick needs 3.11 or newer. Install one and start "
            "the script with it, for example: python3.11 scripts/serve".format(
                *version, sys.executable
            )
        )


class Installation:
    """The virtual environment of one checkout, brought to a wanted state and kept there.

    A stamp is written last, so an installation without one is unfinished. A marker is written
    first, so that an unfinished environment of ours is told from one that a person made by hand:
    ours is made anew, theirs is only added to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.stamp = self.folder / "tallystick-stamp.json"
        self.marker = self.folder / "tallystick-unfinished"
        windows = os.name == "nt"
        self.python = self.folder / ("Scripts/python.exe" if windows else "bin/python")

    def ready(self, extent: str) -> Path:
        """Return the environment's interpreter, after installing whatever `extent` still lacks."""
        if not self.has(extent):
            with only_one_installer(self.root / ".venv.lock") as lock:
                if not self.has(extent):
                    self.install(extent, lock)
        return self.python

    def has(self, extent: str) -> bool:
        """Whether the stamp covers `extent`; the development lock holds the runtime lock whole."""
        try:
            stamp = json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return stamp.get("state") == self.state() and stamp.get("extent") in (extent, "dev")

    def state(self) -> "dict[str, str]":
        """What an installation depends on: the files, where they lie, and the Python under it.

        The place counts because the environment points back at it, so a copied checkout installs
        anew. The interpreter counts because a system upgrade can put another behind the link.
        """
        digest = hashlib.sha256()
        for name in ("pyproject.toml", *LOCKS.values()):
            digest.update((self.root / name).read_bytes())
        return {
            "files": digest.hexdigest(),
            "root": str(self.root),
            "python": os.path.realpath(self.python),
        }

    def install(self, extent: str, lock: IO[bytes]) -> None:
        self.prepare(lock)
        say(f"Installing {count_of_packages(self.root / LOCKS[extent])} locked packages ...")
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        run(
            [*pip, "--no-deps", "--require-hashes", "-r", str(self.root / LOCKS[extent])],
            lock,
            "pip could not install the packages; its own words are above. If this machine reaches "
            "packages through a mirror, name it in pip's configuration and start again",
        )
        say("Installing Tallystick itself ...")
        run(
            [*pip, "--no-deps", "--no-build-isolation", "--editable", str(self.root)],
            lock,
            "pip could not install this checkout; its own words are above",
        )
        self.write_stamp(extent)
        self.marker.unlink(missing_ok=True)
        say("Installed. The next start skips all of this.")

    def write_stamp(self, extent: str) -> None:
        stamp = {"state": self.state(), "extent": extent}
        self.stamp.write_text(json.dumps(stamp), encoding="utf-8")

    def prepare(self, lock: IO[bytes]) -> None:
        """Leave a working, marked, unstamped environment, new unless the present one is of use."""
        if self.marker.exists():
            say("An earlier installation was not finished; starting afresh.")
            shutil.rmtree(self.folder)
        elif self.stamp.exists() and not self.describes_this_place():
            say("The environment is of another place or Python; making it anew.")
            shutil.rmtree(self.folder)
        if self.python.exists() and not self.stamp.exists():
            say(f"Using the environment that is already in {self.folder}.")
            return
        self.folder.mkdir(exist_ok=True)
        self.marker.touch()
        self.stamp.unlink(missing_ok=True)
        if not self.python.exists():
            make_environment(self.folder, lock)

    def describes_this_place(self) -> bool:
        """Whether the stamp was written for this folder and interpreter, whatever the files say."""
        try:
            stamped = json.loads(self.stamp.read_text(encoding="utf-8"))["state"]
        except (OSError, ValueError, KeyError):
            return False
        now = self.state()
        return all(stamped.get(key) == now[key] for key in ("root", "python"))


def make_environment(folder: Path, lock: IO[bytes]) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise CannotInstall(
            "this Python cannot make virtual environments (its ensurepip module is missing). "
            "On Debian and Ubuntu: apt install python3-venv"
        )
    say(f"Making a virtual environment in {folder} ...")
    run(
        [sys.executable, "-m", "venv", str(folder)],
        lock,
        "Python could not make a virtual environment; its own words are above",
    )


def run(command: "list[str]", lock: IO[bytes], failure: str) -> None:
    """Run one step of the installation, its output on standard error.

    The child inherits the open lock. If this process is killed, the next one therefore waits for
    the orphaned pip to end, instead of writing into the same environment beside it.
    """
    inherited = () if os.name == "nt" else (lock.fileno(),)
    if subprocess.run(command, stdout=sys.stderr, check=False, pass_fds=inherited).returncode != 0:
        raise CannotInstall(failure)


@contextlib.contextmanager
def only_one_installer(path: Path) -> "Iterator[IO[bytes]]":
    """Hold the checkout's installation lock, waiting for another start that has it."""
    with path.open("wb") as lock:
        if os.name != "nt":
            import fcntl

            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("Another start is installing; waiting for it ...")
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def count_of_packages(lock: Path) -> int:
    lines = lock.read_text(encoding="utf-8").splitlines()
    return sum("==" in line and not line.startswith((" ", "#")) for line in lines)


def say(words: str) -> None:
    print(f"tallystick: {words}", file=sys.stderr, flush=True)
