"""Usages of Placement's API: what a project holds, whoever made the claims, and by what type."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import ScratchDatabase
from tests.open_face import PROVIDERS, PlacementClient, open_face, uuid
from tests.open_service import Json, cpus

OWNER = {"project_id": "blue", "user_id": "ada"}


@pytest.fixture
def placement(database: ScratchDatabase) -> Iterator[PlacementClient]:
    with open_face(database) as http:
        yield PlacementClient(http)


def submit(placement: PlacementClient, consumer: str, *components: Json, **more: object) -> None:
    """By /v1, for a consumer of the type server."""
    body = {"consumer": {"id": consumer, "type": "server"}, "components": components}
    answer = placement.v1("POST", "requests", {**OWNER, **body, **more})
    assert answer.json()["status"] in ("placed", "held"), answer.text


def usages(placement: PlacementClient, query: str = "", minor: int = 39) -> Json:
    found: Json = placement.get(f"usages?project_id=blue{query}", minor)["usages"]
    return found


def test_claims_of_both_apis_are_added_up_by_type(placement: PlacementClient) -> None:
    placement.provider(1, VCPU=64, MEMORY_MB=2**31 - 1)
    placement.provider(2, MEMORY_MB=2**31 - 1)
    both = {
        "allocations": {
            uuid(1): {"resources": {"VCPU": 2, "MEMORY_MB": 2**31 - 1}},
            uuid(2): {"resources": {"MEMORY_MB": 2**31 - 1}},
        },
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
        **OWNER,
    }
    placement.made("PUT", f"allocations/{uuid(10)}", both)
    assert placement.allocate(11, on=1, minor=37, VCPU=1).status_code == 204
    submit(placement, "a", cpus(4))
    submit(placement, "b", cpus(4), user_id="ben")
    submit(placement, "c", cpus(32), project_id="red")
    instance = {"VCPU": 2, "MEMORY_MB": 2 * (2**31 - 1), "consumer_count": 1}
    unknown = {"VCPU": 1, "consumer_count": 1}
    server = {"VCPU": 8, "consumer_count": 2}
    assert usages(placement) == {"INSTANCE": instance, "unknown": unknown, "server": server}
    assert usages(placement, minor=37) == {"VCPU": 11, "MEMORY_MB": 2 * (2**31 - 1)}
    assert usages(placement, "&consumer_type=INSTANCE") == {"INSTANCE": instance}
    assert usages(placement, "&consumer_type=unknown") == {"unknown": unknown}
    assert usages(placement, "&user_id=ben") == {"server": {"VCPU": 4, "consumer_count": 1}}
    all_of_ada = {"all": {"VCPU": 7, "MEMORY_MB": 2 * (2**31 - 1), "consumer_count": 3}}
    assert usages(placement, "&user_id=ada&consumer_type=all") == all_of_ada
    assert usages(placement, "&user_id=nobody&consumer_type=all") == {}
    assert placement.get(f"{PROVIDERS}/{uuid(1)}/usages")["usages"]["VCPU"] == 2 + 1 + 8 + 32


def test_holds_count_as_long_as_they_last_and_units_by_what_they_are(
    placement: PlacementClient,
) -> None:
    units = {"kind": "discrete", "units": [{"name": "gpu0", "capacity": 4}, {"name": "gpu1"}]}
    body = {"id": uuid(1), "name": "host", "inventories": {"PGPU": units}}
    assert placement.v1("POST", "providers", body).status_code == 201
    assert placement.allocate(10, on=1, PGPU=3).status_code == 204
    one = {"kind": "units", "resource_class": "PGPU", "count": 1}
    submit(placement, "a", one, hold_until="2099-01-01T00:00:00Z")
    assert usages(placement)["server"]["consumer_count"] == 1
    held = usages(placement)["server"]["PGPU"]
    of_provider = placement.get(f"{PROVIDERS}/{uuid(1)}/usages")["usages"]
    assert of_provider == {"PGPU": 3 + held}
    assert usages(placement, minor=9) == of_provider
    placement.made("DELETE", f"allocations/{uuid(10)}")
    assert usages(placement) == {"server": {"PGPU": held, "consumer_count": 1}}
