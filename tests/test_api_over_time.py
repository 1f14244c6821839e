"""Use, costs and utilization over time, over REST."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import httpx
import pytest

from tests.billed_service import EUR, HOLDS, at, host, publish
from tests.databases import ScratchDatabase
from tests.open_service import Client, Json, code_of, cpus, open_service

DAYS = "from=2026-01-01T00:00:00Z&until=2026-01-04T00:00:00Z"
HOURS = "from=2026-01-01T00:00:00Z&until=2026-01-01T05:00:00Z&step=hour"
COSTS = f"/v1/costs?price_book=standard&{DAYS}"
BOOK = {**EUR, "prices": [*EUR["prices"], HOLDS]}


@pytest.fixture
def client(database: ScratchDatabase) -> Iterator[Client]:
    with open_service(database) as opened:
        yield opened


def three_days(client: Client) -> None:
    """Acme had two CPUs for a day and a half, and held one for two hours; beta had two GPUs."""
    host(client)
    publish(client, BOOK)
    gpus = {"kind": "units", "resource_class": "PGPU", "count": 2}
    held = {"hold_until": "2026-01-02T02:00:00Z"}
    done(client.submit("web", cpus(2), headers=at(1, 12)))
    done(client.submit("may-be", cpus(1), **held, headers=at(2)))
    done(client.delete("/v1/claims/web", headers=at(3)))
    done(client.submit("train", gpus, project_id="beta", headers=at(3)))
    done(client.delete("/v1/claims/train", headers=at(3, 6)))


def done(answer: httpx.Response) -> None:
    """Anything that is refused would make the history another."""
    assert answer.is_success, answer.text


def numbers(told: list[str]) -> list[Decimal]:
    return [Decimal(one) for one in told]


def use_of(item: Json) -> dict[str, Any]:
    return {one["name"]: (numbers(one["claims"]), numbers(one["holds"])) for one in item["use"]}


def test_use_is_told_by_project_and_step_claims_and_holds_apart(client: Client) -> None:
    three_days(client)
    page = client.get(f"/v1/usage?{DAYS}").json()
    assert page["edges"] == [f"2026-01-0{day}T00:00:00Z" for day in (1, 2, 3, 4)]
    assert (page["step"], page["next"]) == ("day", None)
    acme, beta = page["items"]
    assert (acme["project_id"], use_of(acme)) == ("acme", {"VCPU": ([24, 48, 0], [0, 2, 0])})
    assert (beta["project_id"], use_of(beta)) == ("beta", {"PGPU": ([0, 0, 12], [0, 0, 0])})
    assert (acme["use"][0]["claims_total"], acme["use"][0]["holds_total"]) == (
        "72.000000",
        "2.000000",
    )
    totals = client.get(f"/v1/usage/totals?{DAYS}").json()
    assert totals["items"] == [*beta["use"], *acme["use"]]


def test_pages_are_of_projects_and_a_filter_is_of_one(client: Client) -> None:
    three_days(client)
    for path in (f"/v1/usage?{DAYS}", COSTS):
        whole = client.get(path).json()["items"]
        assert client.items(path + "&limit=1") == whole
        assert client.get(path + "&project_id=beta").json()["items"] == whole[1:]
    assert client.get(f"/v1/usage?{DAYS}&project_id=nobody").json()["items"] == [
        {"project_id": "nobody", "use": []}
    ]


def test_a_flavor_counts_while_all_that_it_is_made_of_is_held(client: Client) -> None:
    provider = host(client)
    client.put("/v1/flavors/small", {"resources": {"VCPU": 2}}, headers=at(1))
    small = {"kind": "flavor", "name": "small"}
    part = {"allocations": [{"provider_id": provider, "resource_class": "VCPU", "amount": 1}]}
    done(client.submit("twice", small, small, headers=at(1)))
    done(client.submit("plain", cpus(2), headers=at(1)))
    done(client.submit("held", small, hold_until="2026-01-01T01:30:00Z", headers=at(1)))
    done(client.post("/v1/claims/twice/release", part, headers=at(1, 2)))
    done(client.put("/v1/claims/twice", {"components": [small]}, headers=at(1, 3)))
    (acme,) = client.get(f"/v1/usage?{HOURS}&by=flavor").json()["items"]
    assert use_of(acme) == {"small": ([2, 2, 1, 1, 1], [1, Decimal("0.5"), 0, 0, 0])}
    totals = client.get(f"/v1/usage/totals?{HOURS}&by=flavor").json()
    assert totals["items"] == acme["use"]


def test_costs_add_up_to_the_statements_of_the_steps_and_of_the_period(client: Client) -> None:
    three_days(client)
    page = client.get(COSTS).json()
    assert (page["currency"], page["price_book"], page["price_book_number"]) == (
        "EUR",
        "standard",
        1,
    )
    acme = page["items"][0]
    (cpu,) = acme["costs"]
    assert (cpu["name"], cpu["amounts"], acme["total"]) == (
        "VCPU",
        ["2.40", "4.82", "0.00"],
        "7.22",
    )
    for item in page["items"]:
        days = [sum(day) for day in zip(*map(numbers, amounts(item)), strict=True)]
        for day, amount in enumerate(days, 1):
            assert amount == statement(client, f"2026-01-0{day}", item["project_id"])
        assert Decimal(item["total"]) == statement(client, "2026-01", item["project_id"])
    by_price = client.get(COSTS + "&by=price").json()["items"]
    told = [{one["name"]: one["total"] for one in item["costs"]} for item in by_price]
    assert told == [{"CPU": "7.20", "CPU held": "0.02"}, {"A100": "30.00", "GPU": "12.00"}]
    months = client.get(COSTS.replace("until=2026-01-04", "step=month&until=2026-03-02")).json()
    assert [one["costs"][0]["amounts"] for one in months["items"]] == [
        ["7.22", "0.00", "0.00"],
        ["42.00", "0.00", "0.00"],
    ]


def amounts(item: Json) -> list[list[str]]:
    return [one["amounts"] for one in item["costs"]]


def statement(client: Client, period: str, project_id: str) -> Decimal:
    path = f"/v1/statements/{period}?project_id={project_id}&price_book=standard"
    return Decimal(client.get(path).json()["total"])


def test_utilization_tells_what_is_stranded_now_and_how_full_it_was(client: Client) -> None:
    three_days(client)
    done(client.submit("big", cpus(16), headers=at(3, 7)))
    path = f"/v1/utilization?{DAYS}"
    (tree,) = client.get(path).json()["items"]
    assert (tree["provider_name"], tree["providers"], tree["room"]) == ("host", 1, None)
    gpu, cpu = tree["classes"]
    assert (cpu["resource_class"], cpu["capacity"], cpu["usage"], cpu["utilization"]) == (
        *("VCPU", 64, 16),
        0.25,
    )
    # A quarter of the CPUs is gone, so of two GPUs only one and a half, rounded down, can be sold.
    assert (cpu["stranded"], gpu["stranded"], gpu["units"]) == (
        *(0, 1),
        {"free": 2, "partly_used": 0, "used": 0},
    )
    assert gpu["course"] == {
        "mean": 0.0833,
        "peak": 1.0,
        "means": [0.0, 0.0, 0.25],
        "peaks": [0.0, 0.0, 1.0],
    }
    totals = client.get(f"/v1/utilization/totals?{DAYS}").json()
    assert (totals["trees"], totals["providers"]) == (1, 1)
    assert totals["classes"] == tree["classes"]
    now = client.get("/v1/utilization").json()
    assert (now["step"], now["edges"], now["items"][0]["classes"][0]["course"]) == (None,) * 3


def test_trees_are_one_and_providers_in_them_are_told_by_themselves(client: Client) -> None:
    top = client.post("/v1/providers", {"name": "top", "inventories": {}}).json()["id"]
    for n in (0, 1):
        client.provider(f"numa{n}", cpus=4, gpus=1, parent_id=top)
    client.put("/v1/flavors/half", {"resources": {"VCPU": 3}})
    client.submit("web", cpus(3))
    (tree,) = client.items("/v1/utilization?flavor=half")
    assert (tree["provider_id"], tree["providers"], tree["room"]) == (top, 3, 1)
    assert [(one["usage"], one["stranded"]) for one in tree["classes"]] == [(0, None), (3, 2)]
    alone = client.items("/v1/utilization?by=provider&limit=1")
    assert [one["provider_name"] for one in alone] == ["top", "numa0", "numa1"]
    assert all(line["stranded"] is None for one in alone for line in one["classes"])
    one = client.get(f"/v1/utilization?by=provider&provider_id={alone[1]['provider_id']}").json()
    assert one["items"] == alone[1:2]
    assert client.get("/v1/utilization/totals?flavor=half").json()["room"] == 1


def test_periods_that_cannot_be_told_are_explained(client: Client) -> None:
    publish(client)
    periods = (
        ("from=2026-01-02T00:00:00Z&until=2026-01-02T00:00:00Z", "bad_period"),
        ("from=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "bad_period"),
        ("from=1970-01-01T00:00:00Z&step=hour", "too_many_steps"),
        ("from=2026-01-01T00:00:00Z&until=2999-01-01T00:00:00Z", "at_in_future"),
        ("from=2999-01-01T00:00:00Z", "at_in_future"),
        ("from=2026-01-01&step=day", "bad_time"),
        ("from=2026-01-01T00:00:00Z&step=week", "invalid_parameter"),
        ("from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z", "unknown_parameter"),
    )
    reads = ("usage?", "usage/totals?", "costs?price_book=standard&", "utilization?")
    for path, (period, code) in product((*reads, "utilization/totals?"), periods):
        assert code_of(client.get(f"/v1/{path}{period}")) == (422, code), (path, period)


def test_what_is_not_there_is_named(client: Client) -> None:
    assert code_of(client.get("/v1/usage")) == (422, "invalid_parameter")
    assert code_of(client.get(COSTS)) == (404, "price_book_not_found")
    assert code_of(client.get("/v1/utilization?flavor=none")) == (404, "flavor_not_found")
    three_days(client)
    publish(client, {**EUR, "prices": EUR["prices"][:1]})
    assert code_of(client.get(COSTS)) == (409, "no_price")
    assert code_of(client.get(f"/v1/usage?{DAYS}&cursor=x")) == (422, "bad_cursor")
