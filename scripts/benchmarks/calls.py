"""The few REST calls around a measurement: setting up before it, checking after it."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from typing import Any, Self


class CallFailed(Exception):
    """The service answered with another status than the one that was expected."""


class Caller:
    """One keep-alive connection that sends and receives JSON."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.connection = HTTPConnection(host, port, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def call(self, method: str, path: str, body: object = None, *, expected: int) -> Any:
        """The answer's JSON."""
        sent = None if body is None else json.dumps(body)
        try:
            answer = self._answer(method, path, sent)
        except (RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # Idle for long, and closed for that before it was used again.
            self.connection.close()
            answer = self._answer(method, path, sent)
        text = answer.read()
        if answer.status != expected:
            raise CallFailed(f"{method} {path} answered {answer.status}: {text[:600]!r}")
        return json.loads(text)

    def _answer(self, method: str, path: str, sent: str | None) -> HTTPResponse:
        self.connection.request(method, path, sent, {"Content-Type": "application/json"})
        return self.connection.getresponse()

    def items(self, path: str) -> Iterator[Any]:
        """The items of every page of a list."""
        page = self.call("GET", f"{path}?limit=1000", expected=200)
        yield from page["items"]
        while page["next"] is not None:
            page = self.call("GET", f"{path}?limit=1000&cursor={page['next']}", expected=200)
            yield from page["items"]
