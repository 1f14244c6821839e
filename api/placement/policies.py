"""Who may call what: Placement's rules, in the old form and in the new one."""

from __future__ import annotations

from api.placement.faults import Fault
from api.placement.identity import Caller
from api.placement.options import PolicyName

TOTAL_USAGES = "placement:usages"
RESHAPE = "placement:reshaper:reshape"


def require_allowed(
    policy: PolicyName, rule: str, caller: Caller, project_id: str | None = None
) -> None:
    """Raises a Fault (403). `project_id` is whose usages are asked for."""
    if not _is_allowed(policy, rule, caller, project_id):
        raise Fault(403, f"Policy does not allow {rule} to be performed.", leaves_handler=True)


def _is_allowed(policy: PolicyName, rule: str, caller: Caller, project_id: str | None) -> bool:
    if policy == "everyone":
        return True
    if caller.is_system:
        # These rules are for tokens of projects.
        return False
    if "admin" in caller.roles and (policy == "legacy" or rule != RESHAPE):
        return True
    if "service" in caller.roles:
        return True
    return (
        rule == TOTAL_USAGES
        and "reader" in caller.roles
        and caller.project_id is not None
        and caller.project_id == project_id
    )
