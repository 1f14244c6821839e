"""What clients that choose themselves add to a random history, and providers that come again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from domain.assigning import Assignment, assign
from domain.claim import Claim
from domain.cloud import change_groups, change_inventories, register_provider
from domain.inventory import DivisibleInventory, Inventories
from domain.provider import Provider
from domain.reshaping import NewInventories, reshape

if TYPE_CHECKING:
    from tests.projected_log import RandomLedger


def assigning_moves(made: RandomLedger, consumers: tuple[str, ...]) -> list[Callable[[], None]]:
    some = partial(assign_some, made, consumers)
    again = (partial(say_again, made), partial(register_again, made))
    return [some, some, partial(reshape_some, made, consumers), *again]


OWNERS = (("red", "ada", "a"), ("red", "ben", None), ("blue", "ben", "b"))


def assign_some(made: RandomLedger, consumers: tuple[str, ...]) -> None:
    """One or two consumers, on one or two providers; sometimes they give back everything."""
    chosen = made.random.sample(consumers, made.random.randint(1, 2))
    assignments = [_assignment(made, consumer_id) for consumer_id in chosen]
    made.run(assign, assignments)
    made.requests += [one.request_id for one in assignments if one.amounts]


def _assignment(made: RandomLedger, consumer_id: str) -> Assignment:
    providers = [made.provider() for _ in range(made.random.choice([0, 1, 1, 2]))]
    project_id, user_id, consumer_type = made.random.choice(OWNERS)
    names = made.random.choice([("VCPU",), ("PGPU",), ("VCPU", "PGPU")])
    return Assignment(
        request_id=made.id(),
        consumer_id=consumer_id,
        project_id=project_id,
        user_id=user_id,
        consumer_type=consumer_type,
        amounts={
            one: {name: made.random.choice([1, 2, 300]) for name in names}
            for one in providers
            if one is not None
        },
        generation=made.ledger.books.get(Claim, consumer_id).generation or None,
    )


def reshape_some(made: RandomLedger, consumers: tuple[str, ...]) -> None:
    """A provider gets other CPUs, and a consumer some of them."""
    provider_id = made.provider() or ""
    inventories: Inventories = {"VCPU": DivisibleInventory(total=made.random.randint(1, 16))}
    generation = made.ledger.books.get(Provider, provider_id).generation
    assignment = _assignment(made, made.random.choice(consumers))
    made.run(reshape, {provider_id: NewInventories(generation, inventories)}, [assignment])


def say_again(made: RandomLedger) -> None:
    """A provider is described just as it is."""
    provider_id = made.provider() or ""
    provider = made.ledger.books.get(Provider, provider_id)
    made.run(change_groups, provider_id, provider.groups, confirm=True)
    made.run(change_inventories, provider_id, provider.inventories, confirm=True)


def register_again(made: RandomLedger) -> None:
    """Under the id of one that was deleted."""
    gone = [one for one in made.providers if made.ledger.books.get(Provider, one).deleted]
    made.run(
        register_provider,
        provider_id=made.random.choice(gone or made.providers),
        name=f"host-{made.random.randrange(30)}",
        parent_id=None,
        traits=frozenset(),
        inventories={"VCPU": DivisibleInventory(total=4)},
    )
