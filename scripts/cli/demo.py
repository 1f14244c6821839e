"""`tally demo`: a small cloud with something of everything, loaded over REST."""

from typing import TYPE_CHECKING

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption

if TYPE_CHECKING:
    from scripts.cli.client import ServiceClient
    from scripts.cli.progress import Advance


def demo(*, url: UrlOption = options.DEFAULT_URL, as_json: JsonOption = False) -> None:
    """Load the demo cloud into the running service.

    Hosts, NUMA cells, GPUs that can be shared, bare-metal machines and a
    storage pool; a few flavors; a price book; and requests that were placed,
    held, refused, resized and released, so that there is a history to read and
    something to bill. Loading it again changes nothing.

    \b
    Examples:
      tally demo
      tally demo --url http://127.0.0.1:9000
    """
    from scripts.cli import demo_cloud, screen
    from scripts.cli.client import ServiceClient
    from scripts.cli.progress import progress

    with (
        ServiceClient(url) as client,
        progress("demo", len(demo_cloud.writes())) as advance,
    ):
        load(client, advance)
    names = [provider["name"] for provider in demo_cloud.providers()]
    if as_json:
        screen.write_json({"providers": names, "flavors": list(demo_cloud.flavors())})
        return
    screen.say(f"The demo cloud is there: {len(names)} providers.")
    screen.say("Look around with `tally capacity` and `tally history`.")


def load(client: "ServiceClient", advance: "Advance | None" = None) -> None:
    from scripts.cli import demo_cloud

    # A price book of that name may be somebody's own.
    has_book = client.find(demo_cloud.PRICE_BOOK) is not None
    for write in demo_cloud.writes():
        if not (has_book and write.path == demo_cloud.PRICE_BOOK):
            client.write(write)
        if advance is not None:
            advance()


def is_wanted(client: "ServiceClient") -> bool:
    """True for a ledger without providers, and for one whose demo cloud broke off in the middle."""
    from scripts.cli import demo_cloud

    if client.find(f"/v1/claims/{demo_cloud.LAST_CONSUMER}") is not None:
        return False
    if client.find(f"/v1/providers/{demo_cloud.FIRST_PROVIDER}") is not None:
        return True
    return not client.get("/v1/providers", limit=1)["items"]
