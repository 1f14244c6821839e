"""Prices, books and what is held, made short: for tests of what is charged."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.allocation import Share
from domain.held import Held
from domain.price import ClassTarget, Price, Tier
from domain.price_book import Prices
from domain.times import to_micros

HOUR = 3_600 * 1_000_000
JANUARY = to_micros(datetime(2026, 1, 1, tzinfo=UTC))
FEBRUARY = to_micros(datetime(2026, 2, 1, tzinfo=UTC))
MARCH = to_micros(datetime(2026, 3, 1, tzinfo=UTC))


def book(*prices: Price, **facts: Any) -> Prices:
    return Prices(currency=facts.pop("currency", "EUR"), prices=prices, **facts)


def price(of: str = "VCPU", at: str = "0.10", per: Any = "hour", **facts: Any) -> Price:
    target = facts.pop("target", ClassTarget(resource_class=of))
    tiers = facts.pop("tiers", (Tier(price=Decimal(at)),))
    return Price(name=facts.pop("name", of), target=target, per=per, tiers=tiers, **facts)


def held(hours: float = 1, begins: float = 0, **facts: Any) -> Held:
    """So many hours of two VCPUs on one host, from so many hours after New Year."""
    from_at = JANUARY + round(begins * HOUR)
    values: dict[str, Any] = {
        "consumer_id": "web-1",
        "position": 1,
        "status": "claim",
        "claimed_at": from_at,
        "from_at": from_at,
        "to_at": from_at + round(hours * HOUR),
        "ends_claim": True,
        "shares": {"host": Share(resources={"VCPU": 2})},
    }
    return Held(**(values | facts))
