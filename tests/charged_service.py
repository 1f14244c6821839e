"""A service as a process of its own, with two projects in January to charge."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.cli.client import Body, ServiceClient, Write
from tests.billed_service import class_price
from tests.cli_processes import Service, serving
from tests.databases import sqlite_database

DAY = "2026-01-{:02}T00:00:00Z"


@contextmanager
def charged_service(folder: Path) -> Iterator[Service]:
    """`acme` held ten CPUs on the first, `lab` twenty on the second; CPUs are 0.10 or 0.15."""
    with (
        serving(sqlite_database(folder), "--empty") as started,
        ServiceClient(started.url) as client,
    ):
        inventories = {"VCPU": {"kind": "divisible", "total": 1_000}}
        host = {"name": "host", "inventories": inventories}
        client.write(Write("POST", "/v1/providers", host, at="2025-12-31T00:00:00Z"))
        for book, cost in (("standard", "0.10"), ("dear", "0.15")):
            prices = {"currency": "EUR", "prices": [class_price("VCPU", cost)]}
            client.write(Write("PUT", f"/v1/price-books/{book}", prices))
        hold(client, "web", "acme", 10, day=1)
        hold(client, "train", "lab", 20, day=2)
        yield started


def hold(
    client: ServiceClient, consumer: str, project: str, count: int, day: int, **more: Any
) -> None:
    """So many CPUs on one day of January."""
    body: Body = {
        "consumer": {"id": consumer},
        "project_id": project,
        "user_id": "ada",
        "components": [{"kind": "amounts", "resources": {"VCPU": count}}],
        **more,
    }
    client.write(Write("POST", "/v1/requests", body, at=DAY.format(day)))
    client.write(Write("DELETE", f"/v1/claims/{consumer}", at=DAY.format(day + 1)))
