"""Calls of Placement's API, on a service in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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
