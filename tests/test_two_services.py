"""Two service processes on one PostgreSQL: what clients see when both want the same thing."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cli_processes import Service, serving, tally, told
from tests.databases import ScratchDatabase

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

CLIENTS = 64
LAST_UNITS = 40


@pytest.fixture
def services(database: ScratchDatabase) -> Iterator[tuple[Service, Service]]:
    with serving(database, "--empty") as one, serving(database, "--empty") as two:
        yield one, two


def host(service: Service, vcpus: int) -> str:
    inventory = {"VCPU": {"kind": "divisible", "total": vcpus}}
    answer = httpx.post(
        f"{service.url}/v1/providers", json={"name": "host", "inventories": inventory}
    )
    assert answer.status_code == 201
    return str(answer.json()["id"])


def request(consumer: str, vcpus: int = 1) -> dict[str, Any]:
    return {
        "consumer": {"id": consumer},
        "project_id": "acme",
        "user_id": "ada",
        "components": [{"kind": "amounts", "resources": {"VCPU": vcpus}}],
    }


def test_64_clients_get_exactly_what_fits_and_see_no_conflict(
    database: ScratchDatabase, services: tuple[Service, Service]
) -> None:
    host(services[0], LAST_UNITS)

    async def client(http: httpx.AsyncClient, number: int) -> tuple[int, str]:
        service = services[number % 2]
        answer = await http.post(f"{service.url}/v1/requests", json=request(f"c{number}"))
        return answer.status_code, answer.json().get("status", answer.text)

    async def all_clients() -> list[tuple[int, str]]:
        limits = httpx.Limits(max_connections=CLIENTS)
        async with httpx.AsyncClient(limits=limits, timeout=60) as http:
            return await asyncio.gather(*(client(http, number) for number in range(CLIENTS)))

    answers = Counter(asyncio.run(all_clients()))
    assert answers == {(201, "placed"): LAST_UNITS, (201, "refused"): CLIENTS - LAST_UNITS}
    assert told(tally("verify", "--json", database=database))["ok"] is True


def test_a_write_through_one_worker_is_read_through_the_other(
    services: tuple[Service, Service],
) -> None:
    one, two = services
    host_id = host(one, 100)
    for number in range(20):
        writer, reader = (one, two) if number % 2 else (two, one)
        consumer = f"c{number}"
        httpx.post(f"{writer.url}/v1/requests", json=request(consumer)).raise_for_status()
        claim = httpx.get(f"{reader.url}/v1/claims/{consumer}")
        capacity = httpx.get(f"{reader.url}/v1/capacity?provider_id={host_id}")
        assert claim.json()["allocations"][0]["amount"] == 1
        assert capacity.json()["items"][0]["usage"] == number + 1


def test_a_key_means_the_same_through_both_workers(services: tuple[Service, Service]) -> None:
    one, two = services
    host(one, 1)
    key = {"Idempotency-Key": "once"}
    first = httpx.post(f"{one.url}/v1/requests", json=request("c1"), headers=key)
    again = httpx.post(f"{two.url}/v1/requests", json=request("c1"), headers=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    other = httpx.post(f"{two.url}/v1/requests", json=request("c2"), headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
