"""Currencies by their ISO 4217 codes: how many decimals an amount of each is told with."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

USUAL_SCALE = 2
WITHOUT_DECIMALS = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
SCALES = {
    **dict.fromkeys(WITHOUT_DECIMALS, 0),
    **dict.fromkeys(THOUSANDTHS, 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""The currencies whose smallest unit is not a hundredth."""


def scale_of(currency: str) -> int:
    """Decimals of the currency's smallest unit: 2 for EUR, 0 for JPY."""
    return SCALES.get(currency, USUAL_SCALE)
