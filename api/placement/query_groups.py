"""What candidates are asked for: the query string as groups and the rules between them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from api.placement.call import Call
from api.placement.faults import (
    QUERY_BAD_VALUE,
    QUERY_DUPLICATE_KEY,
    QUERY_MISSING_VALUE,
    Fault,
)
from api.placement.query_values import (
    BAD,
    SINCE_FORBIDDEN_TRAITS,
    Names,
    read_member_of,
    read_resources,
    read_traits,
)
from api.placement.schemas import TEXT, Schema, a_record, check_query, dashed, is_uuid
from projections.candidate_groups import CandidateQuery, RequestGroup

SINCE_LIMIT, SINCE_TRAITS, SINCE_MEMBER_OF, SINCE_GROUPS = 16, 17, 21, 25
SINCE_TREES, SINCE_IN_TREE, SINCE_SUFFIXES = 29, 31, 33
SINCE_ROOT_REQUIRED, SINCE_SAME_SUBTREE = 35, 36
NUMBERS, SUFFIXES = "[1-9][0-9]*", "[a-zA-Z0-9_-]{1,64}"


@cache
def _schema(minor: int) -> Schema:
    properties: dict[str, Any] = {}
    if minor >= SINCE_LIMIT:
        properties["limit"] = {"type": "string", "pattern": "^[1-9][0-9]*$", "minLength": 1}
    if minor >= SINCE_ROOT_REQUIRED:
        properties["root_required"] = TEXT
    if minor >= SINCE_SAME_SUBTREE:
        properties["same_subtree"] = TEXT
    if minor < SINCE_GROUPS:
        for since, name in ((SINCE_TRAITS, "required"), (SINCE_MEMBER_OF, "member_of")):
            if minor >= since:
                properties[name] = TEXT
        return Schema(a_record(("resources",), resources=TEXT, **properties))
    properties["group_policy"] = {"type": "string", "enum": ["none", "isolate"]}
    names = ["resources", "required", "member_of"]
    names += ["in_tree"] if minor >= SINCE_IN_TREE else []
    suffix = SUFFIXES if minor >= SINCE_SUFFIXES else NUMBERS
    rules = a_record((), **properties)
    rules["patternProperties"] = {f"^{name}({suffix})?$": TEXT for name in names}
    return Schema(rules)


@cache
def _key(minor: int) -> re.Pattern[str]:
    suffix = SUFFIXES if minor >= SINCE_SUFFIXES else NUMBERS
    return re.compile(f"^(?:resources|required|member_of|in_tree)({suffix})?$")


def read_query(call: Call) -> tuple[CandidateQuery, int | None]:
    """The query, and its limit. Raises a Fault (400)."""
    check_query(call, _schema(call.minor))
    limit = call.all("limit")
    policy = next(iter(call.all("group_policy")), None)
    root = _root_traits(call)
    subtrees = [_suffixes(value) for value in call.all("same_subtree")]
    groups = {suffix: _group(call, suffix) for suffix in _all_suffixes(call)}
    if call.minor >= SINCE_SAME_SUBTREE:
        _check_subtrees(groups, {suffix for some in subtrees for suffix in some})
    else:
        _check_orphans(groups)
    if call.minor >= SINCE_FORBIDDEN_TRAITS:
        _check_contradictions(groups)
    if policy is None and sum(group.is_granular for group in groups.values()) > 1:
        raise Fault(
            400,
            'The "group_policy" parameter is required when specifying more than one '
            '"resources{N}" parameter.',
        )
    query = CandidateQuery(
        groups=tuple(groups.values()),
        isolate=policy == "isolate",
        same_subtree=tuple(subtrees),
        root_required=sorted(name for names in root.required for name in names),
        root_forbidden=sorted(root.forbidden),
        nested=call.minor >= SINCE_TREES,
    )
    return query, int(limit[0]) if limit else None


def _all_suffixes(call: Call) -> list[str]:
    """In the order in which the query names them."""
    found = (_key(call.minor).match(name) for name, _ in call.query)
    return list(dict.fromkeys(match.group(1) or "" for match in found if match is not None))


def _group(call: Call, suffix: str) -> RequestGroup:
    resources = [read_resources(value) for value in call.all(f"resources{suffix}")]
    required = call.all(f"required{suffix}")
    traits = read_traits(required, call.minor) if required else Names()
    groups = read_member_of(call.all(f"member_of{suffix}"), call.minor, suffix)
    in_tree = [_tree(value) for value in call.all(f"in_tree{suffix}")]
    return RequestGroup(
        suffix=suffix,
        resources=resources[-1] if resources else {},
        required_traits=traits.required,
        forbidden_traits=traits.forbidden,
        member_of=groups.required,
        not_member_of=groups.forbidden,
        in_tree=in_tree[-1] if in_tree else None,
    )


def _tree(value: str) -> str:
    text = value.strip()
    if not is_uuid(text):
        detail = f"Expected 'in_tree' parameter to be a format of uuid. Got: {value}"
        raise Fault(400, f"{BAD}{detail}")
    return dashed(text)


def _root_traits(call: Call) -> Names:
    values = call.all("root_required")
    if not values:
        return Names()
    if len(values) > 1:
        detail = "Query parameter 'root_required' may be specified only once."
        raise Fault(400, detail, QUERY_DUPLICATE_KEY)
    # Any-of traits are not for roots, at whatever microversion.
    names = read_traits(values, SINCE_FORBIDDEN_TRAITS)
    both = sorted({name for some in names.required for name in some} & names.forbidden)
    if both:
        detail = "Conflicting required and forbidden traits found in root_required: "
        raise Fault(400, f"{detail}{', '.join(both)}", QUERY_BAD_VALUE)
    return names


def _suffixes(value: str) -> frozenset[str]:
    found = frozenset(part.strip() for part in value.split(","))
    if "" in found:
        detail = "Empty string (unsuffixed group) can not be specified in `same_subtree` "
        raise Fault(400, detail, QUERY_BAD_VALUE)
    return found


# --- Whether the groups go together ---------------------------------------------------------------


def _check_subtrees(groups: dict[str, RequestGroup], named: set[str]) -> None:
    without = [suffix for suffix, group in groups.items() if not group.resources]
    if len(without) == len(groups):
        detail = "There must be at least one resources or resources[$S] parameter."
        raise Fault(400, detail, QUERY_MISSING_VALUE)
    if bad := [suffix for suffix in without if suffix not in named]:
        detail = "Resourceless suffixed group request should be specified in `same_subtree` query "
        raise Fault(400, f"{detail}param: bad group(s) - {bad}.", QUERY_BAD_VALUE)
    if bad := sorted(suffix for suffix in named if suffix not in groups):
        detail = f"Real suffixes should be specified in `same_subtree`: {bad} not found in "
        raise Fault(400, f"{detail}{list(groups)}.", QUERY_BAD_VALUE)


def _check_orphans(groups: dict[str, RequestGroup]) -> None:
    empty = [group for group in groups.values() if not group.resources]
    if bad := [f"required{group.suffix}" for group in empty if group.required_traits]:
        detail = "All traits parameters must be associated with resources.  Found the following "
        raise Fault(400, f"{detail}orphaned traits keys: {', '.join(bad)}")
    if bad := [f"member_of{g.suffix}" for g in empty if g.member_of or g.not_member_of]:
        detail = "All member_of parameters must be associated with resources. Found the following "
        raise Fault(400, f"{detail}orphaned member_of keys: {', '.join(bad)}")
    if empty:
        raise Fault(400, "All request groups must specify resources.")
    if not groups:
        detail = "At least one request group (`resources` or `resources{$S}`) is required."
        raise Fault(400, detail)


def _check_contradictions(groups: dict[str, RequestGroup]) -> None:
    bad = sorted(
        f"required{group.suffix}: ({', '.join(sorted(names))})"
        for group in groups.values()
        for names in group.required_traits
        if set(names) <= set(group.forbidden_traits)
    )
    if bad:
        detail = "Conflicting required and forbidden traits found in the following traits keys: "
        raise Fault(400, f"{detail}{', '.join(bad)}")
