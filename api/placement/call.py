"""One call of a Placement client, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic_core import to_json

from api.house import Command, House, Reply
from api.placement.faults import Fault
from api.placement.identity import Caller
from api.placement.options import FaceOptions
from domain.aggregate import Aggregate
from domain.books import Books

T = TypeVar("T")


@dataclass(slots=True)
class Answer(Reply):
    """`body` is JSON already, or empty. From 1.15 on, one that `is_dated` is not to be cached, and
    tells when what it shows was changed (`changed_at`; None: now), if it shows anything."""

    rest: Sequence[bytes] = ()
    """What follows `body`: a long one is sent in pieces, which nobody has to join."""
    location: str | None = None
    """A path under the face's root; it is told with the address that the client used."""
    is_dated: bool = False
    shows_anything: bool = True
    changed_at: datetime | None = None
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    """What was decided is an error, and yet a fact that was recorded."""


@dataclass(slots=True)
class Call:
    house: House
    method: str
    path: str
    """Under the face's root: `/resource_providers`."""
    minor: int
    """The microversion is 1.minor."""
    prefix: str
    """The path of the face's root, which links begin with."""
    options: FaceOptions
    caller: Caller
    arguments: Mapping[str, str]
    """Of the path."""
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def last(self, name: str) -> str | None:
        """A query parameter; of several of that name, the last one."""
        return next((value for key, value in reversed(self.query) if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]

    async def ask(self, question: Callable[[Books], T]) -> T:
        """Read from the books at the log's head."""
        return await self.house.ask(question)

    async def record(
        self,
        decide: Callable[[Books, datetime], tuple[Aggregate, Answer]],
        streams: Sequence[str] = (),
        *,
        makes: Sequence[str] = (),
    ) -> Answer:
        """Have a use case decided and appended: it returns the aggregate that it is about, and what
        is to be answered. It is run again where other processes were first. The streams that it
        touches and makes are a Command's."""
        answer: Answer | None = None

        def use_case(books: Books, at: datetime) -> Aggregate:
            nonlocal answer
            about, answer = decide(books, at)
            return about

        def render(_about: Aggregate, _is_new: bool) -> Reply:  # noqa: FBT001 - Command calls it so.
            assert answer is not None
            return answer

        await self.house.submit(Command(use_case, render, streams, makes))
        assert answer is not None
        if answer.fault is not None:
            raise answer.fault
        return answer


NOTHING = Answer(204, b"")


def json_answer(value: Any, status: int = 200, **more: Any) -> Answer:
    return Answer(status, to_json(value), **more)
