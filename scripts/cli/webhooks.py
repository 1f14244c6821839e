"""`tally webhooks`: where the service pushes its events to."""

from typing import Annotated, Any, Literal

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The webhook's name.")]

webhooks = typer.Typer(
    no_args_is_help=True,
    help="Push events to other systems: list, put, pause, resume, remove.",
)


@webhooks.command("list")
def list_webhooks(*, url: UrlOption = options.DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Show where events are pushed to, and how far each receiver is behind.

    \b
    Examples:
      tally webhooks list
      tally webhooks list --json
    """
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient

    with ServiceClient(url) as client:
        answer = client.get("/v1/webhooks")
    if as_json:
        screen.write_json(answer)
    elif answer["items"]:
        _show(answer["items"])
    else:
        screen.say("There are no webhooks. `tally webhooks put` makes one.")


@webhooks.command()
def put(
    *,
    name: NameArgument,
    receiver: Annotated[str, typer.Argument(metavar="URL", help="Where to POST the events.")],
    mode: Annotated[
        Literal["batch", "structured"],
        typer.Option(help="Up to 100 events in one POST, or one."),
    ] = "batch",
    position: Annotated[
        int | None,
        typer.Option(
            "--after",
            min=0,
            metavar="POSITION",
            show_default="a new one: the log's end; an old one: where it is",
            help="Push the events after it; 0 is everything.",
        ),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="TALLYSTICK_WEBHOOK_SECRET",
            help="Sign every POST with it (Standard Webhooks). In the environment it stays unseen.",
        ),
    ] = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Take the secret away.")] = False,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Create a webhook, or change it; without --secret it keeps the one it has.

    \b
    Examples:
      tally webhooks put billing https://billing.example/events
      tally webhooks put audit http://10.0.0.7:9000/ --mode structured --after 0
      TALLYSTICK_WEBHOOK_SECRET=whsec_… tally webhooks put billing https://billing.example/events
    """
    from scripts.cli.failure import Failure

    if secret and unsigned:
        raise Failure("--secret and --unsigned exclude each other", "Leave one of them out.")
    body: dict[str, Any] = {"url": receiver, "mode": mode, "position": position}
    if secret or unsigned:
        body["secret"] = secret
    _write(url, as_json, "PUT", f"/v1/webhooks/{_quoted(name)}", body)


@webhooks.command()
def pause(
    *, name: NameArgument, url: UrlOption = options.DEFAULT_URL, as_json: JsonOption = False
) -> None:
    """Push no more for now; the webhook keeps its position.

    \b
    Example:
      tally webhooks pause billing
    """
    _write(url, as_json, "POST", f"/v1/webhooks/{_quoted(name)}/pause")


@webhooks.command()
def resume(
    *, name: NameArgument, url: UrlOption = options.DEFAULT_URL, as_json: JsonOption = False
) -> None:
    """Go on where it was; one that waits for its next try tries now.

    \b
    Example:
      tally webhooks resume billing
    """
    _write(url, as_json, "POST", f"/v1/webhooks/{_quoted(name)}/resume")


@webhooks.command()
def remove(*, name: NameArgument, url: UrlOption = options.DEFAULT_URL) -> None:
    """Push no more, and forget the webhook with its position and its secret.

    \b
    Example:
      tally webhooks remove billing
    """
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient, Write

    with ServiceClient(url) as client:
        client.write(Write("DELETE", f"/v1/webhooks/{_quoted(name)}"))
    screen.say(f"{name} is removed.")


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def _write(
    url: str, as_json: bool, method: str, path: str, body: dict[str, Any] | None = None
) -> None:
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient, Write

    with ServiceClient(url) as client:
        told = client.write(Write(method, path, body))
    if as_json:
        screen.write_json(told)
    else:
        _show([told])


def _show(items: list[dict[str, Any]]) -> None:
    from scripts.cli import screen

    screen.table(
        ("webhook", "url", "mode", "state", "position", "lag (events)", "failures", "last error"),
        (
            (
                item["name"],
                item["url"],
                f"{item['mode']}, signed" if item["is_signed"] else item["mode"],
                item["state"],
                screen.number(item["position"]),
                screen.number(item["lag_events"]),
                str(item["failures"]),
                item["last_error"] or "",
            )
            for item in items
        ),
        right=("position", "lag (events)", "failures"),
    )
