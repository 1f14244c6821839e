"""The OpenAPI document: complete, consistent, and served without another host."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.app import create_app
from api.problems import PROBLEM_JSON, PROBLEMS


@asynccontextmanager
async def without_a_house(_app: FastAPI) -> AsyncIterator[None]:
    """These tests read what the application says of itself; no route with a house is called."""
    yield


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(without_a_house)) as client:
        yield client


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    names = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert names <= set(schemas)


def test_operation_ids_read_well_and_are_unique(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", one) for one in ids), sorted(ids)


def test_every_operation_has_a_tag_with_a_description_and_a_sentence(
    document: dict[str, Any],
) -> None:
    described = {tag["name"] for tag in document["tags"]}
    for _, path, operation in operations(document):
        assert set(operation["tags"]) <= described, path
        assert operation["description"].strip(), path


def test_every_error_answer_is_a_problem_and_lists_its_codes(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) < 400 or path == "/healthz":
                continue
            assert set(answer["content"]) == {PROBLEM_JSON}, (method, path, status)
            both = answer["content"][PROBLEM_JSON]["schema"]["allOf"]
            assert both[0] == {"$ref": "#/components/schemas/Problem"}
            codes = both[1]["properties"]["code"]["enum"]
            assert codes
            assert all(PROBLEMS[code][0] == int(status) for code in codes)


def test_every_code_is_listed(document: dict[str, Any]) -> None:
    code = document["components"]["schemas"]["Problem"]["properties"]["code"]
    assert code["enum"] == sorted(PROBLEMS)
    assert all(f"`{one}`" in code["description"] for one in PROBLEMS)


def test_every_write_takes_an_idempotency_key_and_tells_the_position(
    document: dict[str, Any],
) -> None:
    for method, path, operation in operations(document):
        # What operators set and what is only asked is no event: no key, no time, no position.
        if method == "get" or operation["tags"][0] in ("webhooks", "projections", "candidates"):
            continue
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert {"Idempotency-Key", "Tallystick-At"} <= names, (method, path)
        successes = [answer for status, answer in operation["responses"].items() if status < "300"]
        assert successes
        assert all("Tallystick-Position" in answer["headers"] for answer in successes)


def test_bodies_are_documented_where_handlers_take_them(document: dict[str, Any]) -> None:
    submit = document["paths"]["/v1/requests"]["post"]
    schema = submit["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/RequestBody"}
    assert document["components"]["schemas"]["RequestBody"]["examples"]
    assert "requestBody" not in document["paths"]["/v1/requests/{request_id}/confirm"]["post"]
    release = document["paths"]["/v1/claims/{consumer_id}/release"]["post"]
    assert not release["requestBody"].get("required", False)


def test_the_documentation_names_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.text.replace("http-equiv", "")
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(assets) >= 2
    for asset in assets:
        assert client.get(asset).status_code == 200, asset


def test_the_document_survives_json(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document)) == document


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "no_such_route"),
        ("GET", "/v1/providers/", 404, "no_such_route"),
        ("GET", "/%ff/%00", 404, "no_such_route"),
        ("PATCH", "/v1/requests", 405, "method_not_allowed"),
        ("GET", "/livez?verbose=1", 422, "unknown_parameter"),
        ("POST", "/v1/requests?dryrun=1", 422, "unknown_parameter"),
        ("POST", "/v1/requests/not-a-uuid/confirm", 422, "invalid_parameter"),
        ("DELETE", "/v1/claims/%00", 422, "invalid_parameter"),
        ("POST", "/v1/requests", 400, "malformed_json"),
    ],
)
def test_calls_that_reach_no_handler_are_told_why(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_refused_method_is_told_all_that_the_path_takes(client: TestClient) -> None:
    answer = client.patch("/v1/claims/c1")
    assert answer.status_code == 405
    assert {"DELETE", "PUT"} <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize(
    ("headers", "content", "status", "code"),
    [
        ({"Content-Type": "text/plain"}, b"{}", 415, "unsupported_media_type"),
        ({"Content-Type": "application/json; charset=utf-8"}, b"{}", 422, "invalid_body"),
        ({}, b'{"consumer":', 400, "malformed_json"),
        ({}, b'{"consumer": "\\ud800"}', 400, "malformed_json"),
        ({}, b"\xff\xfe", 400, "malformed_json"),
        ({}, b"[" * 100_000, 400, "malformed_json"),
        ({}, b" " * (1024 * 1024 + 1), 413, "body_too_large"),
        ({}, b"[]", 422, "invalid_body"),
        ({}, b'{"unknown_field": 1}', 422, "invalid_body"),
        ({}, b'{"components": [{"kind": "sausage"}]}', 422, "invalid_body"),
    ],
)
def test_bodies_that_cannot_be_read_are_told_why(
    client: TestClient, headers: dict[str, str], content: bytes, status: int, code: str
) -> None:
    answer = client.post(
        "/v1/requests", headers={"Content-Type": "application/json", **headers}, content=content
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_faults_say_where_they_are_and_repeat_no_input(client: TestClient) -> None:
    answer = client.post("/v1/requests", json={"consumer": {"id": "secret value"}})
    told = answer.json()
    assert {"loc": ["consumer", "id"], "msg": told["errors"][1]["msg"]} in told["errors"]
    assert "secret value" not in answer.text
