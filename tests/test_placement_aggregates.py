"""Aggregates of Placement's API, which are groups in `/v1`, and the filters by them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import ScratchDatabase
from tests.open_face import PROVIDERS, PlacementClient, open_face, uuid

PATH = f"{PROVIDERS}/{uuid(1)}"
ONE, TWO, THREE = "a0000000-0000-4000-8000-000000000001", uuid(12), uuid(13)


@pytest.fixture
def placement(database: ScratchDatabase) -> Iterator[PlacementClient]:
    with open_face(database) as http:
        yield PlacementClient(http)


def groups_of(placement: PlacementClient) -> list[str]:
    groups: list[str] = placement.v1("GET", f"providers/{uuid(1)}/groups").json()["groups"]
    return sorted(groups)


def test_groups_with_other_names_are_not_shown_and_stay(placement: PlacementClient) -> None:
    body = {"id": uuid(1), "name": "host", "groups": ["rack-7", ONE, TWO]}
    assert placement.v1("POST", "providers", body).status_code == 201
    told = placement.get(f"{PATH}/aggregates")
    assert told == {"aggregates": sorted([ONE, TWO]), "resource_provider_generation": 1}
    replaced = {"aggregates": [THREE], "resource_provider_generation": 1}
    assert placement.made("PUT", f"{PATH}/aggregates", replaced)["aggregates"] == [THREE]
    assert groups_of(placement) == sorted(["rack-7", THREE])
    assert placement.made("PUT", f"{PATH}/aggregates", [], minor=1) == {"aggregates": []}
    assert groups_of(placement) == ["rack-7"]


def test_an_aggregate_is_the_same_however_its_uuid_is_written(placement: PlacementClient) -> None:
    placement.provider(1)
    for written in (ONE, ONE.upper(), ONE.replace("-", ""), f"urn:uuid:{ONE}"):
        body = {
            "aggregates": [written, THREE],
            "resource_provider_generation": placement.generation(PATH),
        }
        assert placement.made("PUT", f"{PATH}/aggregates", body)["aggregates"] == [ONE, THREE]
        assert groups_of(placement) == sorted([ONE, THREE])
        found = placement.get(f"{PROVIDERS}?member_of={ONE.upper()}")
        assert len(found["resource_providers"]) == 1


def test_the_generation_is_raised_from_1_19_on_also_where_nothing_changes(
    placement: PlacementClient,
) -> None:
    placement.provider(1)
    for _ in range(2):
        placement.made("PUT", f"{PATH}/aggregates", [ONE], minor=18)
        assert placement.generation(PATH) == 0
    for generation in (0, 1):
        body = {"aggregates": [ONE], "resource_provider_generation": generation}
        told = placement.made("PUT", f"{PATH}/aggregates", body)
        assert told["resource_provider_generation"] == generation + 1
    history = placement.v1("GET", f"history?provider_id={uuid(1)}").json()["items"]
    assert [event["type"] for event in history] == [
        "provider.registered",
        "provider.groups_changed",
        "provider.generation_raised",
        "provider.generation_raised",
    ]


# What a query finds of host-1 (in one and two), host-2 (in two) and host-3 (in none).
FILTERS = """
1.3   member_of=ONE                            1
1.3   member_of=in:ONE,TWO                     1 2
1.3   member_of=in:ONE,THREE                   1
1.24  member_of=ONE&member_of=TWO              1
1.24  member_of=in:ONE,TWO&member_of=TWO       1 2
1.24  member_of=ONE&member_of=THREE            -
1.32  member_of=!ONE                           2 3
1.32  member_of=!in:ONE,THREE                  2 3
1.32  member_of=!in:ONE,TWO                    3
1.32  member_of=TWO&member_of=!ONE             2
1.32  member_of=!ONE&member_of=!TWO            3
1.39  member_of=TWO&required=CUSTOM_FAST       2
1.39  member_of=TWO&required=!CUSTOM_FAST      1
1.39  member_of=TWO&resources=VCPU:5           1
1.39  member_of=!ONE&in_tree=ROOT              2
"""


def test_filters_by_aggregates_go_with_the_others(placement: PlacementClient) -> None:
    placement.made("PUT", "traits/CUSTOM_FAST")
    placement.provider(1, VCPU=8)
    placement.provider(2, parent=1, VCPU=4)
    placement.provider(3, VCPU=8)
    for number, aggregates in ((1, [ONE, TWO]), (2, [TWO])):
        placement.made("PUT", f"{PROVIDERS}/{uuid(number)}/aggregates", aggregates, minor=1)
    fast = {"traits": ["CUSTOM_FAST"], "resource_provider_generation": 1}
    placement.made("PUT", f"{PROVIDERS}/{uuid(2)}/traits", fast)
    words = {"ONE": ONE, "TWO": TWO, "THREE": THREE, "ROOT": uuid(1)}
    for line in FILTERS.strip().splitlines():
        version, query, *wanted = line.split()
        for word, value in words.items():
            query = query.replace(word, value)
        told = placement.get(f"{PROVIDERS}?{query}", minor=int(version[2:]))["resource_providers"]
        found = [one["name"].removeprefix("host-") for one in told]
        assert (found or ["-"]) == wanted, line
