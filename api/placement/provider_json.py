"""How providers are told. JSON at once, as a list may have a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from pydantic_core import to_json

from api.placement.call import Call
from projections.provider_lines import ProviderLine

SINCE_TREES = 14
RELATED = ((0, "inventories"), (0, "usages"), (1, "aggregates"), (6, "traits"), (11, "allocations"))
"""What a provider links to, since which microversion."""

_ID = b"\0"
"""Where the id belongs: in JSON there is no such byte."""


def provider_json(call: Call, line: ProviderLine) -> bytes:
    return providers_json(call, [line])


def providers_json(call: Call, lines: Iterable[ProviderLine]) -> bytes:
    """One after the other, by comma."""
    links, in_tree = _links(call.prefix, call.minor), call.minor >= SINCE_TREES
    return b",".join([_told(links, line, in_tree=in_tree) for line in lines])


def _told(links: bytes, line: ProviderLine, *, in_tree: bool) -> bytes:
    provider_id, name, generation, parent_id, root_id = line
    id = provider_id.encode()
    told = b'{"uuid":"%b","name":%b,"generation":%d,"links":[%b]' % (
        id,
        to_json(name),
        generation,
        links.replace(_ID, id),
    )
    if not in_tree:
        return told + b"}"
    return b'%b,"parent_provider_uuid":%b,"root_provider_uuid":"%b"}' % (
        told,
        b"null" if parent_id is None else b'"%b"' % parent_id.encode(),
        root_id.encode(),
    )


@lru_cache
def _links(prefix: str, minor: int) -> bytes:
    url = f"{prefix}/resource_providers/{_ID.decode()}"
    links = [("self", url), *((rel, f"{url}/{rel}") for n, rel in RELATED if n <= minor)]
    return ",".join(f'{{"rel":"{rel}","href":"{href}"}}' for rel, href in links).encode()
