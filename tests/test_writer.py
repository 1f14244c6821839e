"""The writer: many commands in one append, each failing alone, and other processes beside it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from api.house import Answer, Busy, Command, Reply
from domain.aggregate import Aggregate
from domain.cloud import register_provider
from domain.component import Consumer
from domain.errors import Conflict, Invalid
from domain.inventory import DivisibleInventory
from domain.ledger import release_claim, submit_request
from domain.provider import Provider
from domain.request import Request
from infra.clock import LedgerClock
from infra.database import open_database
from infra.event_log import EventLog
from infra.memory_books import MemoryBooks
from infra.settings import Settings
from infra.writer import Writer
from projections.live_capacity import LiveCapacity
from tests.databases import ScratchDatabase
from tests.open_ledger import settings_from, wish

several_processes = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
"""Several processes share one PostgreSQL; a SQLite folder is served by one."""

HOST = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def settings(database: ScratchDatabase) -> Settings:
    return settings_from(database.settings_environment)


@contextmanager
def opened_log(settings: Settings) -> Iterator[tuple[Any, EventLog]]:
    database = open_database(settings)
    database.create_tables()
    try:
        yield database, EventLog(database)
    finally:
        database.close()


@asynccontextmanager
async def running_writer(settings: Settings, queue_limit: int = 500) -> AsyncIterator[Writer]:
    with opened_log(settings) as (database, log):

        def open_books() -> MemoryBooks:
            books = MemoryBooks(log, LiveCapacity(), 0)
            books.catch_up()
            return books

        writer = Writer(
            database,
            log,
            open_books,
            LedgerClock(),
            queue_limit=queue_limit,
            batch_limit=64,
            snapshot_every=10,
        )
        await writer.start()
        try:
            yield writer
        finally:
            await writer.stop()


def told(aggregate: Aggregate, created: bool) -> Reply:
    status = aggregate.status if isinstance(aggregate, Request) else aggregate.stream
    return Reply(201 if created else 200, f"{status} {aggregate.version}".encode())


def register(vcpus: int) -> Command:
    return Command(
        use_case=lambda books, at: register_provider(
            books,
            at,
            provider_id=HOST,
            name="host",
            parent_id=None,
            traits=frozenset(),
            inventories={"VCPU": DivisibleInventory(total=vcpus)},
        ),
        render=told,
    )


def claim(consumer: str, vcpus: int = 1, *, key: str | None = None, body: str = "") -> Command:
    return Command(
        use_case=lambda books, at: submit_request(
            books,
            at,
            request_id=f"request-of-{consumer}",
            consumer=Consumer(id=consumer),
            project_id="p",
            user_id="u",
            wish=wish(VCPU=vcpus),
            hold_until=None,
        ),
        render=told,
        streams=[f"claim:{consumer}"],
        key=key,
        fingerprint=body or consumer,
    )


def release(consumer: str, key: str | None = None) -> Command:
    return Command(
        use_case=lambda books, at: release_claim(books, at, consumer),
        render=told,
        key=key,
        fingerprint=f"release {consumer}",
    )


def bodies(answers: list[Any]) -> list[str]:
    return [a.reply.body.decode() if isinstance(a, Answer) else type(a).__name__ for a in answers]


async def together(writer: Writer, *commands: Command) -> list[str]:
    answers = await asyncio.gather(
        *(writer.submit(command) for command in commands), return_exceptions=True
    )
    return bodies(list(answers))


def test_commands_in_flight_are_decided_in_order_and_appended_together(
    settings: Settings,
) -> None:
    async def main() -> list[str]:
        async with running_writer(settings) as writer:
            await writer.submit(register(5))
            return await together(writer, *(claim(f"c{n}") for n in range(8)))

    assert asyncio.run(main()) == ["placed 2"] * 5 + ["refused 2"] * 3


def test_a_bug_in_one_command_fails_that_command_alone(settings: Settings) -> None:
    def broken(books: Any, at: Any) -> Aggregate:
        release_claim(books, at, "c0")  # Recorded, and to be undone.
        raise ZeroDivisionError

    async def main() -> tuple[list[str], list[str]]:
        async with running_writer(settings) as writer:
            await writer.submit(register(3))
            await writer.submit(claim("c0"))
            first = await together(
                writer, claim("c1"), Command(use_case=broken, render=told), claim("c2"), claim("c3")
            )
            return first, await together(writer, release("c0"), claim("c4"))

    first, then = asyncio.run(main())
    assert first == ["placed 2", "ZeroDivisionError", "placed 2", "refused 2"]
    assert then == ["claim:c0 2", "placed 2"]


def test_a_refused_call_fails_that_command_alone(settings: Settings) -> None:
    async def main() -> list[str]:
        async with running_writer(settings) as writer:
            await writer.submit(register(3))
            return await together(writer, claim("c1"), release("nobody"), claim("c1"), claim("c2"))

    assert asyncio.run(main()) == ["placed 2", "NotFound", "placed 2", "placed 2"]


def test_a_full_queue_is_busy_and_loses_nothing(settings: Settings) -> None:
    async def main() -> list[str]:
        async with running_writer(settings, queue_limit=10) as writer:
            await writer.submit(register(100))
            return await together(writer, *(claim(f"c{n}") for n in range(50)))

    answers = asyncio.run(main())
    assert answers == ["placed 2"] * 10 + [Busy.__name__] * 40


@several_processes
def test_a_key_repeats_its_answer_through_another_worker_though_the_world_moved_on(
    settings: Settings,
) -> None:
    async def main() -> list[str]:
        async with running_writer(settings) as writer:
            await writer.submit(register(5))
            answers = await together(
                writer, claim("c1", key="k1"), claim("c1", key="k1"), release("c1", key="k2")
            )
            async with running_writer(settings) as other:
                answers += await together(other, claim("c1", key="k1"), release("c1", key="k2"))
            return answers

    answers = asyncio.run(main())
    assert answers == ["placed 2", "placed 2", "claim:c1 2", "placed 2", "claim:c1 2"]


def test_a_key_repeats_its_answer_after_a_restart(settings: Settings) -> None:
    async def main() -> list[Answer]:
        async with running_writer(settings) as writer:
            await writer.submit(register(5))
            first = await writer.submit(claim("c1", key="k1"))
        async with running_writer(settings) as writer:
            return [first, await writer.submit(claim("c1", key="k1"))]

    first, second = asyncio.run(main())
    assert (first.reply.status, first.reply.body) == (second.reply.status, second.reply.body)


def test_a_key_used_for_another_body_is_an_error(settings: Settings) -> None:
    async def main() -> list[Any]:
        async with running_writer(settings) as writer:
            await writer.submit(register(5))
            await writer.submit(claim("c1", key="k1"))
            answers = await asyncio.gather(
                writer.submit(claim("c1", key="k1", body="another")), return_exceptions=True
            )
            return list(answers)

    (error,) = asyncio.run(main())
    assert isinstance(error, Invalid)
    assert error.code == "idempotency_key_reused"


def test_an_error_under_a_key_is_repeated_too(settings: Settings) -> None:
    async def main() -> list[Any]:
        async with running_writer(settings) as writer:
            await writer.submit(register(1))
            answers: list[Any] = []
            for command in (release("c1", "k"), claim("c1"), release("c1", "k"), release("c1")):
                answers += await asyncio.gather(writer.submit(command), return_exceptions=True)
            return answers

    assert bodies(asyncio.run(main())) == ["NotFound", "placed 2", "NotFound", "claim:c1 2"]


@several_processes
def test_two_processes_claiming_the_last_units_never_exceed_them(
    settings: Settings,
) -> None:
    async def main() -> list[str]:
        async with running_writer(settings) as one, running_writer(settings) as two:
            await one.submit(register(20))

            async def client(number: int) -> list[str]:
                writer = (one, two)[number % 2]
                return [
                    (await writer.submit(claim(f"c{number}-{turn}"))).reply.body.decode()
                    for turn in range(3)
                ]

            turns = await asyncio.gather(*(client(number) for number in range(16)))
            return [answer for answers in turns for answer in answers]

    answers = asyncio.run(main())
    assert sorted(answers) == ["placed 2"] * 20 + ["refused 2"] * 28
    with opened_log(settings) as (_, log):
        positions = [recorded.position for recorded in log.read(0, 10_000)]
        assert positions == list(range(1, len(positions) + 1))


def test_a_long_stream_is_read_from_its_newest_snapshot(settings: Settings) -> None:
    async def main() -> None:
        async with running_writer(settings) as writer:
            await writer.submit(register(100))
            for n in range(30):
                await together(writer, claim(f"c{n}"), release(f"c{n - 1}"))

    asyncio.run(main())
    with opened_log(settings) as (database, log):
        provider = log.load(f"provider:{HOST}")
        snapshots = database.snapshots.select_events(provider.stream)
        assert [one.originator_version for one in snapshots][-1] > 10
        whole = log.load_version(provider.stream, provider.version)
        assert isinstance(provider, Provider)
        assert provider.snapshot_version > 0
        assert vars_of(provider) == vars_of(whole) | {"snapshot_version": provider.snapshot_version}


def vars_of(aggregate: Aggregate) -> dict[str, Any]:
    names = {name for kind in type(aggregate).__mro__ for name in getattr(kind, "__slots__", ())}
    return {name: getattr(aggregate, name) for name in sorted(names)}


def test_a_consumer_that_holds_gets_a_conflict_not_a_second_claim(settings: Settings) -> None:
    async def main() -> list[Any]:
        async with running_writer(settings) as writer:
            await writer.submit(register(5))
            await writer.submit(claim("c1"))
            second = claim("c1")
            second.use_case = lambda books, at: submit_request(
                books,
                at,
                request_id="another",
                consumer=Consumer(id="c1"),
                project_id="p",
                user_id="u",
                wish=wish(VCPU=1),
                hold_until=None,
            )
            return list(await asyncio.gather(writer.submit(second), return_exceptions=True))

    (error,) = asyncio.run(main())
    assert isinstance(error, Conflict)
    assert error.code == "consumer_holds_already"
