"""`tally history`: what happened, as people read it."""

from typing import Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption

ProviderOption = Annotated[str | None, typer.Option(metavar="NAME|ID", help="Of a provider.")]
ConsumerOption = Annotated[str | None, typer.Option(metavar="ID", help="Of a consumer's claim.")]
ProjectOption = Annotated[str | None, typer.Option(metavar="ID", help="Of a project.")]
RequestOption = Annotated[str | None, typer.Option(metavar="ID", help="Of a request.")]
FromOption = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", callback=options.moment, help="From that moment on."),
]
ToOption = Annotated[
    str | None,
    typer.Option("--to", metavar="TIME", callback=options.moment, help="Before that moment."),
]
LimitOption = Annotated[int, typer.Option(min=1, help="At most that many events.")]
NewestOption = Annotated[bool, typer.Option("--newest", help="The newest events first.")]
RawOption = Annotated[bool, typer.Option("--raw", help="Each event's stored data as well.")]


def history(
    *,
    provider: ProviderOption = None,
    consumer: ConsumerOption = None,
    project: ProjectOption = None,
    request: RequestOption = None,
    from_time: FromOption = None,
    to_time: ToOption = None,
    limit: LimitOption = 100,
    newest: NewestOption = False,
    raw: RawOption = False,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show what happened: every event of a provider, a claim, a project, a
    request or a span of time.

    \b
    Examples:
      tally history --newest --limit 20
      tally history --provider host-a1
      tally history --project shop --from 2026-11-01 --to 2026-12-01 --json
      tally history --consumer web-1 --raw
    """
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient
    from scripts.cli.names import find_provider

    with ServiceClient(url) as client:
        # `from` is a word of Python's own, so the parameters go by their names in the query.
        params: dict[str, str | int | bool | None] = {
            "provider_id": find_provider(client, provider) if provider else None,
            "consumer_id": consumer,
            "project_id": project,
            "request_id": request,
            "from": from_time,
            "to": to_time,
            "order": "desc" if newest else "asc",
            "raw": raw or None,
        }
        events = list(client.pages("/v1/history", limit=limit, **params))
    if as_json:
        screen.write_json({"items": events})
    else:
        show_events(events, raw=raw)


def show_events(events: list[dict[str, object]], *, raw: bool = False) -> None:
    import json

    from scripts.cli import screen

    if not events:
        screen.say("Nothing happened there.")
        return
    columns = ["position", "at", "event", "what happened"]
    rows = [
        [str(event["position"]), str(event["at"]), str(event["type"]), str(event["summary"])]
        for event in events
    ]
    if raw:
        columns += ["stream", "data"]
        for row, event in zip(rows, events, strict=True):
            row.append(f"{event['stream']} {event['version']}")
            row.append(json.dumps(event.get("data"), ensure_ascii=False))
    screen.table(columns, rows, right=("position",))
