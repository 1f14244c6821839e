"""Webhooks as operators set them up: `api.house.Webhooks`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from api.house import WebhookChange, WebhookStatus
from domain.errors import Conflict, Invalid, NotFound
from domain.times import from_micros
from infra.webhook_table import Webhook, WebhookTable

T = TypeVar("T")

MOST_WEBHOOKS = 100


class InThread(Protocol):
    """Database work in a thread. Raises Unavailable where the database is gone."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]: ...


class OperatorsWebhooks:
    def __init__(
        self,
        table: WebhookTable,
        read_head: Callable[[], int],
        in_thread: InThread,
        changed: Callable[[], None],
    ) -> None:
        self._table = table
        self._read_head = read_head
        self._in_thread = in_thread
        self._changed = changed

    async def all(self) -> list[WebhookStatus]:
        return await self._in_thread(self._read_all)

    async def read(self, name: str) -> WebhookStatus:
        return await self._in_thread(lambda: self._read(name))

    async def put(self, name: str, change: WebhookChange) -> tuple[WebhookStatus, bool]:
        is_new = False

        def put(old: Webhook | None, count: int) -> Webhook:
            nonlocal is_new
            is_new = old is None
            if old is None and count >= MOST_WEBHOOKS:
                raise Conflict("too_many_webhooks", f"there are {MOST_WEBHOOKS} already")
            return _changed(name, old, change, self._read_head())

        return await self._change(name, put), is_new

    async def remove(self, name: str) -> None:
        def remove(old: Webhook | None, _count: int) -> None:
            _found(name, old)

        await self._in_thread(lambda: self._table.change(name, remove))
        self._changed()

    async def pause(self, name: str) -> WebhookStatus:
        return await self._change(
            name, lambda old, _: replace(_found(name, old), state="paused", next_try_at=None)
        )

    async def resume(self, name: str) -> WebhookStatus:
        return await self._change(name, lambda old, _: _fresh(_found(name, old), state="active"))

    async def _change(
        self, name: str, decide: Callable[[Webhook | None, int], Webhook]
    ) -> WebhookStatus:
        def change() -> WebhookStatus:
            self._table.change(name, decide)
            return self._read(name)

        told = await self._in_thread(change)
        self._changed()
        return told

    def _read(self, name: str) -> WebhookStatus:
        return _status(_found(name, self._table.find(name)), self._read_head())

    def _read_all(self) -> list[WebhookStatus]:
        found = self._table.all()
        head = self._read_head()
        return [_status(one, head) for one in found]


def _found(name: str, webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise NotFound("webhook_not_found", f"there is no webhook {name}")
    return webhook


def _fresh(webhook: Webhook, state: str) -> Webhook:
    """What failed before counts no longer."""
    return replace(webhook, state=state, failures=0, last_error=None, next_try_at=None)


def _changed(name: str, old: Webhook | None, change: WebhookChange, head: int) -> Webhook:
    """A new one begins at the head; an old one stays where it is, and stays paused if it is."""
    position = change.position
    if position is not None and position > head:
        raise Invalid("position_beyond_head", f"the log's newest position is {head}")
    if position is None:
        position = head if old is None else old.position
    secret = old.secret if old is not None and change.keeps_secret else change.secret
    made = Webhook(
        name=name,
        url=change.url,
        secret=secret,
        mode=change.mode,
        position=position,
        state="active",
        failures=0,
        last_error=None,
        next_try_at=None,
        updated_at=0,
        revision=0,
    )
    return made if old is None else _fresh(made, old.state)


def _status(webhook: Webhook, head: int) -> WebhookStatus:
    return WebhookStatus.model_validate(
        {
            "name": webhook.name,
            "url": webhook.url,
            "mode": webhook.mode,
            "state": webhook.state,
            "is_signed": webhook.secret is not None,
            "position": webhook.position,
            "lag_events": max(0, head - webhook.position),
            "failures": webhook.failures,
            "last_error": webhook.last_error,
            "next_try_at": (
                None if webhook.next_try_at is None else from_micros(webhook.next_try_at)
            ),
            "updated_at": from_micros(webhook.updated_at),
        }
    )
