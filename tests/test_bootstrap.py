"""The launchers, on a small checkout with a build backend of its own, so without any network."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.bootstrap import ROOT, CannotInstall, Installation, refuse_old_python

LAUNCHERS = ("serve", "tally", "test", "bench")
PRINT_COMMAND = """
import os, sys
print(sys.prefix, os.getcwd(), "|".join(sys.argv[1:]))
"""
# Builds an editable wheel that puts the checkout on the import path. With SLOW it says that it has
# begun and then takes its time, so that a test can kill the installation in the middle.
BACKEND = """
import os, time, zipfile
from pathlib import Path

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    if "SLOW" in os.environ:
        Path("begun").touch()
        time.sleep(3)
    if Path("broken").exists():
        raise SystemExit("the wheel is broken")
    name = "small-1-py3-none-any.whl"
    info = "small-1.dist-info/"
    with zipfile.ZipFile(Path(wheel_directory, name), "w") as wheel:
        wheel.writestr("small.pth", os.getcwd())
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "small"
version = "1"
"""


def checkout(root: Path) -> Path:
    """A checkout with the real launchers and, behind them, modules that print their command."""
    (root / "scripts").mkdir(parents=True)
    for name in ("bootstrap.py", "__init__.py", *LAUNCHERS):
        shutil.copy(ROOT / "scripts" / name, root / "scripts" / name)
    for module in ("scripts/cli.py", "scripts/benchmarks.py", "pytest.py"):
        (root / module).write_text(PRINT_COMMAND, encoding="utf-8")
    (root / "backend.py").write_text(BACKEND, encoding="utf-8")
    (root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (root / lock).write_text("# nothing but the project itself\n", encoding="utf-8")
    return root


def begin(root: Path, launcher: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a launcher with an environment that holds the search path and nothing else."""
    return subprocess.Popen(
        [str(root / "scripts" / launcher), *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def launched(root: Path, launcher: str, *arguments: str) -> tuple[str, str]:
    process = begin(root, launcher, *arguments)
    output, progress = process.communicate()
    assert process.returncode == 0, progress
    return output, progress


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout after its first start, with the development packages."""
    root = checkout(tmp_path_factory.mktemp("bootstrap") / "checkout")
    _, progress = launched(root, "test")
    assert "Making a virtual environment" in progress
    return root


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "arguments"),
    [
        ("serve", ["serve", "--port", "1"]),
        ("tally", ["--port", "1"]),
        ("bench", ["--port", "1"]),
        ("test", ["--port", "1"]),
    ],
)
def test_a_second_start_is_the_command_alone_within_a_second(
    installed: Path, launcher: str, arguments: list[str]
) -> None:
    begun = time.monotonic()
    output, progress = launched(installed, launcher, "--port", "1")
    assert time.monotonic() - begun < 1.0
    folder = installed if launcher == "test" else "/"
    assert output == f"{installed}/.venv {folder} {'|'.join(arguments)}\n"
    assert progress == ""


@pytest.mark.slow
def test_a_launcher_works_through_a_link_beside_someone_elses_scripts(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "scripts" / "cli").mkdir(parents=True)
    link = tmp_path / "tally"
    link.symlink_to(installed / "scripts" / "tally")
    output = subprocess.check_output([link, "--version"], cwd=tmp_path, text=True)
    assert output == f"{installed}/.venv {tmp_path} --version\n"


@pytest.mark.slow
def test_a_changed_lock_is_installed_into_the_same_environment(installed: Path) -> None:
    keepsake = installed / ".venv" / "keepsake"
    keepsake.touch()
    with (installed / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    _, progress = launched(installed, "tally")
    assert "Installing" in progress
    assert "Making" not in progress
    assert keepsake.exists()


@pytest.mark.slow
def test_a_failed_installation_says_so_and_the_next_start_begins_afresh(installed: Path) -> None:
    (installed / "broken").touch()
    (installed / "requirements.lock").write_text("# changed again\n", encoding="utf-8")
    process = begin(installed, "tally")
    _, progress = process.communicate()
    assert process.returncode == 1
    assert "the wheel is broken" in progress
    assert "pip could not install this checkout" in progress
    (installed / "broken").unlink()
    _, progress = launched(installed, "tally")
    assert "not finished; starting afresh" in progress


@pytest.mark.slow
def test_a_copied_checkout_does_not_use_the_first_ones_environment(
    installed: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(installed, copy, symlinks=True)
    output, progress = launched(copy, "tally")
    assert "of another place" in progress
    assert output.startswith(f"{copy}/.venv ")


@pytest.mark.slow
def test_an_environment_that_a_person_made_is_added_to_and_never_removed(tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    subprocess.run([sys.executable, "-m", "venv", root / ".venv"], check=True)
    (root / ".venv" / "keepsake").touch()
    output, progress = launched(root, "tally", "x")
    assert "already in" in progress
    assert (root / ".venv" / "keepsake").exists()
    assert output == f"{root}/.venv / x\n"


@pytest.mark.slow
def test_two_first_starts_at_once_install_once(tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    both = [begin(root, "tally", "x"), begin(root, "tally", "x")]
    spoken = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], spoken
    assert sum("Making a virtual environment" in progress for _, progress in spoken) == 1
    assert sum("waiting for it" in progress for _, progress in spoken) == 1


@pytest.mark.slow
def test_a_killed_installation_is_waited_for_and_then_made_anew(tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout")
    killed = begin(root, "tally", SLOW="1")
    while not (root / "begun").exists():
        assert killed.poll() is None
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    output, progress = launched(root, "tally", "x")
    killed.communicate()
    assert "waiting for it" in progress
    assert "not finished; starting afresh" in progress
    assert output == f"{root}/.venv / x\n"


def test_the_runtime_is_part_of_the_development_installation_and_not_the_reverse(
    tmp_path: Path,
) -> None:
    installation = Installation(checkout(tmp_path / "checkout"))
    installation.folder.mkdir()
    assert not installation.has("runtime")
    installation.write_stamp("runtime")
    assert installation.has("runtime")
    assert not installation.has("dev")
    installation.write_stamp("dev")
    assert installation.has("runtime")


def test_an_unreadable_stamp_is_no_stamp(tmp_path: Path) -> None:
    installation = Installation(checkout(tmp_path / "checkout"))
    installation.folder.mkdir()
    installation.stamp.write_text("{", encoding="utf-8")
    assert not installation.has("runtime")


def test_an_old_python_is_told_which_one_is_needed() -> None:
    with pytest.raises(CannotInstall, match=r"this is Python 3\.10 .* needs 3\.11 or newer"):
        refuse_old_python((3, 10))
    refuse_old_python((3, 11))


@pytest.mark.parametrize("name", ["bootstrap.py", *LAUNCHERS])
def test_the_launchers_can_be_read_by_an_old_python_that_must_be_told(name: str) -> None:
    source = (ROOT / "scripts" / name).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    imported = {
        word.split(".")[0]
        for node in ast.walk(tree)
        for word in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names | {"bootstrap"}
