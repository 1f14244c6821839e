"""The service's settings as the command line sees them: the environment, and options on top of
it."""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scripts.cli.failure import Failure

if TYPE_CHECKING:
    from infra.settings import Settings


def settings_from(data: Path | None = None, run_projector: bool | None = None) -> "Settings":
    """Options that are None leave the environment's word as it is."""
    from pydantic import ValidationError

    from infra.settings import Settings

    given = {"data": data, "run_projector": run_projector}
    try:
        return Settings.model_validate(
            {name: value for name, value in given.items() if value is not None}
        )
    except ValidationError as error:
        problems = [
            f"TALLYSTICK_{'_'.join(map(str, problem['loc'])).upper()}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        ]
        raise Failure("the settings are wrong", "\n".join(problems)) from None


def database_shown(settings: "Settings") -> str:
    """The database's address without its password."""
    if settings.database_url is None:
        return str(settings.data.resolve())
    parts = urlsplit(settings.database_url.get_secret_value())
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    return f"{user}{parts.hostname or ''}{port}{parts.path}"
