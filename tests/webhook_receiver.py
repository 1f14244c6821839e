"""A receiver of webhooks: a real HTTP server that accepts, or does what a test tells it to."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    after_seconds: float = 0.0


@dataclass(frozen=True)
class Call:
    headers: dict[str, str]
    body: bytes
    status: int
    at: float

    def events(self) -> list[dict[str, Any]]:
        told = json.loads(self.body)
        return told if isinstance(told, list) else [told]

    def positions(self) -> list[int]:
        return [int(event["id"]) for event in self.events()]


class Receiver:
    """Answers with what is in `answers`, one after the other, and then with 204."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: deque[Answer] = deque()
        self.url = ""

    def accepted(self) -> list[int]:
        """The positions of all events that were answered with 2xx, in the order they came."""
        return [
            position for call in self.calls if call.status < 300 for position in call.positions()
        ]

    def take(self, headers: dict[str, str], body: bytes) -> Answer:
        answer = self.answers.popleft() if self.answers else Answer(204)
        self.calls.append(Call(headers, body, answer.status, time.monotonic()))
        return answer


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receiver.take(headers, body)
            time.sleep(answer.after_seconds)
            try:
                self.send_response(answer.status)
                for header in answer.headers:
                    self.send_header(*header)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                self.close_connection = True  # The sender did not wait so long.

        def log_message(self, *_: Any) -> None:
            """A test says by itself what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/events"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
