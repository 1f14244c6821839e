"""Which providers a list is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from api.placement.call import Call
from api.placement.faults import Fault
from api.placement.query_values import Names, read_member_of, read_resources, read_traits
from api.placement.schemas import DASHED_UUID, TEXT, Schema, a_record, check_query
from domain.books import Books
from domain.catalog import NameReservation, ResourceClass, Trait
from projections.live_capacity import LiveCapacity
from projections.live_filters import ProviderFilter, matching

_FILTERS: dict[int, dict[str, Any]] = {
    0: {"name": TEXT, "uuid": DASHED_UUID},
    3: {"member_of": TEXT},
    4: {"resources": TEXT},
    14: {"in_tree": DASHED_UUID},
    18: {"required": TEXT},
}


def _filters(minor: int) -> dict[str, Any]:
    known = [some for since, some in _FILTERS.items() if since <= minor]
    return {name: rules for some in known for name, rules in some.items()}


BY_NAME = {"name", "required", "resources"}
"""What names something that is looked up first."""
LISTS = {since: Schema(a_record((), **_filters(since))) for since in _FILTERS}
"""What a list may be asked for, since which microversion."""


def read_filter(call: Call) -> ProviderFilter:
    """Raises a Fault (400). Which name is asked for, `of_name` looks up."""
    check_query(call, LISTS[max(since for since in LISTS if since <= call.minor)])
    groups = read_member_of(call.all("member_of"), call.minor)
    traits = read_traits(call.all("required"), call.minor) if call.all("required") else Names()
    resources = call.last("resources")
    return ProviderFilter(
        provider_id=call.last("uuid"),
        in_tree=call.last("in_tree"),
        resources={} if resources is None else read_resources(resources),
        any_of_traits=traits.required,
        forbidden_traits=traits.forbidden,
        any_of_groups=groups.required,
        forbidden_groups=groups.forbidden,
    )


def of_name(books: Books, wanted: ProviderFilter, name: str | None) -> ProviderFilter:
    """The one of that name; as in Placement, an empty one asks for none."""
    if not name:
        return wanted
    holder = books.get(NameReservation, name).provider_id
    is_wanted = holder is not None and wanted.provider_id in (None, holder)
    return replace(wanted, provider_id=holder if is_wanted else "")


class Hurdle(NamedTuple):
    """Something that is not known. It is an error if each of these conditions alone is met by some
    provider: Placement looks no further where one is met by none."""

    fault: Fault
    before: list[ProviderFilter]


def hurdle_in(books: Books, wanted: ProviderFilter) -> Hurdle | None:
    in_tree = [ProviderFilter(in_tree=wanted.in_tree)] if wanted.in_tree else []
    having = [ProviderFilter(any_of_traits=wanted.any_of_traits)] if wanted.any_of_traits else []
    member = [ProviderFilter(any_of_groups=wanted.any_of_groups)] if wanted.any_of_groups else []
    required = {name for some in wanted.any_of_traits for name in some}
    for traits, before in ((required, in_tree), (wanted.forbidden_traits, in_tree + having)):
        if unknown := sorted(name for name in traits if not books.get(Trait, name).known):
            detail = f"No such trait(s): {', '.join(unknown)}."
            fault = Fault(400, f'Invalid trait(s) in "required" parameter: {detail}')
            return Hurdle(fault, before)
    for name in wanted.resources:
        if not books.get(ResourceClass, name).known:
            detail = f"No such resource class {name}."
            fault = Fault(400, f"Invalid resource class in resources parameter: {detail}")
            return Hurdle(fault, in_tree + having + member)
    return None


def found(view: LiveCapacity, wanted: ProviderFilter, hurdle: Hurdle | None) -> list[int]:
    """The rows of all that match. Raises the hurdle's fault (400)."""
    if hurdle is None:
        return matching(view, wanted)
    if all(matching(view, condition) for condition in hurdle.before):
        raise hurdle.fault
    return []
