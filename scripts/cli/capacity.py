"""`tally capacity`: what there is, what is used, what is left."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from scripts.cli import options
from scripts.cli.options import AtOption, JsonOption, UrlOption

ProviderOption = Annotated[str | None, typer.Option(metavar="NAME|ID", help="Of one provider.")]
TreeOption = Annotated[
    str | None, typer.Option(metavar="NAME|ID", help="Of a provider's whole tree.")
]
ClassOption = Annotated[
    str | None, typer.Option("--class", metavar="CLASS", help="Of one resource class.")
]
TraitOption = Annotated[
    str | None, typer.Option(metavar="TRAIT", help="Of the providers with this trait.")
]
TotalsOption = Annotated[bool, typer.Option("--totals", help="Sums over the providers.")]


def capacity(
    *,
    provider: ProviderOption = None,
    in_tree: TreeOption = None,
    resource_class: ClassOption = None,
    trait: TraitOption = None,
    at: AtOption = None,
    totals: TotalsOption = False,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Show capacity and use, per provider and class or in total, now or at a
    moment in the past.

    \b
    Examples:
      tally capacity
      tally capacity --totals --json
      tally capacity --provider host-a1
      tally capacity --class PGPU --trait CUSTOM_GPU_A100 --at 2026-11-23T14:00:00Z
    """
    from scripts.cli import screen
    from scripts.cli.client import ServiceClient
    from scripts.cli.names import find_provider

    if totals and (provider or in_tree):
        raise typer.BadParameter(
            "totals are over all providers; leave out --provider and --in-tree"
        )
    with ServiceClient(url) as client:
        if totals:
            answer = client.get(
                "/v1/capacity/totals", resource_class=resource_class, trait=trait, at=at
            )
        else:
            items = client.pages(
                "/v1/capacity",
                provider_id=find_provider(client, provider) if provider else None,
                in_tree=find_provider(client, in_tree) if in_tree else None,
                resource_class=resource_class,
                trait=trait,
                at=at,
            )
            answer = {"items": list(items)}
    if as_json:
        screen.write_json(answer)
    elif not answer["items"]:
        screen.say("There is no inventory there.")
    elif totals:
        _show(answer["items"], "providers", (str(item["providers"]) for item in answer["items"]))
    else:
        _show(answer["items"], "provider", (item["provider_name"] for item in answer["items"]))


def _show(items: list[dict[str, Any]], what: str, names: Iterable[str]) -> None:
    from scripts.cli import screen

    numbers = ("total", "capacity", "usage", "available")
    with_units = any(item.get("units") is not None for item in items)
    screen.table(
        (what, "class", *numbers, "use", *(("units",) if with_units else ())),
        (
            (
                name,
                item["resource_class"],
                *(screen.number(item[column]) for column in numbers),
                screen.bar(item["usage"], item["capacity"]),
                *((_units(item["units"]),) if with_units else ()),
            )
            for name, item in zip(names, items, strict=True)
        ),
        right=("providers", *numbers),
    )


def _units(units: list[dict[str, Any]] | None) -> str:
    if units is None:
        return ""
    free = sum(1 for unit in units if not unit["usage"])
    return f"{free} of {len(units)} free"
