"""The one table of what Placement answers: path, method, since which microversion, by whom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from api.placement.call import Answer, Call
from api.placement.faults import Fault

Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Route:
    """`rule` is the policy that decides who may call it, named as Placement names its own:
    `placement:resource_providers:list`; None: everybody."""

    handler: Handler
    rule: str | None
    since: int = 0
    too_early: int = 404
    """What a call below that version is answered."""
    reads_json: bool = False
    shows_json: bool = False


Routes = Mapping[str, Mapping[str, Route]]
"""By path and method. A path's variables are in braces."""


@dataclass(slots=True)
class _Place:
    """One segment of a path: what may follow it, and what is here."""

    fixed: dict[str, _Place] = field(default_factory=dict)
    variable: _Place | None = None
    names: tuple[str, ...] = ()
    methods: dict[str, Route] = field(default_factory=dict)


class RouteTable:
    """Finds a route in as many steps as the path has segments."""

    def __init__(self, tables: Iterable[Routes]) -> None:
        self._root = _Place()
        for table in tables:
            for path, methods in table.items():
                self._add(path, methods)

    def find(self, method: str, path: str, minor: int) -> tuple[Route, dict[str, str]]:
        """The route, and the values of its variables. Raises a Fault (404, 405)."""
        place, values = self._root, []
        for segment in path.split("/")[1:] if path not in ("", "/") else ():
            following = place.fixed.get(segment)
            if following is None:
                following = place.variable if segment else None
                values.append(segment)
            if following is None:
                raise _nothing_here()
            place = following
        if not place.methods:
            raise _nothing_here()
        route = place.methods.get(method)
        if route is None:
            allow = {"allow": ", ".join(place.methods)}
            detail = f"The method {method} is not allowed for this resource."
            raise Fault(405, detail, headers=allow)
        if minor < route.since:
            raise Fault(route.too_early, "The resource could not be found.")
        return route, dict(zip(place.names, values, strict=True))

    def _add(self, path: str, methods: Mapping[str, Route]) -> None:
        place, names = self._root, []
        for segment in path.split("/")[1:] if path != "/" else ():
            if segment.startswith("{"):
                names.append(segment.strip("{}"))
                place.variable = place.variable or _Place()
                place = place.variable
            else:
                place = place.fixed.setdefault(segment, _Place())
        place.names = tuple(names)
        place.methods.update(methods)


def _nothing_here() -> Fault:
    return Fault(404, "The resource could not be found.", leaves_handler=True)
