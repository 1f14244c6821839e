"""What Placement calls an error: a status, a sentence, and from 1.23 on a code.

Handlers raise, and never catch. The one table below says what the ledger's own errors are here.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.errors import LedgerError

UNDEFINED = "placement.undefined_code"
CONCURRENT_UPDATE = "placement.concurrent_update"
DUPLICATE_NAME = "placement.duplicate_name"
INVENTORY_IN_USE = "placement.inventory.inuse"
PROVIDER_IN_USE = "placement.resource_provider.inuse"
CANNOT_DELETE_PARENT = "placement.resource_provider.cannot_delete_parent"
PROVIDER_NOT_FOUND = "placement.resource_provider.not_found"
QUERY_DUPLICATE_KEY = "placement.query.duplicate_key"
QUERY_BAD_VALUE = "placement.query.bad_value"
QUERY_MISSING_VALUE = "placement.query.missing_value"


class Fault(LedgerError):
    """An answer that is an error. `detail` is a sentence for people.

    A use case may raise it, too, before it records anything. One that leaves the handler, as
    Placement has it, is told without the header `vary`.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        code: str = UNDEFINED,
        *,
        headers: Mapping[str, str] | None = None,
        leaves_handler: bool = False,
    ) -> None:
        super().__init__(code, detail)
        self.status = status
        self.headers = headers or {}
        self.leaves_handler = leaves_handler


LEDGER_ERRORS: dict[str, tuple[int, str]] = {
    "claim_not_found": (404, UNDEFINED),
    "duplicate_name": (409, DUPLICATE_NAME),
    "inventory_in_use": (409, INVENTORY_IN_USE),
    "provider_exists": (409, DUPLICATE_NAME),
    "provider_has_children": (409, CANNOT_DELETE_PARENT),
    "provider_in_use": (409, PROVIDER_IN_USE),
    "provider_not_found": (404, UNDEFINED),
    "request_too_large": (400, UNDEFINED),
    "stale_consumer_generation": (409, CONCURRENT_UPDATE),
    "stale_generation": (409, CONCURRENT_UPDATE),
    "tree_loop": (400, UNDEFINED),
    "unknown_provider": (400, UNDEFINED),
    "unknown_resource_class": (400, UNDEFINED),
    "unknown_trait": (400, UNDEFINED),
}
"""By the code of a `LedgerError`. What is not here is a conflict."""


def fault_of(error: LedgerError) -> Fault:
    status, code = LEDGER_ERRORS.get(error.code, (409, UNDEFINED))
    return Fault(status, error.detail, code, leaves_handler=status == 404)
