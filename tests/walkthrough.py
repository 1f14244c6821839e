"""A walk-through of the documents, gone through in a copy of the repository.

In a ```diff block are changes of the sources, applied with git. In a ```console block, a line that
begins with `$` is a command, and the lines below are what it says among other things, in this
order; `…` stands for anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli_processes import ROOT, Service, environment, serving
from tests.databases import ScratchDatabase
from tests.test_layout import repository_files

BLOCK = re.compile(r"^```(diff|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
# The launchers install what a command needs first; a test runs on what it has.
LAUNCHERS = {
    "scripts/tally": "python -m scripts.cli",
    "scripts/test": "python -m pytest -p no:cacheprovider -p no:xdist",
}
SERVE = "scripts/serve"


def copy_of_the_repository(folder: Path) -> Path:
    for name in repository_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


@dataclass
class Walkthrough:
    """A document under `docs`, and the copy of the repository that is changed as it says."""

    document: str
    folder: Path
    database: ScratchDatabase
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        text = (ROOT / "docs" / self.document).read_text("utf-8")
        blocks = [(found[1], found[2]) for found in BLOCK.finditer(text)]
        self.diffs = [block for kind, block in blocks if kind == "diff"]
        self.commands = [
            (found[1], found[2].splitlines())
            for kind, block in blocks
            if kind == "console"
            for found in COMMAND.finditer(block)
        ]

    def apply_diffs(self) -> None:
        # The folder above may be in a repository of its own, which is none of git's business here.
        alone = {**os.environ, "GIT_CEILING_DIRECTORIES": str(self.folder.parent)}
        for diff in self.diffs:
            applied = subprocess.run(
                ["git", "apply", "-"],
                cwd=self.folder,
                env=alone,
                input=diff,
                capture_output=True,
                text=True,
                check=False,
            )
            assert applied.returncode == 0, f"{self.document}: {applied.stderr}\n{diff}"

    def run(self, beginning: str, url: str | None = None) -> None:
        """Run the next command, which begins like this, and find in its output what is told."""
        command, told = self._next(beginning)
        ran = subprocess.run(
            ["sh", "-c", _as_it_is_here(command)],
            cwd=self.folder,
            env={**environment(self.database), **({"TALLYSTICK_URL": url} if url else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        expected = ".*".join(
            ".*".join(re.escape(part.strip()) for part in line.split("…")) for line in told
        )
        assert re.search(expected, ran.stdout, re.DOTALL), f"{command} said:\n{ran.stdout}"
        assert told or ran.returncode == 0, f"{command} failed:\n{ran.stdout}"

    @contextmanager
    def serve(self) -> Iterator[Service]:
        """The service of the changed copy, as the document starts it."""
        assert self._next(SERVE) == (SERVE, [])
        with serving(self.database, root=self.folder) as service:
            yield service

    def require_all_done(self) -> None:
        assert self.done == [command for command, _ in self.commands]

    def _next(self, beginning: str) -> tuple[str, list[str]]:
        command, told = self.commands[len(self.done)]
        assert command.startswith(beginning)
        self.done.append(command)
        return command, told


def _as_it_is_here(command: str) -> str:
    for launcher, module in LAUNCHERS.items():
        command = command.replace(launcher, module)
    return re.sub(r"^python\b", sys.executable, command)
