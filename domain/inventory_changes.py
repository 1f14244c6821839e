"""What of a provider's inventories may not be taken away, as somebody has it."""

from __future__ import annotations

from collections.abc import Mapping

from domain.errors import Conflict
from domain.inventory import DiscreteInventory, DivisibleInventory, Inventories

Changes = Mapping[str, DivisibleInventory | DiscreteInventory | None]
"""By class; None removes it."""


def require_not_in_use(
    provider_id: str,
    inventories: Inventories,
    changes: Changes,
    usage: Mapping[str, int],
    unit_usage: Mapping[str, Mapping[str, int]],
) -> None:
    """Raises Conflict if a class in use would go or change its kind, or a unit in use would go."""
    used = {name: after for name, after in changes.items() if usage.get(name, 0)}
    if gone := [name for name, after in used.items() if after is None]:
        amounts = ", ".join(f"{usage[name]} of {name}" for name in gone)
        raise Conflict(
            "inventory_in_use",
            f"{amounts} on provider {provider_id} is in use",
            resource_classes=[*gone],
        )
    for name, after in used.items():
        before = inventories.get(name)
        assert after is not None
        if before is not None and before.kind != after.kind:
            raise Conflict(
                "inventory_in_use", f"{name} is in use, so it cannot become {after.kind}"
            )
        if isinstance(after, DiscreteInventory):
            _require_units(provider_id, name, after, unit_usage.get(name, {}))


def _require_units(
    provider_id: str, name: str, after: DiscreteInventory, used: Mapping[str, int]
) -> None:
    left = {unit.name for unit in after.units}
    gone = sorted(unit for unit, amount in used.items() if amount and unit not in left)
    if gone:
        raise Conflict(
            "inventory_in_use",
            f"units {', '.join(gone)} of {name} on provider {provider_id} are in use",
        )
