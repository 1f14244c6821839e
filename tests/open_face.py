"""Calls of Placement's API, on a service in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from starlette.testclient import TestClient

from tests.databases import ScratchDatabase
from tests.open_service import open_service

ADMIN = {"x-auth-token": "admin"}
PROVIDERS = "resource_providers"
VARY, VERSION = "vary", "openstack-api-version"


@contextmanager
def open_face(database: ScratchDatabase, **settings: object) -> Iterator[TestClient]:
    """Paths are the face's own: `resource_providers`, and "" for its root."""
    with open_service(database, **settings) as service:
        service.http.base_url = service.http.base_url.join("/placement/")
        yield service.http


def of_version(minor: int | str) -> dict[str, str]:
    return {VERSION: f"placement {minor if minor == 'latest' else f'1.{minor}'}"}


def error_of(answer: httpx.Response) -> dict[str, object]:
    """The one error of an answer, which is told as OpenStack's services tell theirs."""
    assert answer.headers["content-type"] == "application/json", answer.text
    (error,) = answer.json()["errors"]
    assert error["status"] == answer.status_code
    assert error["request_id"] == answer.headers["x-openstack-request-id"]
    told: dict[str, object] = error
    return told


class PlacementClient:
    """Calls as admin, and the same cloud as `/v1` shows it. Failing calls are answers, too."""

    def __init__(self, http: TestClient, minor: int = 39) -> None:
        self.http = http
        self.minor = minor

    def send(
        self, method: str, path: str, body: Any = None, minor: int | None = None
    ) -> httpx.Response:
        headers = {**ADMIN, **of_version(self.minor if minor is None else minor)}
        answer: httpx.Response = self.http.request(method, path, json=body, headers=headers)
        return answer

    def get(self, path: str, minor: int | None = None) -> Any:
        answer = self.send("GET", path, minor=minor)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def made(self, method: str, path: str, body: Any = None, minor: int | None = None) -> Any:
        answer = self.send(method, path, body, minor)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def v1(self, method: str, path: str, body: Any = None) -> httpx.Response:
        answer: httpx.Response = self.http.request(
            method, f"http://testserver/v1/{path}", json=body
        )
        return answer

    # --- The usual calls --------------------------------------------------------------------------

    def provider(self, number: int, parent: int | None = None, **classes: int) -> str:
        """Make a provider called host-NUMBER with so much of each class: the path to it."""
        parent_id = None if parent is None else uuid(parent)
        body = {"name": f"host-{number}", "uuid": uuid(number), "parent_provider_uuid": parent_id}
        self.made("POST", PROVIDERS, body)
        path = f"{PROVIDERS}/{uuid(number)}"
        for resource_class, total in classes.items():
            self.made(
                "POST", f"{path}/inventories", {"resource_class": resource_class, "total": total}
            )
        return path

    def generation(self, path: str) -> int:
        generation: int = self.get(path)["generation"]
        return generation

    def allocate(self, consumer: int, on: int, minor: int = 39, **amounts: int) -> httpx.Response:
        """For a consumer of the project blue and the user ada, who has nothing yet."""
        body: dict[str, Any] = {
            "allocations": {uuid(on): {"resources": amounts}},
            "project_id": "blue",
            "user_id": "ada",
            "consumer_generation": None,
        }
        if minor >= 38:
            body["consumer_type"] = "INSTANCE"
        return self.send("PUT", f"allocations/{uuid(consumer)}", body, minor)


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"
