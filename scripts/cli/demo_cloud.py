"""The demo cloud: what it consists of, as the writes that make it.

Hosts are the roots of trees, because all that one request gets comes from one tree; the rack that a
host stands in is a trait of it. Every key is fixed, so loading it again, or after a crash in the
middle, adds only what is missing.
"""

from scripts.cli.client import Body, Write
from scripts.cli.names import provider_id
from scripts.cli.prices_example import example

# Part of every key: a demo cloud with another content gets another number.
EDITION = "demo-1"
# A hold that no demo outlives; a deadline relative to now would change the body under its key.
HELD_UNTIL = "2099-12-31T00:00:00Z"
# The last consumer that gets a claim: who finds it finds the whole cloud.
LAST_CONSUMER = "volume-1"
FIRST_PROVIDER = provider_id("host-a1")
PRICE_BOOK = "/v1/price-books/standard"

# Method, path and body.
Step = tuple[str, str, Body | None]

CLASSES = ("CUSTOM_BAREMETAL_LARGE",)
TRAITS = (
    *("CUSTOM_RACK_A", "CUSTOM_RACK_B", "CUSTOM_SSD", "CUSTOM_BAREMETAL", "CUSTOM_STORAGE_POOL"),
    *("CUSTOM_GPU_A100", "CUSTOM_GPU_T4"),
)


def writes() -> list[Write]:
    """In the order in which they must be sent."""
    steps: list[Step] = [("PUT", f"/v1/resource-classes/{name}", None) for name in CLASSES]
    steps += [("PUT", f"/v1/traits/{name}", None) for name in TRAITS]
    steps += [("POST", "/v1/providers", provider) for provider in providers()]
    steps += [("PUT", f"/v1/flavors/{name}", flavor) for name, flavor in flavors().items()]
    steps += _requests()
    # Its key is no number, so that those of the others stay what they were before there was one.
    book = Write("PUT", PRICE_BOOK, example(), key=f"{EDITION}-prices")
    return [
        book,
        *(
            Write(method, path, body, key=f"{EDITION}-{number}")
            for number, (method, path, body) in enumerate(steps)
        ),
    ]


def providers() -> list[Body]:
    """Parents before their children."""
    return [
        *(_host(f"host-a{number}", "CUSTOM_RACK_A", ssd=number < 3) for number in (1, 2, 3)),
        *_host_of_numa_cells("host-b1"),
        _gpu_host("gpu-b2", "A100", 4),
        _gpu_host("gpu-b3", "T4", 2),
        *(_bare_metal(f"metal-b{number}") for number in (4, 5)),
        _provider("pool-1", ["CUSTOM_STORAGE_POOL"], {"DISK_GB": _amount(100_000)}),
    ]


def flavors() -> dict[str, Body]:
    def menu(vcpu: int, **more: object) -> Body:
        return {"resources": _server(vcpu), **more}

    return {
        "small": menu(1),
        "medium": menu(4, required_traits=["CUSTOM_SSD"]),
        "large": menu(16),
        "gpu-half": menu(4, units=[{"resource_class": "PGPU", "count": 1, "amount": 500}]),
        "metal-large": {"units": [{"resource_class": "CUSTOM_BAREMETAL_LARGE", "count": 1}]},
    }


def _requests() -> list[Step]:
    gpus = {"kind": "units", "resource_class": "PGPU"}
    a100 = [{"attribute": "model", "equals": "A100"}]
    disk = {"kind": "amounts", "resources": {"DISK_GB": 500}}
    return [
        _ask("web-1", "shop", _flavor("small")),
        _ask("web-2", "shop", _flavor("medium")),
        _ask("batch-1", "shop", _flavor("large")),
        _ask("database-1", "shop", _flavor("large"), required_traits=["HW_NUMA_ROOT"]),
        _ask("train-1", "research", _amounts(16), {**gpus, "count": 2, "where": a100}),
        _ask("infer-1", "research", _flavor("gpu-half")),
        _ask("infer-2", "research", _flavor("gpu-half")),
        # More GPUs of one host than any has: refused, and the reasons are kept.
        _ask("train-2", "research", _amounts(16), {**gpus, "count": 8, "where": a100}),
        _ask("metal-1", "research", _flavor("metal-large"), kind="machine"),
        # Two steps: this one waits to be confirmed or withdrawn.
        _ask("web-3", "shop", _flavor("small"), hold_until=HELD_UNTIL),
        # A resize, and an end.
        ("PUT", "/v1/claims/web-1", {"components": [_flavor("medium")]}),
        ("DELETE", "/v1/claims/batch-1", None),
        _ask(LAST_CONSUMER, "shop", disk, kind="volume", within=provider_id("pool-1")),
    ]


def _ask(
    consumer: str, project: str, *components: Body, kind: str = "server", **more: object
) -> Step:
    body: Body = {
        "consumer": {"id": consumer, "type": kind},
        "project_id": project,
        "user_id": {"shop": "ada", "research": "grace"}[project],
        "components": list(components),
        **more,
    }
    return "POST", "/v1/requests", body


def _flavor(name: str) -> Body:
    return {"kind": "flavor", "name": name}


def _amounts(vcpu: int) -> Body:
    return {"kind": "amounts", "resources": _server(vcpu)}


def _server(vcpu: int) -> dict[str, int]:
    """A size in the proportions that the hosts have, so that no request strands what it leaves."""
    return {"VCPU": vcpu, "MEMORY_MB": vcpu * 4096, "DISK_GB": vcpu * 20}


def _host(name: str, rack: str, ssd: bool) -> Body:
    traits = [rack, "HW_CPU_X86_AVX2", *(["CUSTOM_SSD"] if ssd else [])]
    inventories = {
        "VCPU": _amount(32, reserved=2, allocation_ratio=4.0),
        "MEMORY_MB": _amount(262_144, reserved=8192),
        "DISK_GB": _amount(2000),
    }
    return _provider(name, traits, inventories)


def _host_of_numa_cells(name: str) -> list[Body]:
    """The host has the disk; CPUs and memory are the cells'."""
    cell = {"VCPU": _amount(32), "MEMORY_MB": _amount(131_072)}
    host = _provider(name, ["CUSTOM_RACK_B", "CUSTOM_SSD"], {"DISK_GB": _amount(4000)})
    cells = [
        {**_provider(f"{name}-numa{n}", ["HW_NUMA_ROOT"], cell), "parent_id": host["id"]}
        for n in (0, 1)
    ]
    return [host, *cells]


def _gpu_host(name: str, model: str, gpus: int) -> Body:
    inventories = {
        "VCPU": _amount(64),
        "MEMORY_MB": _amount(524_288),
        "DISK_GB": _amount(4000),
        # Each GPU can be shared, in thousandths.
        "PGPU": _units([f"gpu{n}" for n in range(gpus)], 1000, model),
    }
    return _provider(name, ["CUSTOM_RACK_B", f"CUSTOM_GPU_{model}"], inventories)


def _bare_metal(name: str) -> Body:
    """The machine is one unit, had as a whole or not at all."""
    inventories = {"CUSTOM_BAREMETAL_LARGE": _units([name], 1, "EPYC-9654")}
    return _provider(name, ["CUSTOM_RACK_B", "CUSTOM_BAREMETAL"], inventories)


def _provider(name: str, traits: list[str], inventories: Body) -> Body:
    return {
        "id": provider_id(name),
        "name": name,
        "traits": traits,
        "inventories": inventories,
    }


def _amount(total: int, **more: float) -> Body:
    return {"kind": "divisible", "total": total, **more}


def _units(names: list[str], capacity: int, model: str) -> Body:
    units = [{"name": name, "capacity": capacity, "attributes": {"model": model}} for name in names]
    return {"kind": "discrete", "units": units}
