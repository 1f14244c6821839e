"""What the ledger has, and Placement cannot hold."""

from collections.abc import Iterator
from uuid import UUID

from scripts.cli.client import Body, ServiceClient


def lost(service: ServiceClient) -> Iterator[str]:
    """A line for each thing that an export changes or leaves out."""
    for provider in service.pages("/v1/providers"):
        yield from _of_provider(provider)
    for claim in service.pages("/v1/claims"):
        if claim["status"] == "held":
            holder = claim["consumer"]["id"]
            yield f"{holder}: its hold until {claim['held_until']} becomes an allocation for good"
    for flavor in service.pages("/v1/flavors"):
        yield f"flavor {flavor['name']}: Placement has none"


def _of_provider(provider: Body) -> Iterator[str]:
    name = provider["name"]
    for resource_class, inventory in provider["inventories"].items():
        if inventory["kind"] == "discrete":
            units = len(inventory["units"])
            yield f"{name}: {resource_class}: {units} named units become an amount"
    for group in provider["groups"]:
        if not _is_uuid(group):
            yield f"{name}: group {group}: it is no UUID, and is left out"


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
