"""The columns of a FOCUS Cost and Usage dataset, version 1.4, that Tallystick can tell.

docs/focus.md says what each of them is taken from, and which others are left out.
"""

FOCUS_VERSION = "1.4"
DECIMALS = {
    "BilledCost": 4,
    "ConsumedQuantity": 9,
    "ContractedCost": 21,
    "ContractedUnitPrice": 12,
    "EffectiveCost": 4,
    "ListCost": 21,
    "ListUnitPrice": 12,
    "PricingQuantity": 9,
}
"""Digits after the point: as many as a currency, a price book, a told quantity, and their product
can have."""
MOMENTS = ("BillingPeriodEnd", "BillingPeriodStart", "ChargePeriodEnd", "ChargePeriodStart")
WHOLE = (
    "x_ChargeNumber",
    "x_LineNumber",
    "x_PriceBookNumber",
    "x_ClaimPosition",
    "x_StatementPosition",
    "x_CheckpointSize",
)
COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ResourceId",
    "ServiceCategory",
    "ServiceName",
    "ServiceProviderName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "x_ChargeKey",
    "x_ChargeNumber",
    "x_CheckpointRoot",
    "x_CheckpointSize",
    "x_ClaimPosition",
    "x_CreditOf",
    "x_LineNumber",
    "x_PriceBook",
    "x_PriceBookNumber",
    "x_ProviderId",
    "x_ProviderName",
    "x_StatementDigest",
    "x_StatementPosition",
    "x_StatementState",
    "x_Unit",
)
