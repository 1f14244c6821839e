"""The options that several commands share, and how a moment is read."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_PORT = 8480
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"

UrlOption = Annotated[
    str,
    typer.Option("--url", envvar="TALLYSTICK_URL", help="Where the service answers."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Write JSON to standard output, for a machine to read.")
]


def moment(text: str | None) -> str | None:
    """Reads RFC 3339, or a date alone, and gives RFC 3339 in UTC; without a zone it is UTC."""
    if text is None:
        return None
    try:
        return written(datetime.fromisoformat(text))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time; write 2026-11-23 or 2026-11-23T14:32:00Z."
        ) from None


def written(time: datetime) -> str:
    """RFC 3339 in UTC with the letter Z, the only form that the ledger writes."""
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", callback=moment, help="As of that moment, not now."),
]
NumberOption = Annotated[
    int | None,
    typer.Option(min=1, show_default="the newest", help="An older publication of the book."),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="FOLDER",
        show_default="TALLYSTICK_DATA or ./data",
        help="The data folder.",
    ),
]
