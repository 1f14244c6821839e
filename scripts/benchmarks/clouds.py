"""Clouds to search in: flat hosts, hosts of NUMA cells and devices, hosts around storage pools.

Seeded; each is registered through the ledger's domain. Hosts have as much as would be left of them
in a cloud in use: claims that took the rest would only be slow to make.
"""

from __future__ import annotations

import random
from decimal import Decimal
from uuid import UUID

from domain.cloud import register_provider
from domain.inventory import DiscreteInventory, DivisibleInventory, Inventories, Unit
from domain.wish import Preference
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


def flat_cloud(providers: int, seed: int, preference: Preference) -> Cloud:
    """Hosts with three classes; half of them have the trait. Most are rather full."""
    cloud = Cloud(seed, preference)
    for number in range(providers):
        traits = frozenset({TRAIT} if cloud.chance.random() < 0.5 else ())
        left = 1 - cloud.chance.random() ** 0.3
        cloud.add(f"host-{number}", _three_classes(left), traits=traits)
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
        cpus = DivisibleInventory(total=cloud.chance.randint(8, 32))
        cell = cloud.add(f"{name}-cell-{number}", {"VCPU": cpus}, parent=host)
        for device in range(DEVICES_OF_A_CELL):
            unit = DiscreteInventory(units=(Unit(name="vf", attributes={"speed": 25}),))
            cloud.add(f"{name}-device-{number}-{device}", {"SRIOV_NET_VF": unit}, parent=cell)
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
        inventories = _three_classes(cloud.chance.random())
        del inventories["DISK_GB"]
        cloud.add(f"host-{number}", inventories, groups=groups)
    return cloud


def _three_classes(left: float) -> Inventories:
    """Of a host with 64 CPUs, sold four times, and 256 GiB: this part is left."""
    return {
        "VCPU": DivisibleInventory(total=1 + int(64 * left), allocation_ratio=Decimal(4)),
        "MEMORY_MB": DivisibleInventory(total=4_096 + int(262_144 * left), reserved=4_096),
        "DISK_GB": DivisibleInventory(total=1 + int(2_000 * left)),
    }
