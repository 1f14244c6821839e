"""What projects held, put together from the read models as of a position of the log."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.concurrency import run_in_threadpool

from api.house import House
from domain.billing_time import Micros
from domain.held import Held
from projections.claims_tables import ClaimInterval
from projections.held import held_from, read_flavors, read_intervals, read_units


async def read_held(
    house: House, project_id: str, start: Micros, end: Micros, position: int
) -> list[Held]:
    """All that the project held in start <= time < end."""
    intervals = await house.query(
        lambda connection: read_intervals(connection, project_id, start, end, position), "claims"
    )
    return await put_together(house, intervals, position)


async def put_together(
    house: House, intervals: Sequence[ClaimInterval], position: int
) -> list[Held]:
    """`intervals` are of any projects, those of one claim in order."""
    request_ids = [one.request_id for one in intervals]
    flavors = await house.query(
        lambda connection: read_flavors(connection, request_ids), "requests"
    )
    units = await house.query(
        lambda connection: read_units(connection, intervals, position), "capacity"
    )
    return await run_in_threadpool(lambda: list(held_from(intervals, flavors, units)))
