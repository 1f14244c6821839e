"""The tables of the claims projection: what each consumer held, since when and until when.

Intervals as in `capacity_tables.py`: a held claim's `to_at` is its deadline from the start.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

from projections.bulk import LOOKED_UP, POSITION, Rows

metadata = MetaData()

claims = Table(
    "claims",
    metadata,
    Column("from_position", POSITION, primary_key=True, autoincrement=False),
    Column("to_position", BigInteger),
    Column("from_at", BigInteger, nullable=False),
    Column("to_at", BigInteger),
    Column("consumer_id", Text, nullable=False),
    Column("consumer_type", Text, nullable=False),
    Column("project_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("status", Text, nullable=False, doc="held or active"),
    Column("hold_until", BigInteger),
    Column("version", BigInteger, nullable=False, doc="the stream's, as the interval starts"),
    Column("ended_version", BigInteger, doc="the stream's, as the interval ended"),
    Column("shares", Text, nullable=False, doc="JSON"),
)
Index("claims_by_consumer", claims.c.consumer_id, claims.c.from_position, info=LOOKED_UP)
Index("claims_by_project", claims.c.project_id, claims.c.to_at)
Index("claims_by_user", claims.c.user_id, claims.c.to_at)

claim_providers = Table(
    "claim_providers",
    metadata,
    Column("provider_id", Text, primary_key=True),
    Column("from_position", BigInteger, primary_key=True, doc="of the claim's interval"),
)


@dataclass(slots=True)
class ClaimInterval:
    from_position: int
    to_position: int | None
    from_at: int
    to_at: int | None
    consumer_id: str
    consumer_type: str
    project_id: str
    user_id: str
    request_id: str
    status: str
    hold_until: int | None
    version: int
    ended_version: int | None
    shares: str


@dataclass(slots=True)
class ClaimProvider:
    provider_id: str
    from_position: int


CLAIMS = Rows(claims, ClaimInterval, changing=("to_position", "to_at", "ended_version"))
CLAIM_PROVIDERS = Rows(claim_providers, ClaimProvider)
