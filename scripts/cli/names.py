"""Names that people write, and the ids that the ledger knows them by."""

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, UUID, uuid5

from scripts.cli.failure import Failure

if TYPE_CHECKING:
    from scripts.cli.client import ServiceClient

# Fixed for ever: a provider that was imported under a name keeps its id by it.
PROVIDER_NAMES = uuid5(NAMESPACE_URL, "urn:tallystick:provider-name")


def provider_id(name: str) -> str:
    """The id of a provider whose source gives it a name and no id."""
    return str(uuid5(PROVIDER_NAMES, name))


def find_provider(client: "ServiceClient", name_or_id: str) -> str:
    """The id of the provider of that name or id; a `Failure` where there is none."""
    try:
        return str(UUID(name_or_id))
    except ValueError:
        pass
    for provider in client.pages("/v1/providers", limit=1, name=name_or_id):
        return str(provider["id"])
    raise Failure(
        f"no provider has the name {name_or_id!r}",
        "`tally capacity` lists the providers; names are case-sensitive.",
    )
