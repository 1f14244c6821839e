"""Inventories of Placement's API: of named units, under contention, and with a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.databases import ScratchDatabase, sqlite_database
from tests.open_face import ADMIN, PROVIDERS, PlacementClient, error_of, of_version, open_face, uuid
from tests.open_service import Json, served

PATH = f"{PROVIDERS}/{uuid(1)}"
UNITS = {"kind": "discrete", "units": [{"name": "gpu0", "capacity": 4}, {"name": "gpu1"}]}
AS_TOLD = {
    "total": 5,
    "reserved": 0,
    "min_unit": 1,
    "max_unit": 5,
    "step_size": 1,
    "allocation_ratio": 1.0,
}


@pytest.fixture
def placement(database: ScratchDatabase) -> Iterator[PlacementClient]:
    with open_face(database) as http:
        yield PlacementClient(http)


@pytest.fixture
def with_units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlacementClient]:
    """A provider of two GPUs, the first of which may be shared by four."""
    with open_face(sqlite_database(tmp_path_factory.mktemp("face"))) as http:
        client = PlacementClient(http)
        body = {"id": uuid(1), "name": "host", "inventories": {"PGPU": UNITS}}
        assert client.v1("POST", "providers", body).status_code == 201
        yield client


def units_of(client: PlacementClient) -> Any:
    return client.v1("GET", f"providers/{uuid(1)}").json()["inventories"].get("PGPU")


# --- Named units ----------------------------------------------------------------------------------


def test_named_units_are_told_as_an_amount(with_units: PlacementClient) -> None:
    assert with_units.get(f"{PATH}/inventories")["inventories"] == {"PGPU": AS_TOLD}
    told = with_units.get(f"{PATH}/inventories/PGPU")
    assert told == {**AS_TOLD, "resource_provider_generation": 1}
    assert with_units.get(f"{PATH}/usages")["usages"] == {"PGPU": 0}
    assert len(with_units.get(f"{PROVIDERS}?resources=PGPU:5")["resource_providers"]) == 1
    assert with_units.get(f"{PROVIDERS}?resources=PGPU:6")["resource_providers"] == []


def test_named_units_written_as_they_are_told_stay_units(with_units: PlacementClient) -> None:
    before = units_of(with_units)
    all_of_it = {"inventories": {"PGPU": AS_TOLD, "VCPU": {"total": 8}}}
    with_units.made("PUT", f"{PATH}/inventories", {"resource_provider_generation": 1, **all_of_it})
    one = {"resource_provider_generation": 2, **AS_TOLD}
    with_units.made("PUT", f"{PATH}/inventories/PGPU", one)
    reshaped = {uuid(1): {"resource_provider_generation": 3, **all_of_it}}
    with_units.made("POST", "reshaper", {"inventories": reshaped, "allocations": {}})
    assert with_units.generation(PATH) == 5
    assert units_of(with_units) == before


LOSING_UNITS: list[tuple[str, str, Json | None]] = [
    ("PUT", "/inventories", {"inventories": {"VCPU": {"total": 8}}}),
    ("PUT", "/inventories", {"inventories": {"PGPU": {**AS_TOLD, "total": 6}}}),
    ("PUT", "/inventories", {"inventories": {"PGPU": {"total": 5}}}),
    ("PUT", "/inventories/PGPU", {**AS_TOLD, "reserved": 1}),
    ("DELETE", "/inventories", None),
    ("DELETE", "/inventories/PGPU", None),
]


@pytest.mark.parametrize(("method", "path", "body"), LOSING_UNITS)
def test_named_units_are_not_lost_by_a_client_that_does_not_know_them(
    with_units: PlacementClient, method: str, path: str, body: Json | None
) -> None:
    sent = None if body is None else {**body, "resource_provider_generation": 1}
    answer = with_units.send(method, f"{PATH}{path}", sent)
    assert answer.status_code == 409
    assert "PGPU consists of named units" in str(error_of(answer)["detail"])
    assert with_units.generation(PATH) == 1
    assert len(units_of(with_units)["units"]) == 2


def test_other_classes_beside_named_units_are_changed_one_by_one(
    with_units: PlacementClient,
) -> None:
    body = {"resource_class": "VCPU", "total": 8}
    with_units.made("POST", f"{PATH}/inventories", body)
    one = {"resource_provider_generation": 2, "total": 9}
    with_units.made("PUT", f"{PATH}/inventories/VCPU", one)
    with_units.made("DELETE", f"{PATH}/inventories/VCPU")
    assert len(units_of(with_units)["units"]) == 2


# --- Bodies ---------------------------------------------------------------------------------------

# A body of an inventory, and what comes of it before 1.26 and from then on.
RESERVED = """
total=8                                    201 201
total=8 reserved=7                         201 201
total=8 reserved=8                         400 201
total=8 reserved=9                         400 400
total=1 allocation_ratio=0.5               400 201
total=8 allocation_ratio=0.0               400 201
total=8 allocation_ratio=1e39              400 400
total=8 min_unit=0                         400 400
total=2147483648                           400 400
"""


@pytest.mark.parametrize("line", RESERVED.strip().splitlines())
def test_an_inventory_has_to_leave_something_and_from_1_26_on_nothing_less(
    with_units: PlacementClient, line: str
) -> None:
    *fields, before, since = line.split()
    body: Json = {"resource_class": "VCPU"}
    for field in fields:
        name, _, value = field.partition("=")
        body[name] = float(value) if name == "allocation_ratio" else int(value)
    for minor, status in ((25, before), (26, since)):
        answer = with_units.send("POST", f"{PATH}/inventories", body, minor)
        assert answer.status_code == int(status), answer.text
        with_units.send("DELETE", f"{PATH}/inventories/VCPU")


@pytest.mark.parametrize("inventory", [3, None, {"x": 1}, {"total": 1}])
def test_a_class_whose_name_is_none_is_unknown_whatever_is_said_of_it(
    with_units: PlacementClient, inventory: Any
) -> None:
    body = {"resource_provider_generation": 1, "inventories": {"lower": inventory}}
    answer = with_units.send("PUT", f"{PATH}/inventories", body)
    assert answer.status_code == 400
    assert "No such resource class lower" in str(error_of(answer)["detail"])


# --- Generations ----------------------------------------------------------------------------------


def test_the_same_inventories_again_raise_the_generation_and_are_in_the_history(
    placement: PlacementClient,
) -> None:
    placement.provider(1)
    for generation in range(3):
        body = {
            "resource_provider_generation": generation,
            "inventories": {"VCPU": {"total": 8}, "MEMORY_MB": {"total": 64}},
        }
        placement.made("PUT", f"{PATH}/inventories", body)
    assert placement.generation(PATH) == 3
    history = placement.v1("GET", f"history?provider_id={uuid(1)}").json()["items"]
    assert Counter(event["type"] for event in history) == {
        "provider.registered": 1,
        "provider.inventory_changed": 2,
        "provider.generation_raised": 2,
    }
    assert placement.generation(PATH) == 3


@pytest.fixture
def urls(database: ScratchDatabase) -> Iterator[list[str]]:
    """On PostgreSQL two services share the ledger."""
    with ExitStack() as stack:
        count = 2 if database.engine == "postgresql" else 1
        yield [stack.enter_context(served(database)) for _ in range(count)]


def test_of_many_who_read_one_generation_one_may_write(urls: list[str]) -> None:
    headers = {**ADMIN, **of_version(39)}
    addresses = [f"{url}/placement/{PATH}/inventories" for url in urls]

    def client(number: int) -> str:
        body = {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": number}}}
        address = addresses[number % len(addresses)]
        answer = httpx.put(address, json=body, headers=headers, timeout=60)
        return str(number) if answer.is_success else str(error_of(answer)["code"])

    made = {"name": "host", "uuid": uuid(1)}
    assert httpx.post(f"{urls[0]}/placement/{PROVIDERS}", json=made, headers=headers).is_success
    with ThreadPoolExecutor(16) as threads:
        answers = Counter(threads.map(client, range(1, 33)))
    assert answers.pop("placement.concurrent_update") == 31
    (total,) = answers
    for address in addresses:
        told = httpx.get(address, headers=headers).json()
        assert told["inventories"]["VCPU"]["total"] == int(total)
        assert told["resource_provider_generation"] == 1


def test_shrunk_below_its_use_an_inventory_keeps_its_consumers(placement: PlacementClient) -> None:
    placement.provider(1, VCPU=8)
    assert placement.allocate(10, on=1, VCPU=6).status_code == 204
    body = {"resource_provider_generation": 2, "total": 2}
    placement.made("PUT", f"{PATH}/inventories/VCPU", body)
    assert placement.get(f"{PATH}/usages")["usages"] == {"VCPU": 6}
    assert placement.allocate(11, on=1, VCPU=1).status_code == 409
    for path in (f"{PATH}/inventories", f"{PATH}/inventories/VCPU", PATH):
        assert placement.send("DELETE", path).status_code == 409
    history = placement.v1("GET", f"history?consumer_id={uuid(10)}").json()["items"]
    assert history, "the claim has a history"
