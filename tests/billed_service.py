"""A service with something to bill: a host, prices, and short ways to say when things happened."""

from __future__ import annotations

from typing import Any

from tests.open_service import Client, Json


def class_price(resource_class: str, cost: str, **more: Any) -> Json:
    return {
        "name": resource_class,
        "target": {"kind": "class", "resource_class": resource_class},
        "per": "hour",
        "tiers": [{"price": cost}],
        **more,
    }


EUR: Json = {
    "currency": "EUR",
    "prices": [
        class_price("VCPU", "0.10", name="CPU"),
        class_price("PGPU", "2", name="GPU"),
        {
            "name": "A100",
            "target": {
                "kind": "units",
                "resource_class": "PGPU",
                "where": [{"attribute": "model", "equals": "A100"}],
            },
            "per": "hour",
            "tiers": [{"price": "5"}],
        },
        {
            "name": "small",
            "target": {"kind": "flavor", "name": "small"},
            "per": "hour",
            "tiers": [{"price": "0.15"}],
        },
    ],
}
HOLDS = class_price("VCPU", "0.01", name="CPU held", applies_to=["hold"])


def at(day: int, hour: int = 0, month: int = 1) -> dict[str, str]:
    return {"Tallystick-At": f"2026-{month:02}-{day:02}T{hour:02}:00:00Z"}


def host(client: Client) -> str:
    """A host with 64 CPUs and two GPUs of other models, there since before January."""
    units = [{"name": name, "attributes": {"model": name}} for name in ("A100", "T4")]
    body = {
        "name": "host",
        "inventories": {
            "VCPU": {"kind": "divisible", "total": 64},
            "PGPU": {"kind": "discrete", "units": units},
        },
    }
    answer = client.post("/v1/providers", body, headers={"Tallystick-At": "2025-12-31T00:00:00Z"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def publish(client: Client, book: Json = EUR, name: str = "standard") -> Json:
    answer = client.put(f"/v1/price-books/{name}", book)
    assert answer.status_code in (200, 201), answer.text
    published: Json = answer.json()
    return published
