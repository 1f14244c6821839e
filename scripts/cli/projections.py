"""`tally projections`: the read models and how far they have followed the log."""

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption


def projections(*, url: UrlOption = options.DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Show each projection's version, its position in the log and its lag.

    \b
    Examples:
      tally projections
      tally projections --json
    """
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient

    with ServiceClient(url) as client:
        answer = client.get("/v1/projections")
    if as_json:
        screen.write_json(answer)
        return
    screen.table(
        ("projection", "version", "position", "lag (events)", "lag (seconds)", "state"),
        (
            (
                item["name"],
                str(item["version"]),
                screen.number(item["position"]),
                screen.number(item["lag_events"]),
                f"{item['lag_seconds'] or 0:.1f}",
                f"{item['state']} {item['error'] or ''}".strip(),
            )
            for item in answer["items"]
        ),
        right=("version", "position", "lag (events)", "lag (seconds)"),
    )
