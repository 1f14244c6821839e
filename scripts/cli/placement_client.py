"""One service that speaks Placement's API, as something to copy from or to."""

import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from scripts.cli.failure import Failure

TIMEOUT_SECONDS = 120.0
NEWEST, WITHOUT_TYPES = "1.39", "1.37"
"""From 1.38 on every consumer that is written has to have a type, and `unknown` is none."""
CONNECTIONS = 8

Body = dict[str, Any]


class PlacementRefused(Failure):
    def __init__(self, call: str, answer: httpx.Response) -> None:
        self.status = answer.status_code
        super().__init__(f"{call} was refused: {_detail(answer)} ({answer.status_code})")


@dataclass(frozen=True, slots=True)
class Provider:
    id: str
    name: str
    parent_id: str | None


class PlacementClient:
    """Threads may share one. Use it in a `with`, which closes its connections."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        headers = {"X-Auth-Token": token, "Accept": "application/json"}
        limits = httpx.Limits(max_connections=CONNECTIONS)
        self._lock = threading.Lock()
        try:
            self._http = httpx.Client(
                base_url=self.url,
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                limits=limits,
                trust_env=False,
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise Failure(f"{url!r} is no address: {error}", "Write http://HOST:PORT.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def call(
        self, method: str, path: str, body: object = None, version: str = NEWEST
    ) -> httpx.Response:
        """The answer, whatever it is. Raises Failure where there is none, or no leave to ask."""
        headers = {"OpenStack-API-Version": f"placement {version}"}
        try:
            answer = self._http.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise Failure(
                f"no Placement answers at {self.url} ({type(error).__name__}: {error})",
                "What was copied stays; the same command goes on from there.",
            ) from None
        if answer.status_code in (401, 403):
            raise Failure(
                f"{self.url} refuses the token ({answer.status_code})",
                "Give another one with --token, or in OS_TOKEN.",
            )
        if answer.status_code == 406:
            raise Failure(
                f"{self.url} does not speak Placement {version}",
                "It has to know microversion 1.39 (OpenStack Yoga or later).",
            )
        return answer

    def write(self, method: str, path: str, body: object = None, version: str = NEWEST) -> None:
        """Raises PlacementRefused."""
        answer = self.call(method, path, body, version)
        if not answer.is_success:
            raise PlacementRefused(f"{method} {self.url}{path}", answer)

    def get(self, path: str) -> Body:
        answer = self.call("GET", path)
        if not answer.is_success:
            raise PlacementRefused(f"GET {self.url}{path}", answer)
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Failure(f"{self.url} answers, but not as Placement does")
        return body

    # --- What there is ----------------------------------------------------------------------------

    def classes(self) -> set[str]:
        return {one["name"] for one in self.get("/resource_classes")["resource_classes"]}

    def traits(self) -> set[str]:
        return set(self.get("/traits")["traits"])

    def providers(self) -> dict[str, Provider]:
        """By id, parents before their children."""
        found = {
            one["uuid"]: Provider(one["uuid"], one["name"], one["parent_provider_uuid"])
            for one in self.get("/resource_providers")["resource_providers"]
        }
        ordered: dict[str, Provider] = {}

        def add(one: Provider) -> None:
            above = [one]
            while (parent := above[-1].parent_id) is not None and parent not in ordered:
                above.append(found[parent])
            ordered.update((each.id, each) for each in reversed(above))

        for one in found.values():
            add(one)
        return ordered

    def described(self, provider_id: str) -> Body:
        """A provider's inventories, traits and aggregates."""
        path = f"/resource_providers/{provider_id}"
        return {
            "inventories": self.get(f"{path}/inventories")["inventories"],
            "traits": sorted(self.get(f"{path}/traits")["traits"]),
            "aggregates": sorted(self.get(f"{path}/aggregates")["aggregates"]),
        }

    def consumers(self, provider_id: str) -> list[str]:
        return list(self.get(f"/resource_providers/{provider_id}/allocations")["allocations"])

    def held(self, consumer_id: str) -> Body:
        """What a consumer has, its owners and type; its generation apart (None: it has nothing)."""
        body = self.get(f"/allocations/{consumer_id}")
        resources = {id: one["resources"] for id, one in body["allocations"].items()}
        if not resources:
            return {"held": {"allocations": {}}, "generation": None}
        owners = {name: body[name] for name in ("project_id", "user_id", "consumer_type")}
        return {
            "held": {"allocations": resources, **owners},
            "generation": body["consumer_generation"],
        }

    def generation(self, provider_id: str) -> int:
        generation: int = self.get(f"/resource_providers/{provider_id}")["generation"]
        return generation


def _detail(answer: httpx.Response) -> str:
    try:
        return " ".join(str(answer.json()["errors"][0]["detail"]).split())
    except (ValueError, LookupError, TypeError):
        return answer.text[:200]
