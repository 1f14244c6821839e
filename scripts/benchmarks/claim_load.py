"""What the claims benchmark sends: its providers, its request templates and its workloads."""

import json
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from scripts.benchmarks.calls import Caller
from scripts.benchmarks.load import NUMBER, Plan, number_length

PROVIDERS = 64
ASKED = {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 10}
# The largest round total that fits a signed 32-bit integer: 3.9 million claims of 512 MB.
TOTAL = 2_000_000_000
# Both spellings of the same JSON, as serialisers differ in the space.
PLACED = ['"status":"placed"', '"status": "placed"']


@dataclass(frozen=True, kw_only=True)
class Workload:
    """`providers` is how many of the 64 it claims on; 0 is the no-op."""

    name: str
    providers: int
    keyed: bool = False


NOOP = Workload(name="GET /livez", providers=0)
SPREAD = Workload(name="spread", providers=PROVIDERS)
HOT = Workload(name="hot", providers=1)
SPREAD_KEYED = Workload(name="spread, keyed", providers=PROVIDERS, keyed=True)
HOT_KEYED = Workload(name="hot, keyed", providers=1, keyed=True)
WORKLOADS = (NOOP, SPREAD, HOT, SPREAD_KEYED, HOT_KEYED)


def register_providers(caller: Caller, seed: int) -> list[str]:
    """64 providers too large to fill. Their ids come from the seed, so equal seeds claim alike."""
    drawn = random.Random(seed)
    inventory = {"kind": "divisible", "total": TOTAL}
    ids = [str(uuid.UUID(int=drawn.getrandbits(128), version=4)) for _ in range(PROVIDERS)]
    for place, provider_id in enumerate(ids):
        body = {
            "id": provider_id,
            "name": f"host-{place:02}",
            "inventories": dict.fromkeys(ASKED, inventory),
        }
        caller.call("POST", "/v1/providers", body, expected=201)
    return ids


def plan(
    workload: Workload,
    providers: Sequence[str],
    *,
    port: int,
    clients: int,
    seconds: float,
    seed: int,
    label: str,
) -> Plan:
    """`label` must differ between the runs on one service: consumer ids and keys are made of it."""
    chosen = providers[: workload.providers]
    templates = [claim_template(one, label=label, keyed=workload.keyed) for one in chosen]
    return Plan(
        port=port,
        clients=clients,
        seconds=seconds,
        seed=seed,
        label=label,
        templates=templates or ["GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"],
        expected_status=201 if templates else 200,
        expected_texts=PLACED if templates else [],
    )


def claim_template(provider_id: str, *, label: str, keyed: bool) -> str:
    """One `POST /v1/requests` with NUMBER where the consumer id and the key have theirs."""
    body = json.dumps(
        {
            "consumer": {"id": "NUMBER", "type": "server"},
            "project_id": "benchmark-project",
            "user_id": "benchmark-user",
            "components": [{"kind": "amounts", "resources": ASKED}],
            "within": provider_id,
        },
        separators=(",", ":"),
    )
    length = len(body) - len("NUMBER") + number_length(label)
    head = [
        "POST /v1/requests HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    if keyed:
        head.append(f"Idempotency-Key: {NUMBER}")
    return "\r\n".join([*head, "", body.replace("NUMBER", NUMBER)])


def lost_or_doubled(caller: Caller, acknowledged: dict[str, int]) -> list[str]:
    """Where the capacity that the service reports is not what it acknowledged; empty when all is.

    `acknowledged` counts claims by provider id.
    """
    used = {
        (row["provider_id"], row["resource_class"]): row["usage"]
        for row in caller.items("/v1/capacity")
    }
    return [
        f"{provider} {name}: {used.get((provider, name))} in use, {claims * amount} acknowledged"
        for provider, claims in acknowledged.items()
        for name, amount in ASKED.items()
        if used.get((provider, name)) != claims * amount
    ]
