"""What query parameters say: amounts of resources, traits, aggregates; by microversion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from api.placement.faults import Fault
from api.placement.schemas import dashed, is_uuid

SINCE_FORBIDDEN_TRAITS = 22
SINCE_REPEATED_MEMBER_OF = 24
SINCE_FORBIDDEN_AGGREGATES = 32
SINCE_ANY_TRAITS = 39
BAD = "Invalid query string parameters: "


@dataclass(slots=True)
class Names:
    """Of each set in `required` at least one, and none of `forbidden`."""

    required: list[frozenset[str]] = field(default_factory=list)
    forbidden: set[str] = field(default_factory=set)


def read_resources(text: str) -> dict[str, int]:
    """`CLASS:AMOUNT,…`"""
    form = (
        "Badly formed resources parameter. Expected resources query string parameter in form: "
        "?resources=VCPU:2,MEMORY_MB:1024. Got: "
    )
    if not text.strip():
        raise Fault(400, f"{form}empty string.")
    found: dict[str, int] = {}
    for pair in text.split(","):
        name, colon, amount = pair.partition(":")
        if not colon or ":" in amount:
            raise Fault(400, f"{form}{pair}.")
        found[name] = _amount(name, amount)
    return found


def _amount(name: str, text: str) -> int:
    try:
        amount = int(text)
    except ValueError:
        raise Fault(
            400, f"Requested resource {name} expected positive integer amount. Got: {text}."
        ) from None
    if amount < 1:
        raise Fault(400, f"Requested resource {name} requires amount >= 1. Got: {amount}.")
    return amount


def read_traits(values: Sequence[str], minor: int) -> Names:
    """Before 1.39 only the last one counts."""
    names = Names()
    for value in values if minor >= SINCE_ANY_TRAITS else values[-1:]:
        if value.startswith("in:"):
            names.required.append(_any_of_traits(value, minor))
        else:
            _add_traits(names, value, minor)
    return names


def _any_of_traits(value: str, minor: int) -> frozenset[str]:
    form = "in:HW_CPU_X86_VMX,CUSTOM_MAGIC"
    if minor < SINCE_ANY_TRAITS:
        detail = f"The format '{form}' only supported since microversion 1.39. Got: {value}"
        raise Fault(400, f"{BAD}{detail}")
    traits = frozenset(name.strip() for name in value[3:].split(","))
    if not all(traits):
        raise Fault(400, _empty_trait(form, value))
    if any(name.startswith("!") for name in traits):
        detail = f"The format '{form}' does not support forbidden traits. Got: {value}"
        raise Fault(400, f"{BAD}{detail}")
    return traits


def _add_traits(names: Names, value: str, minor: int) -> None:
    traits = [name.strip() for name in value.split(",")]
    # As in Placement, any number of exclamation marks forbids.
    forbidden = {name.lstrip("!") for name in traits if name.startswith("!")}
    may_forbid = minor >= SINCE_FORBIDDEN_TRAITS
    form = f"HW_CPU_X86_VMX,{'!' if may_forbid else ''}CUSTOM_MAGIC"
    if not all((*forbidden, *traits)):
        raise Fault(400, _empty_trait(form, value))
    if forbidden and not may_forbid:
        detail = f"Expected 'required' parameter value of the form: {form}. Got: {value}"
        raise Fault(400, f"{BAD}{detail}")
    names.required += [frozenset({name}) for name in traits if not name.startswith("!")]
    names.forbidden |= forbidden


def _empty_trait(form: str, value: str) -> str:
    return (
        f"{BAD}Expected 'required' parameter value of the form: {form}. "
        f"Got an empty trait in: {value}"
    )


def read_member_of(values: Sequence[str], minor: int, suffix: str = "") -> Names:
    """Aggregates, as UUIDs in lower case with dashes."""
    if len(values) > 1 and minor < SINCE_REPEATED_MEMBER_OF:
        raise Fault(400, f"Multiple member_of{suffix} parameters are not supported")
    names = Names()
    for value in values:
        required, forbidden = _member_of(value)
        if forbidden and minor < SINCE_FORBIDDEN_AGGREGATES:
            detail = f"Forbidden member_of{suffix} parameters are not supported"
            raise Fault(400, f"{detail} in the specified microversion")
        names.forbidden |= forbidden
        if required:
            names.required.append(required)
    return names


def _member_of(value: str) -> tuple[frozenset[str], frozenset[str]]:
    if "," in value and not value.startswith(("in:", "!in:")):
        raise Fault(
            400,
            "Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword "
            f"using the valid microversion. Got: {value}",
        )
    if value.startswith("!in:"):
        return frozenset(), _aggregates(value[4:].split(","))
    if value.startswith("!"):
        return frozenset(), _aggregates([value[1:]])
    return _aggregates(value.removeprefix("in:").split(",")), frozenset()


def _aggregates(texts: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for text in texts:
        if not is_uuid(text):
            detail = f"Expected 'member_of' parameter to contain valid UUID(s). Got: {text}"
            raise Fault(400, f"{BAD}{detail}")
        found.add(dashed(text))
    return frozenset(found)
