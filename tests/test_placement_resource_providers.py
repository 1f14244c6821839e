"""Resource providers of Placement's API, where its own suite does not ask: beside `/v1`, under
contention, made anew, and by the hundred thousand."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from pydantic_core import from_json

from api.placement.call import Call
from api.placement.provider_json import provider_json
from api.placement.resource_providers import TOLD_AT_ONCE, all_shown
from domain.provider_events import ProviderRegistered, TraitsChanged
from projections.live_capacity import LiveCapacity
from projections.live_filters import ProviderFilter, matching
from projections.provider_lines import ProviderLine, provider_lines
from tests.databases import ScratchDatabase, sqlite_database
from tests.open_face import ADMIN, PROVIDERS, PlacementClient, error_of, of_version, open_face, uuid
from tests.open_service import served


@pytest.fixture
def placement(database: ScratchDatabase) -> Iterator[PlacementClient]:
    with open_face(database) as http:
        yield PlacementClient(http)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlacementClient]:
    with open_face(sqlite_database(tmp_path_factory.mktemp("face"))) as http:
        yield PlacementClient(http)


# --- What makes no sense --------------------------------------------------------------------------

WRONG = [
    ("POST", "", {"name": ""}, "name is required"),
    ("POST", "", {"name": "a\nb"}, "no control characters"),
    ("POST", "", {"name": "a\x00b"}, "no control characters"),
    ("PUT", f"/{uuid(1)}", {"name": ""}, "name is required"),
    ("PUT", f"/{uuid(1)}", {"name": "tab\t"}, "no control characters"),
    ("POST", "", {"name": "b", "parent_provider_uuid": uuid(1).replace("-", "")}, "not exist"),
    ("GET", f"?uuid={uuid(1).replace('-', '')}", None, "does not match"),
    ("GET", f"?in_tree={uuid(1).replace('-', '')}", None, "does not match"),
    ("GET", "?name=a;color=red", None, "color"),
]


@pytest.mark.parametrize(("method", "path", "body", "words"), WRONG)
def test_what_makes_no_sense_is_refused(
    shared: PlacementClient, method: str, path: str, body: Any, words: str
) -> None:
    if shared.send("GET", f"{PROVIDERS}/{uuid(1)}").status_code == 404:
        shared.provider(1)
    answer = shared.send(method, f"{PROVIDERS}{path}", body)
    assert answer.status_code == 400
    assert words in str(error_of(answer)["detail"])


# What is not known is looked for where Placement looks: each condition before it was met.
UNKNOWN = """
required=CUSTOM_NOPE                                        400
required=!CUSTOM_NOPE                                       400
required=!CUSTOM_NOPE&name=nobody                           400
required=CUSTOM_NOPE&member_of=AGGREGATE                    400
required=CUSTOM_NOPE&in_tree=AGGREGATE                      200
required=HW_CPU_X86_AVX2,!CUSTOM_NOPE                       200
resources=CUSTOM_NOPE:1                                     400
resources=CUSTOM_NOPE:1&required=!HW_CPU_X86_AVX2           400
resources=CUSTOM_NOPE:1&required=HW_CPU_X86_AVX2            200
resources=CUSTOM_NOPE:1&member_of=AGGREGATE                 200
resources=CUSTOM_NOPE:1&member_of=!AGGREGATE                400
"""


@pytest.mark.parametrize("line", UNKNOWN.strip().splitlines())
def test_what_is_unknown_is_an_error_where_it_is_looked_for(
    shared: PlacementClient, line: str
) -> None:
    query, status = line.replace("AGGREGATE", uuid(77)).split()
    answer = shared.send("GET", f"{PROVIDERS}?{query}")
    assert answer.status_code == int(status), answer.text


# --- Beside /v1 -----------------------------------------------------------------------------------


def test_both_apis_tell_of_the_same_providers(placement: PlacementClient) -> None:
    inventory = {"VCPU": {"kind": "divisible", "total": 8}}
    body = {"name": "host", "inventories": inventory, "traits": ["HW_CPU_X86_AVX2"]}
    registered = placement.v1("POST", "providers", body).json()
    path = f"{PROVIDERS}/{registered['id']}"
    told = placement.get(path)
    assert (told["name"], told["generation"], told["root_provider_uuid"]) == (
        "host",
        2,
        registered["id"],
    )
    found = placement.get(f"{PROVIDERS}?name=host&required=HW_CPU_X86_AVX2&resources=VCPU:8")
    assert found == {"resource_providers": [told]}
    placement.made("PUT", path, {"name": "renamed"})
    assert placement.v1("GET", f"providers/{registered['id']}").json()["name"] == "renamed"
    assert placement.get(f"{PROVIDERS}?name=host") == {"resource_providers": []}
    assert placement.get(f"{PROVIDERS}?name=renamed&uuid={uuid(9)}") == {"resource_providers": []}


def test_each_write_has_a_history(placement: PlacementClient) -> None:
    path = placement.provider(1, VCPU=8)
    placement.provider(2)
    placement.made("PUT", path, {"name": "host-1", "parent_provider_uuid": uuid(2)})
    traits = {"traits": ["HW_CPU_X86_AVX2"], "resource_provider_generation": 1}
    placement.made("PUT", f"{path}/traits", traits)
    placement.made("DELETE", f"{path}/inventories/VCPU")
    placement.made("DELETE", path)
    history = placement.v1("GET", f"history?provider_id={uuid(1)}").json()["items"]
    assert [event["type"] for event in history] == [
        "provider.registered",
        "provider.inventory_changed",
        "provider.moved",
        "provider.traits_changed",
        "provider.inventory_changed",
        "provider.deleted",
    ]


def test_a_deleted_provider_made_anew_has_nothing_of_before_but_its_history(
    placement: PlacementClient,
) -> None:
    path = placement.provider(1, VCPU=8)
    aggregates = {"aggregates": [uuid(77)], "resource_provider_generation": 1}
    placement.made("PUT", f"{path}/aggregates", aggregates)
    placement.made("DELETE", path)
    assert placement.send("GET", path).status_code == 404
    placement.provider(2)
    placement.provider(1, parent=2)
    told = placement.get(path)
    assert (told["generation"], told["root_provider_uuid"]) == (0, uuid(2))
    assert placement.get(f"{path}/inventories")["inventories"] == {}
    assert placement.get(f"{path}/aggregates")["aggregates"] == []
    assert placement.get(f"{PROVIDERS}?member_of={uuid(77)}") == {"resource_providers": []}
    assert len(placement.get(PROVIDERS)["resource_providers"]) == 2
    history = placement.v1("GET", f"history?provider_id={uuid(1)}").json()["items"]
    assert [event["type"] for event in history].count("provider.registered") == 2


# --- Under contention -----------------------------------------------------------------------------


def test_of_many_who_want_one_name_one_gets_it(database: ScratchDatabase) -> None:
    def client(url: str, number: int) -> str:
        headers = {**ADMIN, **of_version(39)}
        body = {"name": "wanted", "uuid": uuid(number)}
        answer = httpx.post(f"{url}/placement/{PROVIDERS}", json=body, headers=headers)
        return "made" if answer.is_success else str(error_of(answer)["code"])

    with served(database) as url, ThreadPoolExecutor(16) as threads:
        answers = Counter(threads.map(lambda number: client(url, number), range(32)))
    assert answers == {"made": 1, "placement.duplicate_name": 31}


# --- By the hundred thousand ----------------------------------------------------------------------

MANY = 100_000
AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def large_view() -> LiveCapacity:
    """Every thousandth provider has a trait and is below the one before it."""
    view = LiveCapacity()
    for number in range(MANY):
        is_special = number % 1_000 == 1
        stream: dict[str, Any] = {"originator_id": f"provider:{uuid(number)}", "at": AT}
        parent_id = uuid(number - 1) if is_special else None
        name = f"host-{number}"
        view.apply(
            ProviderRegistered(originator_version=1, name=name, parent_id=parent_id, **stream)
        )
        if is_special:
            view.apply(TraitsChanged(originator_version=2, traits=("CUSTOM_FAST",), **stream))
    return view


def a_call(minor: int = 39) -> Call:
    return cast(Call, SimpleNamespace(prefix="/placement", minor=minor))


def test_a_few_of_many_are_found_at_once(large_view: LiveCapacity) -> None:
    wanted = ProviderFilter(any_of_traits=[{"CUSTOM_FAST"}], in_tree=uuid(50_000))
    started = time.perf_counter()
    found: list[ProviderLine] = []
    for _ in range(20):
        found = provider_lines(large_view, matching(large_view, wanted))
    assert found == [ProviderLine(uuid(50_001), "host-50001", 1, uuid(50_000), uuid(50_000))]
    assert (time.perf_counter() - started) / 20 < 0.05


def test_while_a_long_list_is_told_others_are_answered(large_view: LiveCapacity) -> None:
    lines = provider_lines(large_view, matching(large_view, ProviderFilter()))

    async def told_beside_others() -> tuple[list[bytes], int]:
        listing = asyncio.create_task(all_shown(a_call(), lines))
        turns = 0
        while not listing.done():
            turns += 1
            await asyncio.sleep(0)
        return await listing, turns

    started = time.perf_counter()
    told, turns = asyncio.run(told_beside_others())
    assert time.perf_counter() - started < 5
    assert turns >= MANY // TOLD_AT_ONCE
    providers = from_json(b"".join(told))["resource_providers"]
    assert len(providers) == MANY
    assert providers[50_001] == from_json(provider_json(a_call(), lines[50_001]))


@pytest.mark.parametrize(
    ("minor", "related"),
    [
        (0, ["self", "inventories", "usages"]),
        (1, ["self", "inventories", "usages", "aggregates"]),
        (6, ["self", "inventories", "usages", "aggregates", "traits"]),
        (39, ["self", "inventories", "usages", "aggregates", "traits", "allocations"]),
    ],
)
def test_a_provider_is_told_with_what_belongs_to_it(minor: int, related: list[str]) -> None:
    name = 'a "quoted" \\ näme 💩'
    told = from_json(provider_json(a_call(minor), ProviderLine("an-id", name, 3, None, "an-id")))
    links = {link["rel"]: link["href"] for link in told.pop("links")}
    base = "/placement/resource_providers/an-id"
    assert links == {rel: base if rel == "self" else f"{base}/{rel}" for rel in related}
    in_tree = {"parent_provider_uuid": None, "root_provider_uuid": "an-id"} if minor == 39 else {}
    assert told == {"uuid": "an-id", "name": name, "generation": 3, **in_tree}
