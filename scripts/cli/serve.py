"""`tally serve`: the service, on this machine, with something in it to look at."""

import os
import socket
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import DataOption

if TYPE_CHECKING:
    from infra.settings import Settings

BACKLOG = 2048


class LogLevel(StrEnum):
    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


def serve(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = options.DEFAULT_PORT,
    placement_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            envvar="TALLYSTICK_PLACEMENT_PORT",
            help="Another port, with OpenStack Placement's API at its root.",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    data: DataOption = None,
    empty: Annotated[bool, typer.Option("--empty", help="Load no demo cloud.")] = False,
    no_projector: Annotated[
        bool,
        typer.Option("--no-projector", help="Leave the projections to a `tally project`."),
    ] = False,
    log_level: Annotated[
        LogLevel, typer.Option(help="How much the server logs.")
    ] = LogLevel.WARNING,
) -> None:
    """Start the service, by default with a small demo cloud in it if the
    ledger is empty.

    The ledger is in SQLite in the data folder, or in the PostgreSQL database
    that TALLYSTICK_DATABASE_URL names.

    \b
    Examples:
      tally serve
      tally serve --port 9000 --data ./production --empty
      TALLYSTICK_DATABASE_URL=postgresql://user@host/tallystick tally serve --empty
    """
    from api.app import PLACEMENT
    from scripts.cli import screen
    from scripts.cli.preflight import require_database, require_free_folder
    from scripts.cli.serve_uvicorn import run
    from scripts.cli.settings import settings_from

    settings = settings_from(data=data, run_projector=False if no_projector else None)
    listener = listening(host, port)
    require_database(settings)
    require_free_folder(settings)
    placement = None if placement_port is None else listening(host, placement_port)
    url = url_of(listener)
    placement_url = f"{url}{PLACEMENT}" if placement is None else url_of(placement)
    run(
        settings,
        listener,
        log_level.value,
        lambda: _greet(url, placement_url, settings),
        None if empty else url,
        placement=placement,
    )
    screen.note("The service has stopped.")


def listening(host: str, port: int) -> socket.socket:
    """Bound before the ledger is opened, so that a taken port is found out at once."""
    from scripts.cli.failure import Failure

    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except socket.gaierror as error:
        raise Failure(
            f"{host!r} is no address of this machine: {error.strerror}",
            "Listen on 127.0.0.1 (this machine only) or 0.0.0.0 (everybody).",
        ) from None
    except OSError as error:
        raise Failure(
            # Its own message repeats the address in Python's words.
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}",
            f"Another program may have the port: choose one with `--port {port + 1}`,\n"
            "or let `--port 0` find a free one.",
        ) from None


def url_of(listener: socket.socket) -> str:
    address, number = listener.getsockname()[:2]
    return f"http://[{address}]:{number}" if ":" in address else f"http://{address}:{number}"


def _greet(url: str, placement_url: str, settings: "Settings") -> None:
    from scripts.cli import screen
    from scripts.cli.settings import database_shown

    screen.say(f"Tallystick serves {url}")
    screen.say(f"  API docs    {url}/docs")
    screen.say(f"  health      {url}/healthz")
    screen.say(f"  Placement   {placement_url}")
    screen.say(f"  data        {settings.data.resolve()}")
    shown = "" if settings.engine == "sqlite" else f" at {database_shown(settings)}"
    screen.say(f"  engine      {settings.engine}{shown}")
    option = "" if url == options.DEFAULT_URL else f" --url {url}"
    screen.say(f"  try next    scripts/tally capacity{option}")
    screen.say(f"              scripts/tally history --newest{option}")
    screen.say("  stop it with Ctrl-C")
