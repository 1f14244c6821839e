"""How much of a GPU cluster can be given away until nothing fits any more, by policy.

The experiment of "Beware of Fragmentation" (Weng et al., USENIX ATC 2023): the trace's GPU nodes;
all pods of a list, topped up with pods drawn at random from it until they ask for 130 % of the
GPUs, in random order; each is tried once, and none leaves. Every placement is a claim through the
ledger's domain.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from api.providers import ProviderBody
from api.requests import RequestBody
from domain.cloud import define_resource_class, define_trait, register_provider
from domain.ledger import submit_request
from domain.wish import Preference
from scripts.benchmarks.memory_ledger import MemoryLedger
from scripts.cli.replay_schedule import CPU, GPU, gpu_trait, provider, request
from scripts.cli.replay_trace import WHOLE_GPU, Node, Pod, read_trace

DEMAND = 1.3
"""Of all GPUs."""
NODES = Path("openb_node_list_gpu_node.csv")
PUBLISHED = {
    "default": {
        "random": 87.47,
        "dot product": 90.85,
        "GPU clustering": 91.88,
        "GPU packing": 92.00,
        "best fit": 93.08,
        "FGD": 95.39,
    },
    "gpushare60": {"FGD": 91.40},
    "gpuspec25": {"FGD": 94.74},
}
"""Per cent of the GPUs, from the paper's own results."""
POLICIES: dict[str, Preference] = {
    "first fit": Preference(policy="first_fit"),
    "spread": Preference(policy="spread"),
    "pack": Preference(policy="pack"),
    "best fit": Preference(policy="pack", classes=(CPU, GPU)),
    "least stranding": Preference(policy="least_stranding"),
}
"""The paper's best fit looks at CPUs and GPUs, and leaves memory out."""


@dataclass(frozen=True)
class Run:
    """One list in one order under one policy. `allocated` is the share of all GPU thousandths."""

    pods: str
    policy: str
    seed: int
    requests: int
    placed: int
    allocated: float
    seconds: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True)
class Job:
    folder: Path
    pods: str
    policy: str
    seed: int


def measure(
    folder: Path,
    lists: Sequence[str],
    policies: Sequence[str],
    seeds: int,
    say: Callable[[str], None],
) -> list[Run]:
    jobs = [
        Job(folder, pods, policy, seed)
        for pods in lists
        for policy in policies
        for seed in range(1, seeds + 1)
    ]
    runs: list[Run] = []
    with ProcessPoolExecutor() as pool:
        for run in pool.map(run_one, jobs):
            runs.append(run)
            say(f"{len(runs)} of {len(jobs)} runs: {run.pods}, {run.policy}")
    return runs


def run_one(job: Job) -> Run:
    trace = read_trace(job.folder, NODES, Path(f"openb_pod_list_{job.pods}.csv"))
    ledger = MemoryLedger(POLICIES[job.policy])
    _register(ledger, trace.nodes, trace.pods)
    bodies = {pod.name: RequestBody.model_validate(request(pod)) for pod in trace.pods}
    gpus = sum(node.gpus for node in trace.nodes)
    asked = _in_random_order(trace.pods, gpus, job.seed)
    placed = allocated = 0
    began = time.perf_counter()
    for number, pod in enumerate(asked):
        body = bodies[pod.name]
        facts = body.facts(ledger.books)
        # A pod that was drawn again is another consumer.
        facts["consumer"] = body.consumer.model_copy(update={"id": f"pod-{number}"})
        outcome = ledger.run(submit_request, request_id=f"request-{number}", **facts)
        if outcome.status == "placed":
            placed += 1
            allocated += sum(share.resources.get(GPU, 0) for share in outcome.shares.values())
    return Run(
        pods=job.pods,
        policy=job.policy,
        seed=job.seed,
        requests=len(asked),
        placed=placed,
        allocated=allocated / (gpus * WHOLE_GPU),
        seconds=time.perf_counter() - began,
    )


def _register(ledger: MemoryLedger, nodes: Sequence[Node], pods: Sequence[Pod]) -> None:
    ledger.run(define_resource_class, CPU)
    models = {node.model for node in nodes} | {model for pod in pods for model in pod.models}
    for model in sorted(models):
        ledger.run(define_trait, gpu_trait(model))
    for node in nodes:
        body = ProviderBody.model_validate(provider(node))
        assert body.id is not None
        ledger.run(
            register_provider,
            provider_id=body.id,
            name=body.name,
            parent_id=None,
            traits=frozenset(body.traits),
            inventories=body.inventories,
        )


def _in_random_order(pods: Sequence[Pod], gpus: int, seed: int) -> list[Pod]:
    """All of them, and some again, until they ask for enough."""
    chance = random.Random(seed)
    asked = list(pods)
    demand = sum(pod.gpus * pod.gpu_milli for pod in pods)
    while demand < DEMAND * gpus * WHOLE_GPU:
        asked.append(chance.choice(pods))
        demand += asked[-1].gpus * asked[-1].gpu_milli
    chance.shuffle(asked)
    return asked
