"""`tally explain`: why a request went where it went, or nowhere."""

from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption

if TYPE_CHECKING:
    from scripts.cli.client import Body


def explain(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="The request's id.")],
    *,
    providers: Annotated[
        int, typer.Option(min=0, help="Of a refusal: tell so many providers one by one.")
    ] = 0,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Explain a request: which trees of providers could serve it, their
    scores and the choice; or why none could, and the smallest change that
    would have helped.

    \b
    Examples:
      tally explain 0193a1c2-7b1e-7c3a-9f51-2a7d0c9b6e10
      tally explain 0193a1c2-7b1e-7c3a-9f51-2a7d0c9b6e10 --providers 20
    """
    from urllib.parse import quote

    from scripts.cli import screen
    from scripts.cli.client import ServiceClient

    path = f"/v1/requests/{quote(request_id, safe='')}"
    with ServiceClient(url) as client:
        found = client.get(f"{path}/explain")
        one_by_one = list(client.pages(f"{path}/reasons", limit=providers)) if providers else []
    if as_json:
        screen.write_json({**found, "providers": one_by_one} if providers else found)
        return
    screen.say(f"request  {found['request_id']}, {found['status']}")
    for sentence in found["sentences"]:
        screen.say(sentence)
    _show_candidates(found["candidates"])
    if one_by_one:
        screen.table(
            ("provider", "option", "why not"),
            ((one["provider_name"], str(one["option"]), one["detail"]) for one in one_by_one),
        )


def _show_candidates(candidates: "list[Body]") -> None:
    from scripts.cli import screen

    if candidates:
        screen.table(
            ("candidate", "score", ""),
            (
                (
                    one["provider_name"],
                    screen.number(one["score"]),
                    "chosen" if one["chosen"] else "",
                )
                for one in candidates
            ),
            right=("score",),
        )
