"""The one exception that ends a command, and the group of commands that turns it into a message."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup


class Failure(Exception):
    """A foreseeable end: what went wrong, how to mend it. Exit code 1, and never a traceback."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


class TallyGroup(TyperGroup):
    """Shows every `Failure` alike, so that no command needs a `try` of its own."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            show(failure)
            raise typer.Exit(1) from None


def show(failure: Failure) -> None:
    """Writes to the error stream, so that standard output stays what a machine may read."""
    sys.stderr.write(f"tally: {failure.what}\n")
    for line in failure.remedy.splitlines():
        sys.stderr.write(f"  {line}\n")
