"""The state of Placement's fixtures, made over HTTP.

They make providers and allocations by functions of Placement's database tests; here these functions
are others, of the same names and signatures, that call the service under test.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from typing import Any

from tests.placement.fresh_service import Service

SERVICE = Service()
"""What the fixtures are made in."""


def call(method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{SERVICE.port}{path}",
        None if body is None else json.dumps(body).encode(),
        {
            "X-Auth-Token": "admin",
            "X-Roles": "admin,service",
            "OpenStack-API-Version": "placement 1.37",
            "Content-Type": "application/json",
        },
        method=method,
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - the address is above.
        text = answer.read()
    return json.loads(text) if text else None


def ensure(path: str) -> None:
    """A custom name; standard ones cannot be made, and need not be."""
    try:
        call("PUT", path)
    except urllib.error.HTTPError as refused:
        if refused.code != 400:
            raise


class Provider:
    def __init__(self, provider_id: str) -> None:
        self.uuid = provider_id
        self.path = f"/resource_providers/{provider_id}"

    @property
    def generation(self) -> int:
        generation: int = call("GET", self.path)["generation"]
        return generation

    def set_aggregates(self, aggregates: Any) -> None:
        body = {"aggregates": list(aggregates), "resource_provider_generation": self.generation}
        call("PUT", f"{self.path}/aggregates", body)


class Consumer:
    def __init__(self, user: Any, project: Any, consumer_id: str | None) -> None:
        self.uuid = consumer_id or str(uuid.uuid4())
        self.user_id = user.external_id
        self.project_id = project.external_id


# --- In the places of Placement's functions -------------------------------------------------------


def create_provider(_context: Any, name: str, *aggregates: str, **more: Any) -> Provider:
    from oslo_utils.fixture import uuidsentinel

    provider = Provider(more.get("uuid", getattr(uuidsentinel, name)))
    body = {"name": name, "uuid": provider.uuid, "parent_provider_uuid": more.get("parent")}
    call("POST", "/resource_providers", body)
    if aggregates:
        provider.set_aggregates(aggregates)
    return provider


def add_inventory(provider: Provider, resource_class: str, total: int, **more: Any) -> None:
    ensure(f"/resource_classes/{resource_class}")
    body = {"resource_class": resource_class, "total": total, "max_unit": total, **more}
    call("POST", f"{provider.path}/inventories", body)


def set_traits(provider: Provider, *traits: str) -> None:
    for name in traits:
        ensure(f"/traits/{name}")
    body = {"traits": list(traits), "resource_provider_generation": provider.generation}
    call("PUT", f"{provider.path}/traits", body)


def ensure_consumer(_context: Any, user: Any, project: Any, consumer_id: Any = None) -> Consumer:
    return Consumer(user, project, consumer_id)


def set_allocation(
    _context: Any, provider: Provider, consumer: Consumer, resources: dict[str, int]
) -> None:
    body = {
        "allocations": {provider.uuid: {"resources": resources}},
        "project_id": consumer.project_id,
        "user_id": consumer.user_id,
        "consumer_generation": None,
    }
    call("PUT", f"/allocations/{consumer.uuid}", body)


def redirect(fixtures: Any) -> None:
    """Have Placement's fixtures (the module) make their state in the service, new for each."""
    for function in (create_provider, add_inventory, set_traits, ensure_consumer, set_allocation):
        setattr(fixtures.tb, function.__name__, function)
    fixtures.rc_obj.ResourceClass.create = lambda made: ensure(f"/resource_classes/{made.name}")
    start, stop = fixtures.APIFixture.start_fixture, fixtures.APIFixture.stop_fixture

    def start_both(fixture: Any) -> None:
        SERVICE.start(type(fixture).__name__)
        start(fixture)
        SERVICE.wait()

    def stop_both(fixture: Any) -> None:
        SERVICE.stop()
        stop(fixture)

    fixtures.APIFixture.start_fixture = start_both
    fixtures.APIFixture.stop_fixture = stop_both
