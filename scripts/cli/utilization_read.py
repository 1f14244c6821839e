"""Reads utilization from the service: the totals first, and then each tree as of the same time."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from scripts.cli.client import PAGE, Body, ServiceClient, ServiceProblem
from scripts.cli.failure import Failure
from scripts.cli.progress import progress
from scripts.cli.span import Span, failure_of

PATH = "/v1/utilization"


class Asked(NamedTuple):
    """Of when: a span of time, or a moment (None: now); for which flavor, of which class."""

    when: Span | str | None
    flavor: str | None
    resource_class: str | None


def read_totals(client: ServiceClient, asked: Asked) -> Body:
    """All trees together."""
    when = asked.when
    facts = when.parameters() if isinstance(when, Span) else {"until": when}
    answer = _get(client, f"{PATH}/totals", **facts, flavor=asked.flavor)
    return _of_class(answer, asked.resource_class)


def read_sites(client: ServiceClient, totals: Body, by: str, asked: Asked) -> Body:
    """Every tree, or every provider, as of when the totals are."""
    facts: dict[str, Any] = {"until": totals["at"], "by": by, "flavor": asked.flavor}
    if totals["edges"] is not None:
        facts |= {"from": totals["edges"][0], "step": totals["step"]}
    items: list[Body] = []
    cursor: str | None = None
    with progress(f"{by}s", totals["trees" if by == "tree" else "providers"]) as advance:
        while True:
            page = _get(client, PATH, **facts, limit=PAGE, cursor=cursor)
            items += [_of_class(item, asked.resource_class) for item in page["items"]]
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


def fullest_of(sites: Sequence[Body], resource_class: str) -> list[tuple[Body, Body]]:
    """Sites that used the class over the time, each with what it tells of it; the fullest first."""
    found = [
        (site, line)
        for site in sites
        for line in site["classes"]
        if line["resource_class"] == resource_class and line["course"]["mean"]
    ]
    return sorted(found, key=lambda one: (-one[1]["course"]["mean"], one[0]["provider_name"]))


def _get(client: ServiceClient, path: str, **facts: Any) -> Body:
    try:
        return client.get(path, **facts)
    except ServiceProblem as problem:
        if problem.code == "flavor_not_found":
            raise Failure(problem.what, "GET /v1/flavors lists which there are.") from None
        raise failure_of(problem) from None


def _of_class(told: Body, resource_class: str | None) -> Body:
    if resource_class is None:
        return told
    classes = [one for one in told["classes"] if one["resource_class"] == resource_class]
    return {**told, "classes": classes}
