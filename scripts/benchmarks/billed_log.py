"""The log of the intervals that are rated, as an archive or in a database: all the events that the
ledger writes for claims that are asked for, placed and released, and one publication of the price
book."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from eventsourcing.persistence import StoredEvent

from domain.held import Held
from domain.times import from_micros
from infra.archive_file import ROWS_PER_GROUP, write_archive_file
from infra.database import Database
from infra.log_rows import LogRow
from scripts.benchmarks.billing import held_by, prices

BOOK = "standard"
EVENTS_PER_FILE = 1_000_000
EVENTS_PER_APPEND = 10_000
Event = tuple[str, int, str, str]
"""Stream, version, topic, and the stored state."""


def write_archive(folder: Path, projects: int, seed: int) -> None:
    """As Parquet files, projects one after the other."""
    rows = _rows(projects, random.Random(seed))
    while some := list(islice(rows, EVENTS_PER_FILE)):
        groups = (some[n : n + ROWS_PER_GROUP] for n in range(0, len(some), ROWS_PER_GROUP))
        write_archive_file(folder / f"{some[0].position:012}.parquet", groups)


def fill_database(database: Database, projects: int, seed: int) -> None:
    """The same events in a ledger's own log, which is empty before."""
    rows = _rows(projects, random.Random(seed))
    while some := list(islice(rows, EVENTS_PER_APPEND)):
        database.events.insert_events([StoredEvent(*row[1:]) for row in some])


def _rows(projects: int, chance: random.Random) -> Iterator[LogRow]:
    told = f'{{"at":"2026-01-01T00:00:00Z","number":1,"prices":{prices().model_dump_json()}}}'
    yield LogRow(1, f"price_book:{BOOK}", 1, "price_book.published", told.encode())
    position, provider_version = 1, 0
    for project in range(projects):
        for stream, version, topic, state in _in_order(list(held_by(chance, project)), project):
            position += 1
            if stream.startswith("provider"):
                provider_version += 1
            stated = version or provider_version
            yield LogRow(position, stream, stated, topic, state.encode())


def _in_order(held: list[Held], project: int) -> Iterator[Event]:
    """Of one project, in the order of time; a provider's versions (0) are counted elsewhere."""
    moments = [(one.from_at, one.position, False, one) for one in held]
    moments += [(one.to_at or 0, one.position, True, one) for one in held]
    for at, _, is_end, one in sorted(moments, key=lambda moment: moment[:3]):
        yield from (_released if is_end else _placed)(one, f"project-{project}", _written(at))


def _placed(one: Held, project: str, at: str) -> Iterator[Event]:
    id, host, share = one.consumer_id, *_share(one)
    shares = f'{{"{host}":{share}}}'
    resources = share[len('{"resources":') : share.index(',"units"')]
    whose = f'"request_id":"request-of-{id}","project_id":"{project}"'
    told = f'{{"at":"{at}",{whose},"consumer_id":"{id}"'
    submitted = (
        f'{{"at":"{at}","consumer":{{"id":"{id}","type":"server"}},"project_id":"{project}",'
        f'"user_id":"ada","wish":{{"components":[{{"kind":"amounts","resources":{resources}}}],'
        '"required_traits":[],"forbidden_traits":[],"any_of_traits":[],"within":null},'
        '"hold_until":null,"changes_claim":false}'
    )
    granted = f'{told},"user_id":"ada","consumer_type":"server","shares":{shares}}}'
    placed = f'{{"at":"{at}","shares":{shares},"mappings":[["{host}"]]}}'
    request, provider = f"request:request-of-{id}", f"provider:{host}"
    yield request, 1, "request.submitted", submitted
    yield request, 2, "request.placed", placed
    yield provider, 0, "provider.requested", f'{told},"share":{share},"hold_until":null}}'
    yield provider, 0, "provider.claimed", f"{told}}}"
    yield f"claim:{id}", 1, "claim.granted", granted


def _released(one: Held, project: str, at: str) -> Iterator[Event]:
    id, host, share = one.consumer_id, *_share(one)
    told = f'{{"at":"{at}","consumer_id":"{id}","project_id":"{project}"'
    yield f"provider:{host}", 0, "provider.released", f'{told},"share":{share}}}'
    yield f"claim:{id}", 2, "claim.released", f'{told},"shares":{{"{host}":{share}}}}}'


def _share(one: Held) -> tuple[str, str]:
    """The one provider, and what is held there, as JSON."""
    ((host, share),) = one.shares.items()
    amounts = ",".join(f'"{name}":{amount}' for name, amount in share.resources.items())
    return host, f'{{"resources":{{{amounts}}},"units":{{}}}}'


def _written(micros: int) -> str:
    return from_micros(micros).isoformat().replace("+00:00", "Z")
