"""Choosing over HTTP: dry runs, candidates, explanations, gangs, and the groups of providers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.databases import ScratchDatabase
from tests.open_service import Client, Json, code_of, cpus, gpus, open_service


@pytest.fixture
def service(database: ScratchDatabase) -> Iterator[Client]:
    with open_service(database) as client:
        yield client


def position(service: Client) -> int:
    return int(service.get("/healthz").json()["position"])


def dry(service: Client, *components: Json, **more: Any) -> Json:
    body = {
        "consumer": {"id": "dry"},
        "project_id": "acme",
        "user_id": "ada",
        "components": components,
        **more,
    }
    answer = service.post("/v1/requests?dry_run=true", body)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    assert (told["id"], told["version"]) == (None, 0)
    return told


# --- Dry runs -------------------------------------------------------------------------------------


def test_a_dry_run_tells_where_it_would_go_or_why_not_and_writes_nothing(service: Client) -> None:
    host = service.provider("host", cpus=8)
    before = position(service)
    would = dry(service, cpus(8))
    assert (would["status"], would["decision"]["chosen"]) == ("placed", host["id"])
    would_not = dry(service, cpus(9))
    assert [reason["code"] for reason in would_not["reasons"]] == ["short_of_capacity"]
    assert would_not["relaxations"][0]["changes"][0]["possible"] == 8
    assert position(service) == before
    assert service.get("/v1/claims/dry").status_code == 404
    assert service.submit("real", cpus(8)).json()["allocations"] == would["allocations"]


def test_what_a_dry_run_cannot_do_is_told_as_without_one(service: Client) -> None:
    service.provider("host")
    body: Json = {"consumer": {"id": "c"}, "project_id": "p", "user_id": "u"}
    body["components"] = [{"kind": "amounts", "resources": {"CUSTOM_NONE": 1}}]
    answer = service.post("/v1/requests?dry_run=true", body)
    assert code_of(answer) == (422, "unknown_resource_class")
    assert code_of(service.post("/v1/requests?dry_run=maybe", body)) == (422, "invalid_parameter")


# --- Candidates -----------------------------------------------------------------------------------


def test_candidates_are_told_with_what_they_would_give_and_can_be_claimed(service: Client) -> None:
    for name, size in (("small", 4), ("large", 16), ("tiny", 1)):
        service.provider(name, cpus=size)
    found = service.get("/v1/candidates?resources=VCPU:2&policy=spread").json()["items"]
    assert [one["provider_name"] for one in found] == ["large", "small"]
    assert found[0]["allocations"][0]["amount"] == 2
    chosen = found[1]["in_tree"]
    claimed = service.submit("server", cpus(2), in_tree=chosen).json()
    assert [one["provider_id"] for one in claimed["allocations"]] == [chosen]
    assert len(service.get("/v1/candidates?resources=VCPU:1&limit=1").json()["items"]) == 1


def test_candidates_of_any_wish_can_be_asked_for(service: Client) -> None:
    service.provider("plain", cpus=8)
    service.provider("with-gpus", cpus=8, gpus=2)
    wish: Json = {"components": [gpus(4)], "alternatives": [{"components": [gpus(2)]}]}
    (found,) = service.post("/v1/candidates", wish).json()["items"]
    assert (found["provider_name"], found["option"]) == ("with-gpus", 1)
    plain = "/v1/candidates?units=PGPU:1:1&flavor=none"
    assert code_of(service.get(plain)) == (404, "flavor_not_found")
    service.put("/v1/flavors/small", {"resources": {"VCPU": 1}})
    both = service.get("/v1/candidates?units=PGPU:1&units=PGPU:1&flavor=small").json()["items"]
    assert [one["provider_name"] for one in both] == ["with-gpus"]


@pytest.mark.parametrize(
    "query",
    [
        "resources=VCPU",
        "resources=VCPU:many",
        "resources=VCPU:0",
        "units=PGPU",
        "policy=best",
        "limit=0",
        "required_traits=",
        "",
    ],
)
def test_a_query_for_candidates_that_says_nothing_useful_is_refused(
    service: Client, query: str
) -> None:
    answer = service.get(f"/v1/candidates?{query}")
    assert code_of(answer) == (422, "invalid_parameter")


# --- Explanations ---------------------------------------------------------------------------------


def test_a_placed_request_is_explained_by_its_candidates_and_scores(service: Client) -> None:
    for name, size in (("roomy", 16), ("full", 4), ("fuller", 2)):
        service.provider(name, cpus=size)
    preference = {"policy": "pack", "among": 2, "seed": 4}
    request = service.submit("server", cpus(2), preference=preference).json()
    told = service.get(f"/v1/requests/{request['id']}/explain").json()
    assert told["status"] == "placed"
    assert told["fitting"] == 3
    assert told["preference"]["seed"] == 4
    assert {one["provider_name"] for one in told["candidates"]} == {"roomy", "full", "fuller"}
    (chosen,) = [one for one in told["candidates"] if one["chosen"]]
    assert chosen["provider_id"] == request["allocations"][0]["provider_id"]
    scores = {one["provider_name"]: one["score"] for one in told["candidates"]}
    assert scores["fuller"] > scores["full"] > scores["roomy"]
    assert f"placed in the tree of {chosen['provider_name']}, by pack" in told["sentences"][0]


def test_a_refused_request_is_explained_with_what_would_have_helped(service: Client) -> None:
    service.provider("host", cpus=8)
    service.provider("other", cpus=4, traits=["HW_CPU_X86_AVX2"])
    asked = service.submit("server", cpus(10), required_traits=["HW_CPU_X86_AVX2"]).json()
    told = service.get(f"/v1/requests/{asked['id']}/explain").json()
    assert (told["status"], told["considered"], told["candidates"]) == ("refused", 2, [])
    assert "With 4 VCPU instead of 10 it would have fitted on other." in told["sentences"]
    one_by_one = service.items(f"/v1/requests/{asked['id']}/reasons")
    assert [(one["provider_name"], one["code"]) for one in one_by_one] == [
        ("host", "missing_trait"),
        ("other", "short_of_capacity"),
    ]
    unknown = service.get("/v1/requests/00000000-0000-4000-8000-000000000000/explain")
    assert code_of(unknown) == (404, "request_not_found")


# --- Gangs ----------------------------------------------------------------------------------------


def member(name: str, *components: Json, **more: Any) -> Json:
    consumer = {"id": name, "group": "training"}
    who = {"consumer": consumer, "project_id": "acme", "user_id": "ada"}
    return {**who, "components": components, **more}


def test_a_gang_is_placed_whole_and_read_again_by_its_id(service: Client) -> None:
    for name in ("one", "two"):
        service.provider(name, cpus=4)
    apart = [member(f"w{n}", cpus(2), affinity="anti_affinity") for n in range(2)]
    written = service.post("/v1/gangs", {"requests": apart}, headers={"Idempotency-Key": "g1"})
    assert written.status_code == 201, written.text
    gang = written.json()
    assert gang["status"] == "placed"
    hosts = [one["provider_id"] for each in gang["members"] for one in each["allocations"]]
    assert len(set(hosts)) == 2
    again = service.post("/v1/gangs", {"requests": apart}, headers={"Idempotency-Key": "g1"})
    assert again.json() == gang
    read = service.get(written.headers["location"]).json()["items"]
    assert [one["id"] for one in read] == [one["request_id"] for one in gang["members"]]
    assert {one["gang_id"] for one in read} == {gang["id"]}
    assert {one["consumer"]["group"] for one in read} == {"training"}
    listed = service.items(f"/v1/requests?gang_id={gang['id']}")
    assert listed == read


def test_a_gang_that_does_not_fit_is_stored_and_holds_nothing(service: Client) -> None:
    service.provider("one", cpus=4)
    gang = service.post("/v1/gangs", {"requests": [member("a", cpus(3)), member("b", cpus(3))]})
    assert (gang.status_code, gang.json()["status"]) == (201, "refused")
    assert service.items("/v1/claims") == []
    assert len(service.items("/v1/requests?status=refused")) == 2
    same = service.post("/v1/gangs", {"requests": [member("a", cpus(1)), member("a", cpus(1))]})
    assert code_of(same) == (422, "duplicate_consumer")
    nobody = service.get("/v1/gangs/00000000-0000-4000-8000-000000000000")
    assert code_of(nobody) == (404, "gang_not_found")


def test_affinity_without_a_group_is_an_error(service: Client) -> None:
    service.provider("one", cpus=4)
    assert code_of(service.submit("a", cpus(1), affinity="affinity")) == (422, "no_consumer_group")


# --- Groups of providers --------------------------------------------------------------------------


def test_groups_are_written_read_listed_and_searched(service: Client) -> None:
    first = service.provider("first", groups=["rack-1"])
    second = service.provider("second")
    path = f"/v1/providers/{second['id']}/groups"
    written = service.put(path, {"groups": ["zone-a", "rack-2", "zone-a"]})
    assert written.json() == {"groups": ["rack-2", "zone-a"]}
    assert service.get(path).json() == written.json()
    stale = service.put(path, {"groups": []}, headers={"If-Match": '"1"'})
    assert code_of(stale) == (412, "stale_version")
    listed = service.items("/v1/providers?member_of=zone-a")
    assert [(one["name"], one["groups"]) for one in listed] == [("second", ["rack-2", "zone-a"])]
    placed = service.submit("server", cpus(1), not_member_of=["rack-1"]).json()
    assert placed["allocations"][0]["provider_id"] == second["id"]
    found = service.get("/v1/candidates?resources=VCPU:1&member_of=rack-1,rack-9").json()["items"]
    assert [one["in_tree"] for one in found] == [first["id"]]
    assert service.put(path, {"groups": ["no spaces"]}).status_code == 422


def test_a_service_has_a_policy_of_its_own(database: ScratchDatabase) -> None:
    with open_service(database, policy="spread", among=2) as service:
        for name, size in (("small", 2), ("large", 16)):
            service.provider(name, cpus=size)
        decision = service.submit("server", cpus(1)).json()["decision"]
        assert decision["preference"]["policy"] == "spread"
        assert decision["preference"]["seed"] is not None
        stated = service.submit("other", cpus(1), preference={"policy": "first_fit"}).json()
        assert stated["decision"]["preference"]["policy"] == "first_fit"
