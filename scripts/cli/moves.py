"""`tally import` and `tally export`: from files, from a Placement, into a Placement."""

from typing import Any

import typer

from scripts.cli.failure import TallyGroup
from scripts.cli.import_files import import_files
from scripts.cli.placement_move import export_placement, import_placement

FILES = "files"


class ImportGroup(TallyGroup):
    """Whatever does not begin with the name of a command is about files, as it always was."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_named = bool(args) and args[0] in self.commands
        asks_for_help = args in (["--help"], ["-h"])
        return super().parse_args(ctx, args if is_named or asks_for_help else [FILES, *args])


imports = typer.Typer(
    cls=ImportGroup,
    help="Import from files (`tally import FILE...`), or from a running Placement.",
)
imports.command(FILES, help=import_files.__doc__)(import_files)
imports.command("placement")(import_placement)

exports = typer.Typer(help="Export into a Placement.", no_args_is_help=True)


@exports.callback()
def _exports() -> None:
    """Export into a Placement."""


exports.command("placement")(export_placement)
