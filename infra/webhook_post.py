"""One POST of events to a webhook's receiver, and what came of it."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from projections.cloud_events import (
    CLOUD_EVENT_JSON,
    CLOUD_EVENTS_BATCH_JSON,
    cloud_event,
    json_array,
)
from projections.projection import Recorded

SECRET_PREFIX = "whsec_"  # noqa: S105 - the mark of a secret in base64, by Standard Webhooks.
MOST_SECONDS_ASKED_FOR = 3600.0
"""A receiver's Retry-After counts up to an hour."""
LARGEST_BATCH = 512 * 1024
"""Bytes of events in a POST, as many receivers refuse a larger body; a larger event goes alone."""
LONGEST_ANSWER_READ = 64 * 1024
LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Parcel:
    """The body of a POST, and the position of its last event. Its id stays for every retry."""

    id: str
    media_type: str
    body: bytes
    position: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """`error` None: the receiver has it."""

    error: str | None = None
    retry_after_seconds: float = 0.0
    is_gone: bool = False


def parcels(events: Sequence[Recorded], mode: str, source: str) -> list[Parcel]:
    if mode == "structured":
        return [
            Parcel(str(one.position), CLOUD_EVENT_JSON, cloud_event(one, source), one.position)
            for one in events
        ]
    batches: list[list[tuple[int, bytes]]] = []
    room = 0
    for one in events:
        told = cloud_event(one, source)
        if len(told) > room:
            batches.append([])
            room = LARGEST_BATCH
        batches[-1].append((one.position, told))
        room -= len(told)
    return [_batch(batch) for batch in batches]


def _batch(events: list[tuple[int, bytes]]) -> Parcel:
    first, last = events[0][0], events[-1][0]
    body = json_array(told for _, told in events)
    return Parcel(f"{first}-{last}", CLOUD_EVENTS_BATCH_JSON, body, last)


def headers(parcel: Parcel, secret: str | None, timestamp: int) -> dict[str, str]:
    """With a secret, those by which Standard Webhooks 1.0 lets the receiver check the sender."""
    plain = {"Content-Type": parcel.media_type, "User-Agent": "Tallystick"}
    if secret is None:
        return plain
    signed = b"%b.%d.%b" % (parcel.id.encode(), timestamp, parcel.body)
    signature = base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode()
    return {
        **plain,
        "webhook-id": parcel.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def key_of(secret: str) -> bytes:
    """`whsec_` and base64, as Standard Webhooks writes it; any other text is its own key.

    Raises ValueError if what follows `whsec_` is not base64.
    """
    if secret.startswith(SECRET_PREFIX):
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    return secret.encode()


async def post(
    client: httpx.AsyncClient, url: str, secret: str | None, parcel: Parcel, seconds: float
) -> Outcome:
    """`seconds` is for the whole of it: a receiver that answers byte by byte is too slow, too."""
    signed = headers(parcel, secret, int(time.time()))
    try:
        async with (
            asyncio.timeout(seconds),
            client.stream("POST", url, content=parcel.body, headers=signed) as answer,
        ):
            return _outcome(answer, await _beginning(answer))
    except TimeoutError:
        return Outcome(f"no answer within {seconds:g} s")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as broken:
        return Outcome(f"{type(broken).__name__}: {broken}"[:LONGEST_ERROR])


async def _beginning(answer: httpx.Response) -> bytes:
    """Some of the answer; all of a short one, so that the connection can be used again."""
    found = b""
    async for part in answer.aiter_raw():
        found += part
        if len(found) > LONGEST_ANSWER_READ:
            break
    return found


def _outcome(answer: httpx.Response, body: bytes) -> Outcome:
    if answer.is_success:
        return Outcome()
    told = body[:LONGEST_ERROR].decode("utf-8", "replace").replace("\x00", "\ufffd").strip()
    error = f"{answer.status_code} {answer.reason_phrase}: {told}".rstrip(": ")
    return Outcome(
        error[:LONGEST_ERROR],
        retry_after_seconds=_retry_after(answer.headers.get("Retry-After")),
        is_gone=answer.status_code == httpx.codes.GONE,
    )


def _retry_after(value: str | None) -> float:
    """Seconds from a number of them or from a date; 0 if neither can be read."""
    if value is None:
        return 0.0
    try:
        seconds = float(value) if value.strip().isdecimal() else _seconds_until(value)
    except (ValueError, TypeError):
        return 0.0
    return min(max(seconds, 0.0), MOST_SECONDS_ASKED_FOR)


def _seconds_until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
