"""The schedule of a replay: what is sent, in which order, with which keys. Pure, so that it is the
same each time.

The order is part of the result: a pod that comes after a release may find what the release gave
back. And the keys are part of the order: step 4711 of a trace always has the same key and body, so
a run that broke off is run again from the top, and the steps that the ledger already has change
nothing.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from scripts.cli.client import Body, Write
from scripts.cli.names import provider_id
from scripts.cli.options import written
from scripts.cli.replay_trace import WHOLE_GPU, Node, Pod, Trace

CPU = "CUSTOM_CPU_MILLI"
MEMORY = "MEMORY_MB"
GPU = "PGPU"
# The trace names no users; every pod needs one.
USER = "openb"

StepKind = Literal["define", "register", "request", "release"]
# At equal times: what ends first gives room, then what begins, then what begins and ends at once.
RELEASE, REQUEST, RELEASE_AT_ONCE = range(3)


@dataclass(frozen=True, slots=True)
class Step:
    """One write of the replay; `name` is the pod's, the node's or the catalog entry's."""

    kind: StepKind
    name: str
    write: Write


@dataclass(frozen=True, slots=True)
class _Draft:
    kind: StepKind
    name: str
    method: str
    path: str
    body: Body | None
    seconds: int


def schedule(trace: Trace, start: datetime, limit: int | None = None) -> list[Step]:
    """All steps, or those up to the request of pod number `limit`.

    A shorter schedule is a prefix of a longer one, so a replay with a limit can be continued with a
    greater one.
    """
    digest = hashlib.sha256(f"{trace.digest} {written(start)}".encode()).hexdigest()[:32]
    steps: list[Step] = []
    requests = 0
    for number, draft in enumerate((*_cluster(trace.nodes, trace.pods), *_pods(trace.pods))):
        if draft.kind == "request":
            if requests == limit:
                break
            requests += 1
        at = written(start + timedelta(seconds=draft.seconds))
        key = f"replay-{digest}-{number}"
        write = Write(draft.method, draft.path, draft.body, key=key, at=at)
        steps.append(Step(draft.kind, draft.name, write))
    return steps


def _cluster(nodes: tuple[Node, ...], pods: tuple[Pod, ...]) -> Iterator[_Draft]:
    """What must be there before the first pod, all of it at the trace's second 0."""
    models = {node.model for node in nodes if node.model}
    # A pod may allow a model that no node has; its trait must be known all the same.
    models.update(model for pod in pods for model in pod.models)
    yield _Draft("define", CPU, "PUT", f"/v1/resource-classes/{CPU}", None, 0)
    for name in sorted(gpu_trait(model) for model in models):
        yield _Draft("define", name, "PUT", f"/v1/traits/{name}", None, 0)
    for node in nodes:
        yield _Draft("register", node.name, "POST", "/v1/providers", provider(node), 0)


def _pods(pods: tuple[Pod, ...]) -> Iterator[_Draft]:
    moments: list[tuple[int, int, int]] = []
    for index, pod in enumerate(pods):
        moments.append((pod.creation_seconds, REQUEST, index))
        if pod.deletion_seconds is not None:
            at_once = pod.deletion_seconds == pod.creation_seconds
            moments.append((pod.deletion_seconds, RELEASE_AT_ONCE if at_once else RELEASE, index))
    for seconds, rank, index in sorted(moments):
        pod = pods[index]
        if rank == REQUEST:
            yield _Draft("request", pod.name, "POST", "/v1/requests", request(pod), seconds)
        else:
            yield _Draft("release", pod.name, "DELETE", f"/v1/claims/{pod.name}", None, seconds)


def provider(node: Node) -> Body:
    """CPU and memory are divisible; each GPU is a unit that can be shared in thousandths."""
    inventories: Body = {}
    for name, total in ((CPU, node.cpu_milli), (MEMORY, node.memory_mib)):
        if total:
            inventories[name] = {"kind": "divisible", "total": total}
    if node.gpus:
        attributes = {"model": node.model}
        inventories[GPU] = {
            "kind": "discrete",
            "units": [
                {"name": f"gpu{number}", "capacity": WHOLE_GPU, "attributes": attributes}
                for number in range(node.gpus)
            ],
        }
    return {
        "id": provider_id(node.name),
        "name": node.name,
        "traits": [gpu_trait(node.model)] if node.gpus else [],
        "inventories": inventories,
    }


def request(pod: Pod) -> Body:
    amounts = {CPU: pod.cpu_milli, MEMORY: pod.memory_mib}
    resources = {name: amount for name, amount in amounts.items() if amount}
    components: list[Body] = []
    if resources:
        components.append({"kind": "amounts", "resources": resources})
    if pod.gpus:
        components.append(
            {
                "kind": "units",
                "resource_class": GPU,
                "count": pod.gpus,
                "amount": pod.gpu_milli,
            }
        )
    return {
        "consumer": {"id": pod.name, "type": "pod"},
        "project_id": pod.qos,
        "user_id": USER,
        "components": components,
        "any_of_traits": [[gpu_trait(model) for model in pod.models]] if pod.models else [],
    }


def gpu_trait(model: str) -> str:
    return "CUSTOM_GPU_" + re.sub(r"[^A-Z0-9]", "_", model.upper())
