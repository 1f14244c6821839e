"""The log as the service streams it (server-sent events), over as many connections as it takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx

from scripts.cli.client import Body
from scripts.cli.failure import Failure

# The service says every 15 s that it is still there.
SILENCE_SECONDS = 45.0
RECONNECT_SECONDS = 0.5


def follow(url: str, after: int, say: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """The position and the CloudEvent of every event after a position, each once, for ever.

    Where the connection breaks it goes on after the last one told. Raises Failure if the service
    refuses, or was not there to begin with.
    """
    position = str(after)
    was_there = is_lost = False
    # The environment's proxies are not for a service that is named by its address.
    with httpx.Client(timeout=SILENCE_SECONDS, trust_env=False) as http:
        while True:
            try:
                with _listening(http, url, position) as answer:
                    _require_stream(answer)
                    if is_lost:
                        say("tally: it is there again")
                    was_there, is_lost = True, False
                    for position, data in messages(answer.iter_lines()):
                        yield position, data
            except (httpx.TransportError, _Unavailable) as error:
                if not was_there:
                    raise Failure(
                        f"no service answers at {url} ({type(error).__name__}: {error})",
                        "Start one with `tally serve`, or name its address with --url or "
                        "TALLYSTICK_URL.",
                    ) from None
            if not is_lost:
                is_lost = True
                say(f"tally: the service went away after position {position}; waiting for it")
            time.sleep(RECONNECT_SECONDS)


class _Unavailable(Exception):
    """The service is there, but not its database, or not yet."""


def _listening(
    http: httpx.Client, url: str, position: str
) -> AbstractContextManager[httpx.Response]:
    return http.stream(
        "GET",
        f"{url.rstrip('/')}/v1/events",
        headers={"Accept": "text/event-stream", "Last-Event-ID": position},
    )


def _require_stream(answer: httpx.Response) -> None:
    kind = answer.headers.get("Content-Type", "")
    if answer.is_success and kind.startswith("text/event-stream"):
        return
    if answer.status_code >= 500:
        raise _Unavailable(f"status {answer.status_code}")
    answer.read()
    raise Failure(
        f"{answer.request.url} does not tell events ({answer.status_code}): {answer.text[:200]}",
        "Another program may be listening there; name the service's address with --url.",
    )


def messages(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Id and data of each message that is whole; one that was cut off is no message."""
    found: Body = {}
    for line in lines:
        if line:
            field, _, value = line.partition(":")
            found[field] = value.removeprefix(" ")
        elif "data" in found:
            yield found["id"], found["data"]
            found = {}
