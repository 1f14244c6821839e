"""The one list of the read models that follow the log."""

from __future__ import annotations

from functools import cache

from projections.capacity_projection import CapacityProjection
from projections.catalog import CatalogProjection
from projections.claims_projection import ClaimsProjection
from projections.history_projection import HistoryProjection
from projections.price_books import PriceBooksProjection
from projections.projection import Projection
from projections.requests_projection import RequestsProjection
from projections.statements import StatementsProjection


@cache
def projections() -> tuple[Projection, ...]:
    return (
        CapacityProjection(),
        ClaimsProjection(),
        RequestsProjection(),
        HistoryProjection(),
        CatalogProjection(),
        PriceBooksProjection(),
        StatementsProjection(),
    )
