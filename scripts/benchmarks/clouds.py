"""Clouds to search in: flat hosts, hosts of NUMA cells and devices, hosts around storage pools.

Seeded; each is registered through the ledger's domain, and filled to different degrees.
"""

from __future__ import annotations

import random
from decimal import Decimal
from uuid import UUID

from domain.cloud import register_provider
from domain.component import AmountsComponent, Consumer
from domain.inventory import DiscreteInventory, DivisibleInventory, Inventories, Unit
from domain.ledger import submit_request
from domain.wish import Preference, Wish
from scripts.benchmarks.memory_ledger import MemoryLedger

TRAIT = "HW_CPU_X86_AVX2"
SHARES = "MISC_SHARES_VIA_AGGREGATE"
HOSTS_OF_A_POOL = 100
DEVICES_OF_A_CELL = 8
PROVIDERS_OF_A_NESTED_HOST = 1 + 2 * (1 + DEVICES_OF_A_CELL)


class Cloud:
    def __init__(self, seed: int, preference: Preference) -> None:
        self.chance = random.Random(seed)
        self.ledger = MemoryLedger(preference)
        self.consumers = 0

    def add(
        self,
        name: str,
        inventories: Inventories,
        *,
        parent: str | None = None,
        traits: frozenset[str] = frozenset(),
        groups: frozenset[str] = frozenset(),
    ) -> str:
        provider_id = str(UUID(int=self.chance.getrandbits(128), version=4))
        self.ledger.run(
            register_provider,
            provider_id=provider_id,
            name=name,
            parent_id=parent,
            traits=traits,
            inventories=inventories,
            groups=groups,
        )
        return provider_id

    def take(self, provider_id: str, **amounts: int) -> None:
        """Have some consumer claim that much there."""
        self.consumers += 1
        wish = Wish(components=(AmountsComponent(resources=amounts),), within=provider_id)
        request = self.ledger.run(
            submit_request,
            request_id=f"fill-{self.consumers}",
            consumer=Consumer(id=f"fill-{self.consumers}"),
            project_id="fill",
            user_id="fill",
            wish=wish,
            hold_until=None,
        )
        assert request.status == "placed"


def flat_cloud(providers: int, seed: int, preference: Preference) -> Cloud:
    """Hosts with three classes; half of them have the trait. Most are rather full."""
    cloud = Cloud(seed, preference)
    for number in range(providers):
        traits = frozenset({TRAIT} if cloud.chance.random() < 0.5 else ())
        host = cloud.add(f"host-{number}", _three_classes(), traits=traits)
        fullness = cloud.chance.random() ** 0.3
        amounts = {"VCPU": 256, "MEMORY_MB": 258_048, "DISK_GB": 2_000}
        taken = {name: int(amount * fullness) for name, amount in amounts.items()}
        cloud.take(host, **{name: amount for name, amount in taken.items() if amount})
    return cloud


def nested_cloud(providers: int, seed: int, preference: Preference) -> Cloud:
    """Hosts of two NUMA cells with eight devices each, every one a provider."""
    cloud = Cloud(seed, preference)
    for number in range(max(1, providers // PROVIDERS_OF_A_NESTED_HOST)):
        nested_host(cloud, f"host-{number}")
    return cloud


def nested_host(cloud: Cloud, name: str) -> str:
    host = cloud.add(name, {"MEMORY_MB": DivisibleInventory(total=262_144)})
    for number in range(2):
        cell = cloud.add(
            f"{name}-cell-{number}", {"VCPU": DivisibleInventory(total=32)}, parent=host
        )
        for device in range(DEVICES_OF_A_CELL):
            unit = DiscreteInventory(units=(Unit(name="vf", attributes={"speed": 25}),))
            cloud.add(f"{name}-device-{number}-{device}", {"SRIOV_NET_VF": unit}, parent=cell)
        cloud.take(cell, VCPU=cloud.chance.randint(1, 24))
    return host


def shared_cloud(providers: int, seed: int, preference: Preference) -> Cloud:
    """Hosts without disks, and a pool for each hundred of them, in a group."""
    cloud = Cloud(seed, preference)
    for number in range(providers):
        groups = frozenset({f"pool-{number // HOSTS_OF_A_POOL}"})
        if number % HOSTS_OF_A_POOL == 0:
            disk: Inventories = {"DISK_GB": DivisibleInventory(total=1_000_000)}
            cloud.add(f"pool-{number}", disk, traits=frozenset({SHARES}), groups=groups)
            continue
        inventories = _three_classes()
        del inventories["DISK_GB"]
        host = cloud.add(f"host-{number}", inventories, groups=groups)
        cloud.take(host, VCPU=cloud.chance.randint(1, 250))
    return cloud


def _three_classes() -> Inventories:
    return {
        "VCPU": DivisibleInventory(total=64, allocation_ratio=Decimal(4)),
        "MEMORY_MB": DivisibleInventory(total=262_144, reserved=4_096),
        "DISK_GB": DivisibleInventory(total=2_000),
    }
