"""The promises as properties: over random clouds and random work, on a real event store."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from domain.allocation import Share
from domain.cloud import change_inventories
from domain.component import AttributeCondition, Units
from domain.errors import LedgerError
from domain.inventory import DivisibleInventory
from domain.ledger import (
    change_claim,
    confirm_request,
    expire_overdue,
    release_claim,
    withdraw_request,
)
from domain.provider import Provider
from infra.verification import Audit
from tests.databases import postgresql_database, sqlite_database
from tests.open_ledger import OpenLedger, after, gpus, settings_from, wish

CONSUMERS = [f"c{number}" for number in range(6)]
consumers = st.sampled_from(CONSUMERS)
amounts = st.integers(1, 6)
part = st.builds(
    lambda count, amount, model: Units(
        resource_class="PGPU",
        count=count,
        amount=amount,
        where=(AttributeCondition(attribute="model", equals=model),) if model else (),
    ),
    st.integers(1, 2),
    st.sampled_from([None, 250, 500, 1000]),
    st.sampled_from([None, "A100", "V100"]),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), consumers, amounts, st.lists(part, max_size=1), st.booleans()),
        st.tuples(st.just("change"), consumers, amounts, st.lists(part, max_size=1)),
        st.tuples(st.just("release"), consumers, st.integers(0, 3)),
        st.tuples(st.just("confirm"), st.integers(0, 40)),
        st.tuples(st.just("withdraw"), st.integers(0, 40)),
        st.tuples(st.just("resize"), st.integers(0, 2), st.integers(1, 10)),
        st.tuples(st.just("wait"), st.integers(1, 50)),
    ),
    max_size=40,
)


class Work:
    """A small cloud, and the steps of a test upon it. Errors are outcomes like others."""

    def __init__(self, ledger: OpenLedger) -> None:
        self.ledger = ledger
        self.seconds = 0
        self.requests: list[str] = []
        tree = ledger.host("tree", VCPU=4)
        ledger.host("cell", parent=tree, PGPU=gpus("gpu0", "gpu1", model="A100"))
        self.hosts = [
            tree,
            ledger.host("large", VCPU=8, PGPU=gpus("gpu0", model="V100")),
            ledger.host("flat", VCPU=DivisibleInventory(total=3, allocation_ratio=Decimal("1.5"))),
        ]

    def step(self, name: str, *facts: Any) -> None:
        try:
            getattr(self, f"_{name}")(*facts)
        except LedgerError:
            assert not self.ledger.books.pending

    def lapse(self) -> None:
        """Record the holds that lapsed by now, as any next command would."""
        expire_overdue(self.ledger.books, after(self.seconds))
        self.ledger.append()

    def _ask(self, consumer: str, vcpus: int, units: list[Units], hold: bool) -> None:
        until = after(self.seconds + 30) if hold else None
        request = self.ledger.ask(
            consumer, *units, at=after(self.seconds), hold_until=until, VCPU=vcpus
        )
        self.requests.append(request.id)

    def _change(self, consumer: str, vcpus: int, units: list[Units]) -> None:
        self._run(
            change_claim,
            request_id=f"change-{self.ledger.log.head()}",
            consumer_id=consumer,
            wish=wish(*units, VCPU=vcpus),
        )

    def _release(self, consumer: str, vcpus: int) -> None:
        shares = {self.hosts[0]: Share(resources={"VCPU": vcpus})} if vcpus else None
        self._run(release_claim, consumer, shares)

    def _confirm(self, index: int) -> None:
        if index < len(self.requests):
            self._run(confirm_request, self.requests[index])

    def _withdraw(self, index: int) -> None:
        if index < len(self.requests):
            self._run(withdraw_request, self.requests[index])

    def _resize(self, host: int, total: int) -> None:
        self._run(change_inventories, self.hosts[host], {"VCPU": DivisibleInventory(total=total)})

    def _wait(self, seconds: int) -> None:
        self.seconds += seconds

    def _run(self, use_case: Any, *args: Any, **facts: Any) -> None:
        self.ledger.run(use_case, *args, at=after(self.seconds), **facts)


@contextmanager
def scratch(server_url: str | None = None) -> Iterator[OpenLedger]:
    """A new ledger: on SQLite, or in a database of its own on a PostgreSQL server."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = sqlite_database(folder)
        if server_url is not None:
            database = stack.enter_context(postgresql_database(server_url, folder))
        ledger = OpenLedger(settings_from(database.settings_environment))
        stack.callback(ledger.close)
        yield ledger


def holds_every_promise(ledger: OpenLedger) -> None:
    audit = Audit()
    for recorded in ledger.log.read(0, 100_000):
        audit.check(recorded)
    assert audit.report().problems == []
    memory_equals_log(ledger)


def memory_equals_log(ledger: OpenLedger) -> None:
    """What followed live equals what is read anew, aggregate by aggregate and in the live view."""
    anew = ledger.reopened()
    for provider_id in ledger.books.view.ids:
        live, read = ledger.books.get(Provider, provider_id), anew.get(Provider, provider_id)
        assert live.version == read.version
        assert {k: v for k, v in live.usage.items() if v} == {
            k: v for k, v in read.usage.items() if v
        }
        assert live.holdings == read.holdings
        row, other = ledger.books.view.row_of[provider_id], anew.view.row_of[provider_id]
        for name, inventory in live.inventories.items():
            for view, place in ((ledger.books.view, row), (anew.view, other)):
                assert view.columns["usage", name][place] == live.usage.get(name, 0)
                assert view.columns["capacity", name][place] == inventory.capacity


@settings(max_examples=150, deadline=None)
@given(steps)
def test_no_work_breaks_a_promise_on_sqlite(work: list[tuple[Any, ...]]) -> None:
    with scratch() as ledger:
        doing = Work(ledger)
        for step in work:
            doing.step(*step)
        holds_every_promise(ledger)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(work=steps)
def test_no_work_breaks_a_promise_on_postgresql(
    postgresql_server_url: str, work: list[tuple[Any, ...]]
) -> None:
    with scratch(postgresql_server_url) as ledger:
        doing = Work(ledger)
        for step in work:
            doing.step(*step)
        holds_every_promise(ledger)


LAPSED_BEFORE: list[tuple[Any, ...]] = [("ask", "c0", 1, [], True), ("wait", 30)]


@example(LAPSED_BEFORE, 1, [])
@settings(max_examples=60, deadline=None)
@given(steps, st.integers(1, 4), st.lists(part, max_size=1))
def test_a_release_undoes_a_claim(
    work: list[tuple[Any, ...]], vcpus: int, units: list[Units]
) -> None:
    with scratch() as ledger:
        doing = Work(ledger)
        for step in work:
            doing.step(*step)
        doing.lapse()
        before = usage(ledger)
        request = ledger.ask("extra", *units, at=after(doing.seconds), VCPU=vcpus)
        if request.status == "placed":
            assert usage(ledger) != before
            ledger.run(release_claim, "extra", at=after(doing.seconds))
        assert usage(ledger) == before


@settings(max_examples=60, deadline=None)
@given(steps)
def test_a_refusal_gives_the_reason_of_every_provider_tree(work: list[tuple[Any, ...]]) -> None:
    with scratch() as ledger:
        doing = Work(ledger)
        for step in work:
            doing.step(*step)
        request = ledger.ask("extra", at=after(doing.seconds), VCPU=6)
        if request.status == "refused":
            assert request.considered == len(doing.hosts)
            assert sum(reason.count for reason in request.reasons) == len(doing.hosts)


def usage(ledger: OpenLedger) -> dict[str, dict[str, int]]:
    return {
        provider_id: {
            name: used
            for name, used in ledger.books.get(Provider, provider_id).usage.items()
            if used
        }
        for provider_id in ledger.books.view.ids
    }
