"""`tally events`: the log as a feed, once or for as long as it grows."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption

if TYPE_CHECKING:
    from scripts.cli.client import ServiceClient

AfterOption = Annotated[
    int, typer.Option("--after", min=0, metavar="POSITION", help="Only the events after it.")
]
FollowOption = Annotated[
    bool, typer.Option("--follow", "-f", help="Go on with every new event, until Ctrl-C.")
]
LimitOption = Annotated[
    int | None,
    typer.Option(min=1, show_default="100; none with --follow", help="At most that many events."),
]
MOST = 100


def events(
    *,
    after: AfterOption = 0,
    follow: FollowOption = False,
    limit: LimitOption = None,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show the events of the log, in order, as others get them: CloudEvents.

    With --json one CloudEvent on each line. With --follow it goes on by itself
    when the service was away, and leaves out and repeats nothing.

    \b
    Examples:
      tally events --after 1000
      tally events --follow
      tally events --after 0 --follow --json >> events.ndjson
    """
    from scripts.cli import screen
    from scripts.cli.client import PAGE, ServiceClient
    from scripts.cli.event_feed import follow as follow_feed

    if follow:
        told = (data for _, data in follow_feed(url, after, screen.note))
        _show(told, limit, as_json)
        return
    with ServiceClient(url) as client:
        most = limit or MOST
        _show(_pages(client, after, min(most, PAGE)), most, as_json)


def _pages(client: "ServiceClient", after: int, size: int) -> Iterator[str]:
    while True:
        page = client.get("/v1/events", after=after, limit=size)
        yield from (json.dumps(item, ensure_ascii=False) for item in page["items"])
        after = page["position"]
        if after >= page["head"]:
            return


def _show(told: Iterator[str], limit: int | None, as_json: bool) -> None:
    from itertools import islice

    from scripts.cli import screen

    try:
        for text in islice(told, limit):
            screen.say(text if as_json else _line(json.loads(text)))
    except KeyboardInterrupt:
        return


def _line(event: dict[str, object]) -> str:
    return f"{event['id']:>8}  {event['time']:<27}  {event['type']:<28}  {event['subject']}"
