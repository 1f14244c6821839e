"""Made-up calls of Placement's API: seeded, and each sequence about things of its own."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

GENERATION = "generation of "
"""In a body: `GENERATION + path`, to be replaced by what the service tells there now."""
SHARES = "MISC_SHARES_VIA_AGGREGATE"


@dataclass(frozen=True)
class Step:
    method: str
    path: str
    minor: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Instead of a body: what is no JSON."""


class Maker:
    """Makes one sequence. It remembers what it asked for, not what became of it: calls that make no
    sense belong to it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.mark = f"{seed % 10**9:09d}"
        self.providers = [self._uuid() for _ in range(7)]
        self.made: list[str] = []
        self.consumers = [self._uuid() for _ in range(4)]
        self.aggregates = [self._uuid() for _ in range(3)]
        self.classes = [f"CUSTOM_C{self.mark}_{letter}" for letter in "ABC"]
        self.traits = [f"CUSTOM_T{self.mark}_{letter}" for letter in "ABC"]
        self.projects = [f"project-{self.mark}-{n}" for n in range(2)]

    def steps(self, length: int) -> list[Step]:
        made = [Step("PUT", f"/resource_classes/{name}", 39) for name in self.classes]
        made += [Step("PUT", f"/traits/{name}", 39) for name in self.traits]
        for _ in range(3):
            made += self._whole_provider()
        for _ in range(length):
            made += self._weighted()()
        return made

    def _weighted(self) -> Callable[[], list[Step]]:
        kinds: dict[Callable[[], list[Step]], int] = {
            self._whole_provider: 3,
            self._provider: 3,
            self._inventories: 4,
            self._one_inventory: 3,
            self._traits: 3,
            self._aggregates: 3,
            self._allocate: 8,
            self._allocate_many: 4,
            self._release: 2,
            self._reshape: 2,
            self._candidates: 10,
            self._lists: 5,
            self._reads: 8,
            self._catalog: 2,
            self._nonsense: 2,
        }
        return self.random.choices(list(kinds), list(kinds.values()))[0]

    # --- Parts ------------------------------------------------------------------------------------

    def _uuid(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _often(self, chance: float = 0.8) -> bool:
        return self.random.random() < chance

    def _minor(self, least: int = 0) -> int:
        return 39 if self._often(0.6) else self.random.randint(least, 39)

    def _known(self) -> str:
        return self.random.choice(self.made or self.providers)

    def _any(self) -> str:
        return self._known() if self._often(0.98) else self.random.choice(self.providers)

    def _generation(self, provider: str) -> Any:
        if self._often(0.9):
            return f"{GENERATION}/resource_providers/{provider}"
        return self.random.randint(0, 4)

    def _class(self) -> str:
        return self.random.choice(self.classes) if self._often(0.97) else "CUSTOM_NOWHERE"

    def _some(self, of: list[str], most: int = 2) -> list[str]:
        return self.random.sample(of, self.random.randint(1, most))

    def _record(self) -> dict[str, Any]:
        total = self.random.choice([1, 2, 4, 8, 16])
        record: dict[str, Any] = {"total": total}
        if self._often(0.3):
            record["reserved"] = self.random.choice([0, 0, 1, 1, total, total, total + 1])
        if self._often(0.2):
            record["min_unit"] = self.random.choice([1, 2])
        if self._often(0.3):
            record["max_unit"] = self.random.choice([2, 4, 100])
        if self._often(0.2):
            record["step_size"] = self.random.choice([1, 2])
        if self._often(0.3):
            record["allocation_ratio"] = self.random.choice([1.0, 1.5, 2, 16.0, 0.5])
        if self._often(0.03):
            record[self.random.choice(["total", "step_size", "colour"])] = 0
        return record

    def _resources(self) -> dict[str, int]:
        return {self._class(): self.random.choice([1, 1, 2, 3, 4]) for _ in range(2)}

    # --- Providers --------------------------------------------------------------------------------

    def _whole_provider(self) -> list[Step]:
        """With inventories, and often traits and aggregates."""
        steps = self._provider()
        provider = self.made[-1]
        steps += self._inventories(provider)
        steps += self._traits(provider) if self._often(0.5) else []
        steps += self._aggregates(provider) if self._often(0.5) else []
        return steps

    def _provider(self) -> list[Step]:
        provider = self.random.choice(self.providers)
        name = f"{self.mark}-{self.providers.index(provider)}"
        if self._often(0.1):
            name = f"{self.mark}-0"
        parent = self._known() if self.made and self._often(0.5) else None
        change = self.random.random()
        if provider in self.made and change < 0.6:
            if change < 0.2:
                return [Step("DELETE", f"/resource_providers/{provider}", self._minor())]
            minor = self._minor(14)
            body: dict[str, Any] = {"name": name}
            if self._often(0.6):
                body["parent_provider_uuid"] = parent
            return [Step("PUT", f"/resource_providers/{provider}", minor, body)]
        body = {"name": name, "uuid": provider}
        minor = self._minor()
        if parent is not None and (minor >= 14 or self._often(0.1)):
            body["parent_provider_uuid"] = parent
        if provider in self.made:
            self.made.remove(provider)
        self.made.append(provider)
        return [Step("POST", "/resource_providers", minor, body)]

    def _inventories(self, provider: str | None = None) -> list[Step]:
        provider = provider or self._any()
        path = f"/resource_providers/{provider}/inventories"
        if self._often(0.1):
            return [Step("DELETE", path, self._minor())]
        inventories = {self._class(): self._record() for _ in range(self.random.randint(1, 3))}
        body = {
            "resource_provider_generation": self._generation(provider),
            "inventories": inventories if self._often(0.95) else {},
        }
        return [Step("PUT", path, self._minor(), body)]

    def _one_inventory(self) -> list[Step]:
        provider, name = self._any(), self._class()
        path = f"/resource_providers/{provider}/inventories"
        match self.random.randrange(4):
            case 0:
                return [
                    Step("POST", path, self._minor(), {"resource_class": name, **self._record()})
                ]
            case 1:
                return [Step("DELETE", f"{path}/{name}", self._minor())]
            case 2:
                return [Step("GET", f"{path}/{name}", self._minor())]
        body = {"resource_provider_generation": self._generation(provider), **self._record()}
        return [Step("PUT", f"{path}/{name}", self._minor(), body)]

    def _traits(self, provider: str | None = None) -> list[Step]:
        provider = provider or self._any()
        path = f"/resource_providers/{provider}/traits"
        if self._often(0.1):
            return [Step("DELETE", path, self._minor())]
        names = [*self.traits, SHARES, "HW_CPU_X86_AVX2"]
        traits = self._some(names, 3) if self._often(0.97) else ["CUSTOM_NO_SUCH_TRAIT"]
        body = {"resource_provider_generation": self._generation(provider), "traits": traits}
        return [Step("PUT", path, self._minor(6), body)]

    def _aggregates(self, provider: str | None = None) -> list[Step]:
        provider = provider or self._any()
        minor = self._minor(1)
        aggregates: Any = self._some(self.aggregates) if self._often(0.9) else []
        if minor >= 19:
            generation = self._generation(provider)
            aggregates = {
                "aggregates": aggregates,
                "resource_provider_generation": generation,
            }
        return [Step("PUT", f"/resource_providers/{provider}/aggregates", minor, aggregates)]

    # --- Allocations ------------------------------------------------------------------------------

    def _held(self, minor: int, consumer: str, *, may_be_empty: bool) -> dict[str, Any]:
        providers = {self._any() for _ in range(self.random.choice([1, 1, 2]))}
        allocations = {provider: {"resources": self._resources()} for provider in providers}
        if may_be_empty and self._often(0.06):
            allocations = {}
        held: dict[str, Any] = {
            "allocations": allocations,
            "project_id": self.random.choice(self.projects),
            "user_id": f"user-{self.mark}",
        }
        if minor >= 28:
            generation: Any = f"{GENERATION}/allocations/{consumer}"
            held["consumer_generation"] = generation if self._often(0.9) else 2
        if minor >= 38:
            held["consumer_type"] = self.random.choice(["INSTANCE", "MIGRATION"])
        return held

    def _allocate(self) -> list[Step]:
        consumer, minor = self.random.choice(self.consumers), self._minor(8)
        body = self._held(minor, consumer, may_be_empty=minor >= 28)
        if minor < 12:
            body["allocations"] = [
                {"resource_provider": {"uuid": provider}, **one}
                for provider, one in body["allocations"].items()
            ]
        return [Step("PUT", f"/allocations/{consumer}", minor, body)]

    def _allocate_many(self) -> list[Step]:
        minor = self._minor(13)
        consumers = self._some(self.consumers, 3)
        body = {one: self._held(minor, one, may_be_empty=True) for one in consumers}
        return [Step("POST", "/allocations", minor, body)]

    def _release(self) -> list[Step]:
        consumer = self.random.choice(self.consumers)
        return [Step("DELETE", f"/allocations/{consumer}", self._minor())]

    def _reshape(self) -> list[Step]:
        minor = self._minor(30)
        providers = self._some(
            self.providers if self._often(0.1) else self.made or self.providers, 1
        )
        inventories = {
            provider: {
                "resource_provider_generation": self._generation(provider),
                "inventories": {self._class(): self._record() for _ in range(2)},
            }
            for provider in providers
        }
        consumers = self._some(self.consumers, 2) if self._often(0.7) else []
        body = {
            "inventories": inventories,
            "allocations": {one: self._held(minor, one, may_be_empty=True) for one in consumers},
        }
        headers = {"X-Roles": "service"}
        return [Step("POST", "/reshaper", minor, body, headers)]

    # --- Reads ------------------------------------------------------------------------------------

    def _traits_asked(self, minor: int) -> str:
        if minor >= 39 and self._often(0.3):
            return "in:" + ",".join(self._some(self.traits))
        some = self._some(self.traits)
        if minor >= 22 and self._often(0.4):
            return f"!{some[0]}"
        return ",".join(some)

    def _member_of(self, minor: int) -> str:
        some = self._some(self.aggregates)
        told = f"in:{','.join(some)}" if len(some) > 1 else some[0]
        return f"!{told}" if minor >= 32 and self._often(0.3) else told

    def _group(self, minor: int, suffix: str) -> list[str]:
        resources = ",".join(f"{name}:{n}" for name, n in self._resources().items())
        parts = [f"resources{suffix}={resources}"]
        if minor >= 17 and self._often(0.35):
            parts.append(f"required{suffix}={self._traits_asked(minor)}")
        if minor >= 21 and self._often(0.3):
            parts.append(f"member_of{suffix}={self._member_of(minor)}")
        if minor >= 31 and self._often(0.1):
            parts.append(f"in_tree{suffix}={self._any()}")
        return parts

    def _candidates(self) -> list[Step]:
        minor = self._minor(10)
        parts = self._group(minor, "") if self._often(0.7) or minor < 25 else []
        suffixes: list[str] = []
        if minor >= 25 and (not parts or self._often(0.5)):
            suffixes = ["1", "2", "3"][: self.random.randint(1, 3)]
            if minor >= 33 and self._often(0.3):
                suffixes = [f"_X{one}" for one in suffixes]
            for suffix in suffixes:
                parts += self._group(minor, suffix)
            if self._often(0.95):
                parts.append(f"group_policy={self.random.choice(['none', 'isolate'])}")
        if minor >= 35 and self._often(0.2):
            parts.append(f"root_required={self._traits_asked(22)}")
        if minor >= 36 and suffixes and self._often(0.4):
            if self._often(0.5):
                suffixes.append("_ROOT")
                parts.append(f"required_ROOT={self._traits_asked(22)}")
            parts.append(f"same_subtree={','.join(suffixes)}")
        if minor >= 16 and self._often(0.15):
            parts.append(f"limit={self.random.randint(1, 3)}")
        return [Step("GET", f"/allocation_candidates?{'&'.join(parts)}", minor)]

    def _lists(self) -> list[Step]:
        """Always by something of the sequence's own, as the service has others' things, too."""
        minor = self._minor(14)
        parts = [
            self.random.choice(
                [
                    f"in_tree={self._any()}",
                    f"member_of={self.random.choice(self.aggregates)}",
                    f"resources={self._class()}:1",
                    f"name={self.mark}-{self.random.randrange(7)}",
                    f"uuid={self._any()}",
                ]
            )
        ]
        if minor >= 18 and self._often(0.3):
            parts.append(f"required={self._traits_asked(minor)}")
        return [Step("GET", f"/resource_providers?{'&'.join(parts)}", minor)]

    def _reads(self) -> list[Step]:
        provider, consumer = self._any(), self.random.choice(self.consumers)
        path = self.random.choice(
            [
                f"/resource_providers/{provider}",
                f"/resource_providers/{provider}/inventories",
                f"/resource_providers/{provider}/usages",
                f"/resource_providers/{provider}/aggregates",
                f"/resource_providers/{provider}/traits",
                f"/resource_providers/{provider}/allocations",
                f"/allocations/{consumer}",
                f"/usages?project_id={self.random.choice(self.projects)}",
                f"/traits?name=in:{','.join(self.traits)}",
                f"/traits?name=startswith:CUSTOM_T{self.mark}&associated=true",
                f"/resource_classes/{self._class()}",
                f"/traits/{self.random.choice(self.traits)}",
            ]
        )
        minor = self._minor()
        if path.startswith("/usages") and minor >= 38 and self._often(0.5):
            path += f"&consumer_type={self.random.choice(['all', 'INSTANCE', 'unknown'])}"
        return [Step("GET", path, minor)]

    def _catalog(self) -> list[Step]:
        name, trait = self.random.choice(self.classes), self.random.choice(self.traits)
        return [
            self.random.choice(
                [
                    Step("DELETE", f"/resource_classes/{name}", self._minor()),
                    Step("PUT", f"/resource_classes/{name}", self._minor(7)),
                    Step("POST", "/resource_classes", self._minor(), {"name": name}),
                    Step("DELETE", f"/traits/{trait}", self._minor()),
                    Step("PUT", f"/traits/{trait}", self._minor()),
                    Step("DELETE", "/resource_classes/VCPU", 39),
                    Step("DELETE", "/traits/HW_CPU_X86_AVX2", 39),
                ]
            )
        ]

    def _nonsense(self) -> list[Step]:
        provider = self._any()
        path = f"/resource_providers/{provider}"
        return [
            self.random.choice(
                [
                    Step("PATCH", path, 39),
                    Step("GET", f"{path}/", 39),
                    Step("GET", f"{path}/cows", 39),
                    Step("GET", f"{path}?colour=red", 39),
                    Step("GET", "/resource_providers?colour=red", 39),
                    Step("GET", path, 39, headers={"Accept": "text/plain"}),
                    Step("GET", path, 39, headers={"OpenStack-API-Version": "placement 1.40"}),
                    Step("GET", path, 39, headers={"OpenStack-API-Version": "placement x"}),
                    Step("PUT", path, 39, raw=b"{"),
                    Step("PUT", path, 39, raw=b"{}", headers={"Content-Type": "text/plain"}),
                    Step("GET", "/allocation_candidates?resources=VCPU", 39),
                    Step("GET", "/allocation_candidates?resources=CUSTOM_NOWHERE:1", 39),
                    Step("GET", "/usages", 39),
                    Step("GET", "/traits?name=x", 39),
                    Step("PUT", "/traits/lower", 39),
                    Step("DELETE", "/", 39),
                ]
            )
        ]
