"""From a line of a statement to a row of FOCUS: every choice of docs/focus.md is made here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal

from domain.period import Period
from scripts.cli.client import Body

Row = dict[str, str | None]
"""As CSV has it: None where there is nothing to tell."""
Category = tuple[str, str]
"""ServiceCategory and ServiceSubcategory."""

COMPUTE = ("Compute", "Virtual Machines")
OTHER = ("Other", "Other (Other)")
CATEGORIES: dict[str, Category] = {
    "VCPU": COMPUTE,
    "PCPU": COMPUTE,
    "MEMORY_MB": COMPUTE,
    "PGPU": COMPUTE,
    "VGPU": COMPUTE,
    "DISK_GB": ("Storage", "Block Storage"),
    "IPV4_ADDRESS": ("Networking", "Network Connectivity"),
    "SRIOV_NET_VF": ("Networking", "Network Infrastructure"),
    "NET_BW_EGR_KILOBIT_PER_SEC": ("Networking", "Network Infrastructure"),
    "NET_BW_IGR_KILOBIT_PER_SEC": ("Networking", "Network Infrastructure"),
}
"""By resource class; classes of a cloud's own are `OTHER` unless it says better."""
SERVICE_CATEGORIES = (
    *("AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases"),
    *("Developer Tools", "Identity", "Integration", "Internet of Things"),
    *("Management and Governance", "Media", "Migration", "Mobile", "Multicloud", "Networking"),
    *("Other", "Security", "Storage", "Web"),
)
FLAVOR = "flavor "
EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Cloud:
    """What the ledger does not know: who provides the cloud, and what its own classes are."""

    provider_name: str
    categories: Mapping[str, Category]

    def category_of(self, resource: str) -> Category:
        """Of a resource class or of `flavor NAME`."""
        known = COMPUTE if resource.startswith(FLAVOR) else CATEGORIES.get(resource, OTHER)
        return self.categories.get(resource, known)


@dataclass(frozen=True, slots=True)
class Charged:
    """A bill as a whole: what is the same in all rows of its lines.

    `number` counts the charges of a closed statement; 0 is one that is not closed. `amounts` are
    the sizes of the units that prices are for, by the prices' names.
    """

    statement: Body
    period: Period
    number: int
    reason: str | None
    digest: str
    cloud: Cloud
    amounts: Mapping[str, int]
    names: Mapping[str, str]

    @property
    def key(self) -> str:
        told = self.statement
        parts = (told["price_book"], told["project_id"], told["period"], str(self.number))
        return "/".join(parts)


def row_of(charged: Charged, line: Body) -> Row:
    """What is charged for the line; in a correction, what is charged anew."""
    return _row(charged, line, 1) | {"x_ChargeKey": f"{charged.key}/{line['number']}"}


def credit_of(charged: Charged, line: Body, before: Charged) -> Row:
    """What a correction takes back: a line of the charge before, with all amounts below zero."""
    return _row(charged, line, -1) | {
        "x_ChargeKey": f"{charged.key}/credit/{line['number']}",
        "x_CreditOf": f"{before.key}/{line['number']}",
    }


def _row(charged: Charged, line: Body, sign: int) -> Row:
    return (
        _who(charged)
        | _when(charged, line)
        | _what(charged, line, sign)
        | _costs(charged, line, sign)
        | _evidence(charged, line)
    )


def _who(charged: Charged) -> Row:
    project = charged.statement["project_id"]
    return {
        "BillingAccountId": project,
        "BillingAccountName": project,
        "HostProviderName": charged.cloud.provider_name,
        "InvoiceIssuerName": charged.cloud.provider_name,
        "ServiceProviderName": charged.cloud.provider_name,
    }


def _when(charged: Charged, line: Body) -> Row:
    return {
        "BillingPeriodStart": _moment(charged.period.start),
        "BillingPeriodEnd": _moment(charged.period.end),
        "ChargePeriodStart": line["from_at"],
        "ChargePeriodEnd": line["to_at"],
    }


def _what(charged: Charged, line: Body, sign: int) -> Row:
    is_hold = line["status"] == "hold"
    category, subcategory = charged.cloud.category_of(line["resource"])
    return {
        "ChargeCategory": "Usage",
        "ChargeClass": "Correction" if charged.number > 1 else None,
        "ChargeDescription": _described(charged, line, sign),
        "ChargeFrequency": "Usage-Based",
        "PricingCategory": "Standard",
        # A hold keeps capacity for somebody who does not use it yet.
        "CapacityReservationId": line["consumer_id"] if is_hold else None,
        "CapacityReservationStatus": "Unused" if is_hold else None,
        "ResourceId": line["consumer_id"],
        "ServiceCategory": category,
        "ServiceSubcategory": subcategory,
        "ServiceName": line["resource"],
    }


def _described(charged: Charged, line: Body, sign: int) -> str:
    unit = f" {line['unit']}" if line["unit"] else ""
    what = f"{line['amount_held']:,} {line['resource']}{unit}, {line['status']}, {line['price']}"
    if charged.number < 2:
        return what
    return f"{what}: {'charged anew' if sign > 0 else 'credited'}, {charged.reason}"


def _costs(charged: Charged, line: Body, sign: int) -> Row:
    """Costs before rounding are of the told quantity, so that they are exactly its product."""
    told = charged.statement
    quantity, price = sign * Decimal(line["quantity"]), Decimal(line["unit_price"])
    size = charged.amounts[line["price"]]
    resource = "Flavor" if line["resource"].startswith(FLAVOR) else line["resource"]
    time = f"{line['per'].capitalize()}s"
    billed, cost = _plain(sign * Decimal(line["amount"])), _plain(EXACT.multiply(quantity, price))
    book = f"{told['price_book']}/{line['price']}"
    return {
        "BillingCurrency": told["currency"],
        "BilledCost": billed,
        "EffectiveCost": billed,
        "ListCost": cost,
        "ContractedCost": cost,
        "ListUnitPrice": line["unit_price"],
        "ContractedUnitPrice": line["unit_price"],
        "PricingQuantity": _plain(quantity),
        "PricingUnit": f"{resource}-{time}" if size == 1 else f"{size} {resource}-{time}",
        "ConsumedQuantity": _plain(quantity * size),
        "ConsumedUnit": f"{resource}-{time}",
        "SkuId": book,
        "SkuMeter": line["price"],
        "SkuPriceId": f"{book}/{told['price_book_number']}/{line['unit_price']}",
        "SkuPriceDetails": json.dumps({"x_Per": line["per"], "x_Amount": size}),
    }


def _evidence(charged: Charged, line: Body) -> Row:
    told = charged.statement
    sealed = told["checkpoint"]
    return {
        "x_ChargeNumber": str(charged.number) if charged.number else None,
        "x_CheckpointRoot": sealed["root"] if sealed else None,
        "x_CheckpointSize": str(sealed["size"]) if sealed else None,
        "x_ClaimPosition": str(line["position"]),
        "x_CreditOf": None,
        "x_LineNumber": str(line["number"]),
        "x_PriceBook": told["price_book"],
        "x_PriceBookNumber": str(told["price_book_number"]),
        "x_ProviderId": line["provider_id"],
        "x_ProviderName": charged.names.get(line["provider_id"]),
        "x_StatementDigest": charged.digest,
        "x_StatementPosition": str(told["position"]),
        "x_StatementState": told["state"],
        "x_Unit": line["unit"],
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _plain(number: Decimal) -> str:
    """Never in E notation."""
    return f"{number:f}"
