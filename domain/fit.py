"""The feasibility function: when an inventory can serve what is asked of it.

The conditions are written with operators that mean the same on integers and on NumPy arrays, so
that the search over columns and the decision on one aggregate cannot disagree: they are the same
lines. The codes below are what a refusal calls a condition that failed.
"""

from __future__ import annotations

from typing import Any

NO_INVENTORY = "no_inventory"
AMOUNT_NOT_ALLOWED = "amount_not_allowed"
SHORT_OF_CAPACITY = "short_of_capacity"
NO_MATCHING_UNIT = "no_matching_unit"
TOO_FEW_FREE_UNITS = "too_few_free_units"
MISSING_TRAIT = "missing_trait"
FORBIDDEN_TRAIT = "forbidden_trait"
NOT_IN_GROUP = "not_in_group"
IN_FORBIDDEN_GROUP = "in_forbidden_group"
OUTSIDE = "outside"
AFFINITY = "affinity"
ANTI_AFFINITY = "anti_affinity"
DOES_NOT_FIT_TOGETHER = "does_not_fit_together"
GANG_REFUSED = "gang_refused"


def amount_is_allowed(amount: int, min_unit: Any, max_unit: Any, step_size: Any) -> Any:
    """Placement's rule for what one claim may take of a divisible inventory."""
    return (min_unit <= amount) & (amount <= max_unit) & (amount % step_size == 0)


def has_room(amount: Any, capacity: Any, usage: Any) -> Any:
    """True where the amount fits into what is left. An inventory shrunk below its use has none."""
    return usage + amount <= capacity
