"""One call of a Placement client, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic_core import to_json

from api.house import Command, House, Reply
from domain.aggregate import Aggregate
from domain.books import Books

T = TypeVar("T")
A = TypeVar("A", bound=Aggregate)


@dataclass(slots=True)
class Answer(Reply):
    """`body` is JSON already, or empty. From 1.15 on, an answer that tells when what it shows was
    changed (`changed_at`; None: now) carries it, if `is_dated`."""

    location: str | None = None
    """A path under the face's root; it is told with the address that the client used."""
    is_dated: bool = False
    changed_at: datetime | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the authentication found out."""

    user_id: str
    project_id: str | None
    roles: frozenset[str]


@dataclass(slots=True)
class Call:
    house: House
    method: str
    path: str
    """Under the face's root: `/resource_providers`."""
    minor: int
    """The microversion is 1.minor."""
    caller: Caller
    arguments: Mapping[str, str]
    """Of the path."""
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    async def ask(self, question: Callable[[Books], T]) -> T:
        """Read from the books at the log's head."""
        return await self.house.ask(question)

    async def record(
        self,
        use_case: Callable[[Books, datetime], A],
        render: Callable[[A], Answer],
        streams: Sequence[str] = (),
    ) -> Answer:
        """Have a use case decided and appended. `render` is told the aggregate that it returned,
        and must be pure."""
        command = Command(use_case, lambda aggregate, _is_new: render(aggregate), streams)  # type: ignore[arg-type]
        answered = (await self.house.submit(command)).reply
        assert isinstance(answered, Answer)
        return answered


def json_answer(value: Any, status: int = 200, **more: Any) -> Answer:
    return Answer(status, to_json(value), **more)
