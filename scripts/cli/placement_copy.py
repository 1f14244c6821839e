"""Copies what one Placement has into another: what is there already is left as it is.

Each step reads what the target has and writes only what differs. So a copy that broke off goes on
where it was when it is started again, and nothing is doubled.
"""

from collections.abc import Callable, Iterator, Sequence

from scripts.cli.placement_allocations import AllocationCopy
from scripts.cli.placement_client import Body, PlacementClient, Provider
from scripts.cli.placement_writes import Writes, together
from scripts.cli.progress import progress


class Copy:
    def __init__(
        self, source: PlacementClient, target: PlacementClient, *, prune: bool, dry_run: bool
    ) -> None:
        self._source = source
        self._target = target
        self._prune = prune
        self.writes = Writes(target, dry_run=dry_run)

    def run(self) -> None:
        self._catalogs()
        providers = self._source.providers()
        there = self._target.providers()
        copied = self._providers(providers, there)
        _each("describe", copied, lambda id: self._describe(id, is_new=id not in there))
        with AllocationCopy(self._source, self._target, self.writes) as allocations:
            _each(
                "allocations of providers",
                copied,
                lambda id: allocations.copy(id, prune=self._prune and id in there),
            )

    def _catalogs(self) -> None:
        for what, path in (("classes", "/resource_classes"), ("traits", "/traits")):
            names = getattr(self._source, what)() - getattr(self._target, what)()
            for name in sorted(names):
                self.writes.write(what, "PUT", f"{path}/{name}")

    def _providers(self, wanted: dict[str, Provider], there: dict[str, Provider]) -> list[str]:
        """The ids of those that the target has then."""
        copied: set[str] = set()

        def put(id: str) -> None:
            if self.writes.attempt(lambda: self._put(wanted[id], there.get(id))):
                copied.add(id)

        with progress("providers", len(wanted)) as advance:
            for level in _levels(wanted):
                together(level, put)
                advance(len(level))
        return [id for id in wanted if id in copied]

    def _put(self, one: Provider, known: Provider | None) -> None:
        body = {"name": one.name, "parent_provider_uuid": one.parent_id}
        if known is None:
            self.writes.write("providers", "POST", "/resource_providers", {**body, "uuid": one.id})
        elif known != one:
            self.writes.write("providers", "PUT", f"/resource_providers/{one.id}", body)

    def _describe(self, provider_id: str, *, is_new: bool) -> None:
        def describe() -> None:
            wanted = self._source.described(provider_id)
            nothing: Body = {"inventories": {}, "traits": [], "aggregates": []}
            there = nothing if is_new else self._target.described(provider_id)
            differ = {part: value for part, value in wanted.items() if there[part] != value}
            self.writes.replace(provider_id, differ)

        self.writes.attempt(describe)


def _levels(providers: dict[str, Provider]) -> Iterator[list[str]]:
    """Roots, then their children, and so on, a thousand at a time."""
    depths: dict[str, int] = {}
    for one in providers.values():
        depths[one.id] = 0 if one.parent_id is None else depths[one.parent_id] + 1
    for depth in range(max(depths.values(), default=-1) + 1):
        level = [id for id, its in depths.items() if its == depth]
        yield from (level[start : start + 1_000] for start in range(0, len(level), 1_000))


def _each(what: str, ids: Sequence[str], work: Callable[[str], None]) -> None:
    with progress(what, len(ids)) as advance:

        def step(id: str) -> None:
            work(id)
            advance()

        together(ids, step)
