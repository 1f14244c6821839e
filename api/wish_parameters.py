"""A plain wish as parameters of a query: amounts, units, a flavor, and where it may go."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import ValidationError

from api.identities import ProviderId
from api.problems import BadCall, faults_of, sentence_of
from api.wishes import WishBody
from domain.values import FlavorName
from domain.wish import LARGEST_SEED, Policy

Listed = r"^[^,]+(,[^,]+)*$"


def asked_wish(
    *,
    resources: Annotated[
        str | None,
        Query(description="Amounts by class.", examples=["VCPU:4,MEMORY_MB:8192"]),
    ] = None,
    units: Annotated[
        list[str] | None,
        Query(
            description="Units of a discrete class, how many and perhaps how much of each; may be "
            "repeated.",
            examples=[["PGPU:2", "PGPU:1:500"]],
        ),
    ] = None,
    flavor: Annotated[FlavorName | None, Query(description="A flavor.")] = None,
    required_traits: Annotated[str | None, Query(pattern=Listed, description="A,B,…")] = None,
    forbidden_traits: Annotated[str | None, Query(pattern=Listed, description="A,B,…")] = None,
    member_of: Annotated[
        list[str] | None,
        Query(description="Groups, G,H,…: in one of them; may be repeated: in one of each."),
    ] = None,
    not_member_of: Annotated[str | None, Query(pattern=Listed, description="G,H,…")] = None,
    within: Annotated[
        ProviderId | None, Query(description="Only this provider and those below it.")
    ] = None,
    in_tree: Annotated[
        ProviderId | None, Query(description="Only its tree, and what shares with it.")
    ] = None,
    policy: Annotated[
        Policy | None, Query(description="Which ones first; else as the service is set.")
    ] = None,
    among: Annotated[int, Query(ge=1, le=64, description="So many first ones by chance.")] = 1,
    seed: Annotated[int | None, Query(ge=0, le=LARGEST_SEED, description="Of that chance.")] = None,
) -> WishBody:
    """Raises BadCall."""
    components: list[dict[str, Any]] = []
    if resources:
        components.append({"kind": "amounts", "resources": _amounts(resources)})
    components += [_units(one) for one in units or ()]
    if flavor:
        components.append({"kind": "flavor", "name": flavor})
    facts: dict[str, Any] = {
        "components": components,
        "required_traits": _listed(required_traits),
        "forbidden_traits": _listed(forbidden_traits),
        "member_of": [_listed(one) for one in member_of or ()],
        "not_member_of": _listed(not_member_of),
        "within": within,
        "in_tree": in_tree,
        "preference": {"policy": policy, "among": among, "seed": seed},
    }
    try:
        return WishBody.model_validate(facts)
    except ValidationError as wrong:
        errors = wrong.errors(include_url=False, include_context=False, include_input=False)
        where = ".".join(str(part) for part in errors[0]["loc"])
        raise BadCall(
            "invalid_parameter", f"{where}: {sentence_of(errors[0])}", errors=faults_of(errors)
        ) from wrong


AskedWish = Annotated[WishBody, Depends(asked_wish)]


def _listed(text: str | None) -> list[str]:
    return [] if text is None else text.split(",")


def _amounts(text: str) -> dict[str, int]:
    return dict(_numbered(one, "CLASS:AMOUNT") for one in text.split(","))


def _numbered(text: str, form: str) -> tuple[str, int]:
    name, _, number = text.partition(":")
    if not (number.isascii() and number.isdigit()) or len(number) > 10:
        raise BadCall("invalid_parameter", f"{text!r} is not of the form {form}")
    return name, int(number)


def _units(text: str) -> dict[str, Any]:
    name, _, rest = text.partition(":")
    count, _, amount = rest.partition(":")
    facts: dict[str, Any] = {"kind": "units", "resource_class": name}
    facts["count"] = _numbered(f"{name}:{count}", "CLASS:COUNT[:AMOUNT]")[1]
    if amount:
        facts["amount"] = _numbered(f"{name}:{amount}", "CLASS:COUNT[:AMOUNT]")[1]
    return facts
