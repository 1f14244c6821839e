"""The whole service in the test's own process, and short ways to say what a client sends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx
import uvicorn
from starlette.testclient import TestClient

from infra.composition import build_app
from tests.databases import ScratchDatabase
from tests.open_ledger import settings_from

Json = dict[str, Any]


@contextmanager
def open_service(database: ScratchDatabase, **settings: Any) -> Iterator[Client]:
    of_database = settings_from(database.settings_environment)
    with TestClient(build_app(of_database.model_copy(update=settings))) as http:
        yield Client(http)


@contextmanager
def served(database: ScratchDatabase, **settings: Any) -> Iterator[str]:
    """The service behind a real server on a free port of this machine: its URL."""
    app = build_app(settings_from(database.settings_environment).model_copy(update=settings))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = Thread(target=server.run, name="server")
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class Client:
    """Sends calls, and makes the usual ones short. Failing calls are answers, too."""

    def __init__(self, http: TestClient) -> None:
        self.http = http

    def send(
        self, method: str, path: str, body: Json | None = None, **options: Any
    ) -> httpx.Response:
        answer: httpx.Response = self.http.request(method, path, json=body, **options)
        return answer

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.send("GET", path, **options)

    def post(self, path: str, body: Json | None = None, **options: Any) -> httpx.Response:
        return self.send("POST", path, body, **options)

    def put(self, path: str, body: Json | None = None, **options: Any) -> httpx.Response:
        return self.send("PUT", path, body, **options)

    def patch(self, path: str, body: Json, **options: Any) -> httpx.Response:
        return self.send("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.send("DELETE", path, **options)

    def items(self, path: str) -> list[Json]:
        """All items of a list, page by page."""
        found: list[Json] = []
        separator = "&" if "?" in path else "?"
        following = path
        while True:
            page = self.get(following)
            assert page.status_code == 200, page.text
            found += page.json()["items"]
            if page.json()["next"] is None:
                return found
            following = f"{path}{separator}cursor={page.json()['next']}"

    # --- The usual calls --------------------------------------------------------------------------

    def provider(self, name: str, cpus: int = 8, gpus: int = 0, **more: Any) -> Json:
        """Register a provider with so many CPUs, and GPUs called gpu0, gpu1, …"""
        inventories: Json = {"VCPU": {"kind": "divisible", "total": cpus}}
        if gpus:
            units = [{"name": f"gpu{n}", "attributes": {"model": "A100"}} for n in range(gpus)]
            inventories["PGPU"] = {"kind": "discrete", "units": units}
        answer = self.post("/v1/providers", {"name": name, "inventories": inventories, **more})
        assert answer.status_code == 201, answer.text
        registered: Json = answer.json()
        return registered

    def submit(self, consumer: str, *components: Json, **more: Any) -> httpx.Response:
        headers = more.pop("headers", None)
        body = {
            "consumer": {"id": consumer, "type": "server"},
            "project_id": "acme",
            "user_id": "ada",
            "components": components,
            **more,
        }
        return self.post("/v1/requests", body, headers=headers)


def cpus(amount: int) -> Json:
    return {"kind": "amounts", "resources": {"VCPU": amount}}


def gpus(count: int, model: str = "A100") -> Json:
    where = [{"attribute": "model", "in": [model]}]
    return {"kind": "units", "resource_class": "PGPU", "count": count, "where": where}


def code_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
