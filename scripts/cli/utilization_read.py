"""Reads utilization from the service: the totals first, and then each tree as of the same time."""

from typing import Any

from scripts.cli.client import PAGE, Body, ServiceClient, ServiceProblem
from scripts.cli.failure import Failure
from scripts.cli.progress import progress
from scripts.cli.span import Span, failure_of

PATH = "/v1/utilization"


def read_totals(
    client: ServiceClient,
    span: Span | None,
    at: str | None,
    flavor: str | None,
    resource_class: str | None,
) -> Body:
    """All trees together, at a moment (None: now), or over a span of time."""
    asked = {"until": at} if span is None else span.parameters()
    return _of_class(_get(client, f"{PATH}/totals", **asked, flavor=flavor), resource_class)


def read_sites(
    client: ServiceClient, totals: Body, by: str, flavor: str | None, resource_class: str | None
) -> Body:
    """Every tree, or every provider, as of when the totals are."""
    asked: dict[str, Any] = {"until": totals["at"], "by": by, "flavor": flavor}
    if totals["edges"] is not None:
        asked |= {"from": totals["edges"][0], "step": totals["step"]}
    items: list[Body] = []
    cursor: str | None = None
    with progress(f"{by}s", totals["trees" if by == "tree" else "providers"]) as advance:
        while True:
            page = _get(client, PATH, **asked, limit=PAGE, cursor=cursor)
            items += [_of_class(item, resource_class) for item in page["items"]]
            advance(len(page["items"]))
            cursor = page["next"]
            if cursor is None:
                break
    told = {name: page[name] for name in ("at", "step", "edges")}
    return {**told, "items": [item for item in items if item["classes"]]}


def stranded_part(line: Body) -> float:
    """Of its capacity."""
    return (line["stranded"] or 0) / line["capacity"] if line["capacity"] else 0.0


def most_stranded(sites: list[Body], most: int) -> list[Body]:
    """Those that have something stranded, by the class of which the greatest part is."""

    def worst(site: Body) -> float:
        return max((stranded_part(line) for line in site["classes"]), default=0.0)

    found = [site for site in sites if worst(site) > 0]
    return sorted(found, key=lambda site: (-worst(site), site["provider_name"]))[:most]


def busiest(sites: list[Body], most: int) -> list[Body]:
    """By the class that is fullest: over the time, where one was asked for, or else now."""

    def fullest(site: Body) -> float:
        parts = (
            line["utilization"] if line["course"] is None else line["course"]["mean"]
            for line in site["classes"]
        )
        return max((part or 0.0 for part in parts), default=0.0)

    return sorted(sites, key=lambda site: (-fullest(site), site["provider_name"]))[:most]


def _get(client: ServiceClient, path: str, **asked: Any) -> Body:
    try:
        return client.get(path, **asked)
    except ServiceProblem as problem:
        if problem.code == "flavor_not_found":
            raise Failure(problem.what, "GET /v1/flavors lists which there are.") from None
        raise failure_of(problem) from None


def _of_class(told: Body, resource_class: str | None) -> Body:
    if resource_class is None:
        return told
    classes = [one for one in told["classes"] if one["resource_class"] == resource_class]
    return {**told, "classes": classes}
