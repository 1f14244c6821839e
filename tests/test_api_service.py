"""The service over HTTP, on a real database: what is written is what is read, and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.databases import ScratchDatabase
from tests.open_service import Client, Json, code_of, cpus, gpus, open_service


@pytest.fixture
def service(database: ScratchDatabase) -> Iterator[Client]:
    with open_service(database) as client:
        yield client


def now() -> str:
    return datetime.now(UTC).isoformat()


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


# --- Reads show what writes answered --------------------------------------------------------------


def test_every_write_s_answer_is_what_a_read_shows(service: Client) -> None:
    service.provider("host", cpus=8, gpus=2, traits=["HW_CPU_X86_AVX2"])
    host = f"/v1/providers/{service.items('/v1/providers')[0]['id']}"

    def check(written: httpx.Response, path: str | None = None) -> str:
        assert written.status_code < 300, written.text
        where = path or written.headers["location"]
        shown = service.get(where)
        assert shown.json() == written.json()
        assert shown.headers.get("etag") in (written.headers["etag"], None)
        return where

    check(service.patch(host, {"name": "renamed"}), host)
    check(service.put("/v1/flavors/tiny", {"resources": {"VCPU": 1}}))
    check(service.submit("c1", cpus(2), gpus(1), {"kind": "flavor", "name": "tiny"}))
    check(service.submit("c2", cpus(200)))
    check(service.put("/v1/claims/c1", {"components": [cpus(3)]}), "/v1/claims/c1")
    held = check(service.submit("c3", cpus(1), hold_until=tomorrow()))
    check(service.post(f"{held}/confirm"), held)
    held = check(service.submit("c4", cpus(1), hold_until=tomorrow()))
    check(service.post(f"{held}/withdraw"), held)
    check(service.post("/v1/claims/c1/release"), "/v1/claims/c1")
    check(service.put(f"{host}/traits", {"traits": ["HW_NUMA_ROOT"]}), f"{host}/traits")
    disk = {"kind": "divisible", "total": 5}
    check(service.put(f"{host}/inventories/DISK_GB", disk), f"{host}/inventories/DISK_GB")
    everything = service.get(f"{host}/inventories").json()
    check(service.put(f"{host}/inventories", everything), f"{host}/inventories")
    check(service.put("/v1/traits/CUSTOM_X"), "/v1/traits/CUSTOM_X")


def test_a_fresh_provider_is_read_exactly_as_it_was_answered(service: Client) -> None:
    inventory = {"kind": "divisible", "total": 100, "allocation_ratio": 1.15, "step_size": 5}
    written = service.post(
        "/v1/providers",
        {"name": "hôst ☃", "traits": ["HW_CPU_X86_AVX2"], "inventories": {"VCPU": inventory}},
    )
    shown = service.get(written.headers["location"])
    assert shown.text == written.text
    assert shown.headers["etag"] == written.headers["etag"]
    assert service.items("/v1/capacity")[0]["capacity"] == 115


def test_capacity_is_told_alike_from_memory_and_from_sql(service: Client) -> None:
    for name in ("a", "b", "c"):
        service.provider(name, cpus=8, gpus=2)
    service.submit("c1", cpus(2), gpus(1))
    service.submit("c2", cpus(3), hold_until=tomorrow())
    moment = now().replace("+00:00", "Z")
    assert service.items("/v1/capacity") == service.items(f"/v1/capacity?at={moment}")
    live, past = (
        service.get(path).json()["items"]
        for path in ("/v1/capacity/totals", f"/v1/capacity/totals?at={moment}")
    )
    assert live == past
    assert live[1] == {
        "resource_class": "VCPU",
        "providers": 3,
        "total": 24,
        "capacity": 24,
        "usage": 5,
        "available": 19,
    }


def test_pages_lead_through_a_whole_list(service: Client) -> None:
    names = [f"host-{number}" for number in range(5)]
    for name in names:
        service.provider(name, cpus=1, gpus=1)
    for number in range(5):
        service.submit(f"c{number}", cpus(1))
    for path, many in (
        ("/v1/providers", 5),
        ("/v1/capacity", 10),
        ("/v1/requests", 5),
        ("/v1/claims", 5),
        ("/v1/history", 40),
        ("/v1/history?order=desc", 40),
        ("/v1/traits?limit=100", 300),
    ):
        separator = "&" if "?" in path else "?"
        small = path if "limit" in path else f"{path}{separator}limit=2"
        found = service.items(small)
        assert len(found) >= many
        assert found == service.items(path if "limit" in path else f"{path}{separator}limit=1000")
    assert [one["name"] for one in service.items("/v1/providers?limit=2")] == names


def test_the_past_is_told_as_it_was(service: Client) -> None:
    host = service.provider("before", cpus=4)
    service.submit("c1", cpus(3))
    moment = now().replace("+00:00", "Z")
    service.patch(f"/v1/providers/{host['id']}", {"name": "after"})
    service.delete("/v1/claims/c1")
    service.delete(f"/v1/providers/{host['id']}")
    then = service.get(f"/v1/providers/{host['id']}?at={moment}").json()
    assert (then["name"], then["deleted_at"]) == ("before", None)
    assert service.items(f"/v1/capacity?at={moment}")[0]["usage"] == 3
    assert service.get(f"/v1/claims/c1?at={moment}").json()["status"] == "active"
    assert code_of(service.get(f"/v1/providers/{host['id']}")) == (404, "provider_not_found")
    assert service.items("/v1/providers") == []
    assert service.get("/v1/claims/c1").json()["status"] == "released"


# --- Refusals -------------------------------------------------------------------------------------


def test_a_refusal_is_stored_with_each_provider_s_reason(service: Client) -> None:
    small, bare = service.provider("small", cpus=1), service.provider("bare", cpus=64)
    refused = service.submit("c1", cpus(2), gpus(1))
    assert (refused.status_code, refused.json()["status"]) == (201, "refused")
    reasons = service.items(f"{refused.headers['location']}/reasons?limit=1")
    told = {(one["provider_id"], one["provider_name"]) for one in reasons}
    assert told == {(small["id"], "small"), (bare["id"], "bare")}
    assert sum(one["count"] for one in refused.json()["reasons"]) == 2
    assert {one["code"] for one in refused.json()["reasons"]} == {one["code"] for one in reasons}


def test_a_claim_that_cannot_change_stays_as_it_was(service: Client) -> None:
    service.provider("host", cpus=4)
    service.submit("c1", cpus(2))
    before = service.get("/v1/claims/c1").json()
    refused = service.put("/v1/claims/c1", {"components": [cpus(5)]})
    assert code_of(refused) == (409, "request_refused")
    assert refused.json()["reasons"][0]["count"] == 1
    assert service.get(refused.headers["location"]).json()["status"] == "refused"
    assert service.get("/v1/claims/c1").json() == before


def test_a_part_of_a_claim_is_released_by_units_and_amounts(service: Client) -> None:
    host = service.provider("host", cpus=4, gpus=2)
    service.submit("c1", cpus(3), gpus(2))
    part = [
        {"provider_id": host["id"].upper(), "resource_class": "VCPU", "amount": 1},
        {"provider_id": host["id"], "resource_class": "VCPU", "amount": 1},
        {"provider_id": host["id"], "resource_class": "PGPU", "units": {"gpu1": 1}},
    ]
    left = service.post("/v1/claims/c1/release", {"allocations": part}).json()["allocations"]
    assert [(one["resource_class"], one["amount"], one["units"]) for one in left] == [
        ("PGPU", 1, {"gpu0": 1}),
        ("VCPU", 1, None),
    ]
    again = service.post("/v1/claims/c1/release", {"allocations": part})
    assert code_of(again) == (422, "not_held")


@pytest.mark.parametrize(
    "allocation",
    [
        {"resource_class": "VCPU"},
        {"resource_class": "PGPU", "units": {}},
        {"resource_class": "PGPU", "units": {"gpu0": 1}, "amount": 2},
        {"resource_class": "VCPU", "amount": 0},
    ],
)
def test_a_release_has_to_say_how_much(service: Client, allocation: dict[str, object]) -> None:
    body = {"allocations": [{"provider_id": "0" * 32, **allocation}]}
    assert code_of(service.post("/v1/claims/c1/release", body)) == (422, "invalid_body")


def test_a_sum_beyond_what_is_held_is_refused_whole(service: Client) -> None:
    host = service.provider("host")
    service.submit("c1", cpus(2))
    line = {"provider_id": host["id"], "resource_class": "VCPU", "amount": 2**31 - 1}
    answer = service.post("/v1/claims/c1/release", {"allocations": [line, line]})
    assert code_of(answer) == (422, "not_held")


# --- Preconditions and repetitions ----------------------------------------------------------------

CONDITIONAL: list[tuple[str, str, Json | None]] = [
    ("PATCH", "/v1/providers/{host}", {"name": "x"}),
    ("DELETE", "/v1/providers/{host}", None),
    ("PUT", "/v1/providers/{host}/traits", {"traits": ["HW_NUMA_ROOT"]}),
    ("PUT", "/v1/providers/{host}/inventories", {"inventories": {}}),
    ("PUT", "/v1/providers/{host}/inventories/VCPU", {"kind": "divisible", "total": 1}),
    ("DELETE", "/v1/providers/{host}/inventories/VCPU", None),
    ("PUT", "/v1/flavors/f", {"resources": {"VCPU": 2}}),
    ("DELETE", "/v1/flavors/f", None),
    ("PUT", "/v1/claims/c1", {"components": [cpus(1)]}),
    ("POST", "/v1/claims/c1/release", None),
    ("DELETE", "/v1/claims/c1", None),
    ("POST", "/v1/requests/{held}/confirm", None),
    ("POST", "/v1/requests/{held}/withdraw", None),
]


def test_a_stale_version_is_refused_and_changes_nothing(service: Client) -> None:
    host = service.provider("host", cpus=4)["id"]
    service.put("/v1/flavors/f", {"resources": {"VCPU": 1}})
    service.submit("c1", cpus(1))
    held = service.submit("c2", cpus(1), hold_until=tomorrow()).json()["id"]
    before = service.items("/v1/history?limit=1000")
    for method, path, body in CONDITIONAL:
        for tag in ('"99"', 'W/"1"', '"98", "99"'):
            where = path.format(host=host, held=held)
            answer = service.send(method, where, body, headers={"If-Match": tag})
            assert code_of(answer) == (412, "stale_version"), (method, path, tag)
    assert service.items("/v1/history?limit=1000") == before


def test_the_version_that_was_read_is_accepted_once(service: Client) -> None:
    path = f"/v1/providers/{service.provider('host')['id']}"
    tag = service.get(path).headers["etag"]
    first = service.patch(path, {"name": "one"}, headers={"If-Match": tag})
    second = service.patch(path, {"name": "two"}, headers={"If-Match": tag})
    assert first.status_code == 200
    assert code_of(second) == (412, "stale_version")
    assert second.json()["version"] == first.json()["version"]
    either = service.patch(
        path, {"name": "two"}, headers={"If-Match": f"{tag}, {first.headers['etag']}"}
    )
    assert either.status_code == 200


def test_who_has_the_newest_version_is_spared_the_body(service: Client) -> None:
    path = f"/v1/providers/{service.provider('host')['id']}"
    tag = service.get(path).headers["etag"]
    spared = service.get(path, headers={"If-None-Match": f'"0", {tag}'})
    assert (spared.status_code, spared.content, spared.headers["etag"]) == (304, b"", tag)
    service.patch(path, {"name": "renamed"})
    assert service.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_repeated_key_is_answered_alike_and_counts_once(service: Client) -> None:
    service.provider("host", cpus=4)
    key = {"Idempotency-Key": "once"}
    first = service.submit("c1", cpus(1), headers=key)
    service.delete("/v1/claims/c1")
    again = service.submit("c1", cpus(1), headers=key)
    assert (again.status_code, again.text) == (first.status_code, first.text)
    assert again.headers["location"] == first.headers["location"]
    assert service.items("/v1/claims") == []
    assert code_of(service.submit("c1", cpus(2), headers=key)) == (422, "idempotency_key_reused")
    assert code_of(service.delete("/v1/claims/c1", headers=key)) == (422, "idempotency_key_reused")


def test_a_repeated_put_says_again_that_it_created(service: Client) -> None:
    key = {"Idempotency-Key": "k"}
    answers = [service.put("/v1/traits/CUSTOM_X", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert service.put("/v1/traits/CUSTOM_X").status_code == 200


def test_a_refused_change_is_repeated_as_a_refusal(service: Client) -> None:
    service.provider("host", cpus=4)
    service.submit("c1", cpus(2))
    key = {"Idempotency-Key": "k"}
    wish = {"components": [cpus(5)]}
    first, again = (service.put("/v1/claims/c1", wish, headers=key) for _ in range(2))
    assert code_of(again) == (409, "request_refused")
    assert again.json() == first.json()


def test_the_client_may_say_when_it_happened(service: Client) -> None:
    service.post("/v1/providers", {"name": "a"}, headers={"Tallystick-At": "2026-01-01T00:00:00Z"})
    host = service.items("/v1/providers")[0]
    assert host["registered_at"] == "2026-01-01T00:00:00Z"
    path = f"/v1/providers/{host['id']}"
    earlier = {"Tallystick-At": "2025-12-31T23:59:59Z"}
    refused = service.patch(path, {"name": "b"}, headers=earlier)
    assert code_of(refused) == (409, "time_runs_backwards")
    later = service.patch(path, {"name": "b"}, headers={"Tallystick-At": tomorrow()})
    assert code_of(later) == (422, "at_in_future")


# --- What cannot be asked -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/v1/providers/{'0' * 32}", 404, "provider_not_found"),
        (f"/v1/providers/{'0' * 32}/inventories", 404, "provider_not_found"),
        ("/v1/providers/host", 422, "invalid_parameter"),
        (f"/v1/requests/{'0' * 32}", 404, "request_not_found"),
        (f"/v1/requests/{'0' * 32}/reasons", 404, "request_not_found"),
        ("/v1/claims/nobody", 404, "claim_not_found"),
        ("/v1/claims/%20", 422, "invalid_parameter"),
        ("/v1/flavors/none", 404, "flavor_not_found"),
        ("/v1/traits/CUSTOM_NONE", 404, "trait_not_found"),
        ("/v1/resource-classes/CUSTOM_NONE", 404, "resource_class_not_found"),
        ("/v1/providers?limit=1001", 422, "invalid_parameter"),
        ("/v1/providers?name=%00", 422, "invalid_parameter"),
        ("/v1/providers?cursor=%00", 422, "bad_cursor"),
        ("/v1/providers?sort=name", 422, "unknown_parameter"),
        ("/v1/claims?at=yesterday", 422, "bad_time"),
        ("/v1/claims?at=2999-01-01T00:00:00Z", 422, "at_in_future"),
        ("/v1/capacity/totals?at=2999-01-01T00:00:00Z", 422, "at_in_future"),
        ("/v1/requests?status=lost", 422, "invalid_parameter"),
        ("/v1/flavors/f?number=99999999999999999999", 422, "invalid_parameter"),
    ],
)
def test_reads_of_what_is_not_there_say_so(
    service: Client, path: str, status: int, code: str
) -> None:
    assert code_of(service.get(path)) == (status, code)


def test_the_service_says_that_it_is_well(service: Client) -> None:
    service.provider("host")
    service.items("/v1/history")
    health = service.get("/healthz")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    assert health.json()["position"] == 3
    projections = service.get("/v1/projections").json()["items"]
    assert {one["name"] for one in projections} >= {"capacity", "claims", "requests", "history"}
