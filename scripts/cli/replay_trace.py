"""Reads a trace of a cluster: its nodes and its pods, in the openb layout.

The layout is that of Alibaba's `cluster-trace-gpu-v2023`: one CSV file of nodes, one of pods, times
in seconds since the trace began. Every bad row is reported with its line before anything is sent.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from scripts.cli.failure import Failure

NODE_COLUMNS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
POD_COLUMNS = (
    *("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec"),
    *("qos", "creation_time", "deletion_time"),
)
# One whole GPU, in the thousandths that pods ask for.
WHOLE_GPU = 1000

Row = Mapping[str, str]
Read = TypeVar("Read", "Node", "Pod")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """`gpu_milli` is asked of each of `gpus`; no `models` means any; no deletion means that it
    stayed."""

    name: str
    cpu_milli: int
    memory_mib: int
    gpus: int
    gpu_milli: int
    models: tuple[str, ...]
    qos: str
    creation_seconds: int
    deletion_seconds: int | None


@dataclass(frozen=True, slots=True)
class Trace:
    nodes: tuple[Node, ...]
    pods: tuple[Pod, ...]
    # Of both files' bytes: the same digest means the same replay.
    digest: str


def read_trace(folder: Path, nodes: Path | None = None, pods: Path | None = None) -> Trace:
    """The files may be named inside the folder or by a path of their own."""
    if not folder.is_dir():
        raise Failure(
            f"{folder} is not a folder", "Name the folder that holds the trace's CSV files."
        )
    node_file = _file(folder, nodes, "*node_list_all_node.csv", "--nodes")
    pod_file = _file(folder, pods, "*pod_list_default.csv", "--pods")
    digest = hashlib.sha256()
    texts = []
    for file in (node_file, pod_file):
        content = file.read_bytes()
        digest.update(hashlib.sha256(content).digest())
        texts.append(_decoded(file, content))
    return Trace(
        nodes=_rows(node_file, texts[0], NODE_COLUMNS, _node),
        pods=_rows(pod_file, texts[1], POD_COLUMNS, _pod),
        digest=digest.hexdigest(),
    )


def _file(folder: Path, given: Path | None, pattern: str, option: str) -> Path:
    if given is not None:
        for file in (folder / given, given):
            if file.is_file():
                return file
        raise Failure(f"there is no file {given}, neither in {folder} nor here")
    found = sorted(folder.glob(pattern))
    if len(found) == 1:
        return found[0]
    raise Failure(
        f"{folder} has {len(found)} files of the form {pattern}, and one is needed",
        f"Name the file with {option}.",
    )


def _decoded(file: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(f"{file} is not UTF-8 text: {error}") from None


def _rows(
    file: Path, text: str, columns: tuple[str, ...], read: Callable[[Row], Read]
) -> tuple[Read, ...]:
    reader = csv.DictReader(io.StringIO(text))
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        raise Failure(f"{file} lacks the column {', '.join(missing)}")
    good: list[Read] = []
    bad: list[str] = []
    names: set[str] = set()
    for row in reader:
        try:
            one = read({column: (row[column] or "").strip() for column in columns})
        except ValueError as error:
            bad.append(f"line {reader.line_num}: {error}")
            continue
        if one.name in names:
            bad.append(f"line {reader.line_num}: {one.name} stands twice")
        names.add(one.name)
        good.append(one)
    if bad:
        raise Failure(f"{file} has {len(bad)} bad rows; nothing was sent", "\n".join(bad))
    return tuple(good)


def _node(row: Row) -> Node:
    gpus = _amount(row, "gpu")
    if gpus and not row["model"]:
        raise ValueError("GPUs need a model")
    return Node(
        name=_name(row, "sn"),
        cpu_milli=_amount(row, "cpu_milli"),
        memory_mib=_amount(row, "memory_mib"),
        gpus=gpus,
        model=row["model"],
    )


def _pod(row: Row) -> Pod:
    creation = _amount(row, "creation_time")
    deletion = _amount(row, "deletion_time") if row["deletion_time"] else None
    if deletion is not None and deletion < creation:
        raise ValueError(f"deletion_time {deletion} is before creation_time {creation}")
    gpus, gpu_milli = _amount(row, "num_gpu"), _amount(row, "gpu_milli")
    if gpus and not 0 < gpu_milli <= WHOLE_GPU:
        raise ValueError(f"gpu_milli {gpu_milli} is not within 1 to {WHOLE_GPU}")
    return Pod(
        name=_name(row, "name"),
        cpu_milli=_amount(row, "cpu_milli"),
        memory_mib=_amount(row, "memory_mib"),
        gpus=gpus,
        gpu_milli=gpu_milli,
        # Some rows of the trace name a model twice.
        models=tuple(dict.fromkeys(filter(None, row["gpu_spec"].split("|")))),
        qos=row["qos"] or "none",
        creation_seconds=creation,
        deletion_seconds=deletion,
    )


def _name(row: Row, column: str) -> str:
    if not row[column]:
        raise ValueError(f"{column} is empty")
    return row[column]


def _amount(row: Row, column: str) -> int:
    try:
        amount = int(row[column])
    except ValueError:
        raise ValueError(f"{column} {row[column]!r} is not a whole number") from None
    if amount < 0:
        raise ValueError(f"{column} {amount} is negative")
    return amount
