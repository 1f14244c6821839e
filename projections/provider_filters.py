"""Which providers a list is about: by id, by name, by a trait, or all of a subtree."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Select, false, select

from projections.capacity_tables import counts_at, providers
from projections.schema_version import is_in, version_of


def matching_providers(
    moment: int | None,
    provider_id: str | None = None,
    in_tree: str | None = None,
    trait: str | None = None,
    name: str | None = None,
) -> list[ColumnElement[bool]]:
    """Conditions on the providers table for the rows that counted at a moment (None: now)."""
    conditions = [counts_at(providers, moment)]
    if provider_id is not None:
        conditions.append(providers.c.provider_id == provider_id)
    if name is not None:
        conditions.append(providers.c.name == name)
    if trait is not None:
        # The column is a JSON array of names that hold no quote, so a quoted name is one of them.
        conditions.append(providers.c.traits.contains(f'"{trait}"', autoescape=True))
    if in_tree is not None:
        conditions.append(providers.c.provider_id.in_(_subtree(in_tree, moment)))
    return conditions


def in_group(connection: Connection, group: str | None) -> list[ColumnElement[bool]]:
    """The condition that a provider is in a group, if one is named."""
    if group is None:
        return []
    if not is_in(providers.c.groups, version_of(connection)):
        return [false()]
    return [providers.c.groups.contains(f'"{group}"', autoescape=True)]


def _subtree(top: str, moment: int | None) -> Select[str]:
    """The ids of a provider and of all below it, as the trees were at that moment."""
    found = (
        select(providers.c.provider_id)
        .where(providers.c.provider_id == top, counts_at(providers, moment))
        .cte("subtree", recursive=True)
    )
    child = providers.alias("child")
    below = (
        select(child.c.provider_id)
        .join(found, child.c.parent_id == found.c.provider_id)
        .where(counts_at(child, moment))
    )
    # UNION, not UNION ALL: clocks of different streams may show a loop that never was.
    return select(found.union(below).c.provider_id)
