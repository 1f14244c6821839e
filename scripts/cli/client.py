"""The REST client of the command line: one connection, problems as exceptions."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx

from scripts.cli.failure import Failure

# A write waits for its turn in the writer's queue and for the disk; a long history is read slowly.
TIMEOUT_SECONDS = 30.0
# The greatest page that the service gives.
PAGE = 1000

Body = dict[str, Any]


class ServiceUnreachable(Failure):
    """Nothing answered: not started, gone in the middle, or another address."""


class ServiceProblem(Failure):
    """An answer of `application/problem+json`; `code` is stable, `detail` is for people."""

    def __init__(self, status: int, problem: Body, call: str, retry_seconds: float | None) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.detail = str(problem.get("detail") or problem.get("title") or "")
        self.extras = problem
        self.retry_seconds = retry_seconds
        super().__init__(f"{call} was refused: {self.detail} ({status} {self.code})")


@dataclass(frozen=True, slots=True)
class Write:
    """A write as it goes on the wire; the same key and body always give the same answer."""

    method: str
    path: str
    body: Body | None = None
    key: str | None = None
    at: str | None = None
    if_match: int | None = None

    def content(self) -> bytes | None:
        """The same bytes for the same body, whatever library sends them: a key goes with bytes."""
        return None if self.body is None else json.dumps(self.body).encode()

    def headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.key is not None:
            headers["Idempotency-Key"] = self.key
        if self.at is not None:
            headers["Tallystick-At"] = self.at
        if self.if_match is not None:
            headers["If-Match"] = f'"{self.if_match}"'
        return headers


class ServiceClient:
    """Speaks to one running service. Use it in a `with`, which closes the connection."""

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.url = url.rstrip("/")
        try:
            # The environment's proxies are not for a service that is named by its address.
            self._http = httpx.Client(
                base_url=self.url,
                timeout=timeout_seconds,
                trust_env=False,
                limits=httpx.Limits(max_connections=1),
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise Failure(
                f"{url!r} is no address: {error}", "Write --url http://HOST:PORT."
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **params: str | int | bool | None) -> Body:
        """Parameters that are None are left out."""
        return _body(self._answer("GET", path, params=_given(params)))

    def find(self, path: str, **params: str | int | bool | None) -> Body | None:
        """As `get`, with None where there is nothing of that name."""
        try:
            return self.get(path, **params)
        except ServiceProblem as problem:
            if problem.status == httpx.codes.NOT_FOUND:
                return None
            raise

    def pages(
        self, path: str, limit: int | None = None, **params: str | int | bool | None
    ) -> Iterator[Body]:
        """Items over all pages, at most `limit` of them."""
        for page in self.whole_pages(path, limit, **params):
            yield from page["items"]

    def whole_pages(
        self, path: str, limit: int | None = None, **params: str | int | bool | None
    ) -> Iterator[Body]:
        """The pages as they come, with what they say beside their items; at least one."""
        left = limit
        cursor: str | None = None
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = self.get(path, limit=size, cursor=cursor, **params)
            yield page
            left = None if left is None else left - len(page["items"])
            cursor = page["next"]
            if cursor is None:
                return

    def health(self) -> Body:
        """The body of `/healthz`, also when the service says that it is not well (503)."""
        answer = self._send("GET", "/healthz")
        return _body(answer) if answer.status_code == 503 else _body(_good(answer))

    def answered_at(self) -> str:
        """The service's own clock, from the Date header of an answer; empty if it has none."""
        return str(self._send("GET", "/livez").headers.get("Date", ""))

    def write(self, write: Write) -> Body:
        """The answer's body; empty where there is none (204)."""
        answer = self._answer(
            write.method, write.path, content=write.content(), headers=write.headers()
        )
        return _body(answer) if answer.content else {}

    def _answer(self, method: str, path: str, **parts: Any) -> httpx.Response:
        return _good(self._send(method, path, **parts))

    def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **parts)
        except httpx.TransportError as error:
            raise ServiceUnreachable(
                f"no service answers at {self.url} ({type(error).__name__}: {error})",
                "Start one with `tally serve`, or name its address with --url or TALLYSTICK_URL.\n"
                "`tally doctor` says what is wrong.",
            ) from None


def _given(params: dict[str, str | int | bool | None]) -> dict[str, str | int | bool]:
    return {name: value for name, value in params.items() if value is not None}


def _good(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    call = f"{answer.request.method} {answer.request.url.path}"
    raise ServiceProblem(answer.status_code, _problem(answer), call, _retry_seconds(answer))


def _problem(answer: httpx.Response) -> Body:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return problem
    return {"title": answer.reason_phrase, "detail": answer.text[:200]}


def _body(answer: httpx.Response) -> Body:
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Failure(
            f"{answer.request.url} answers, but not as Tallystick does",
            "Another program may be listening there; name the service's address with --url.",
        )
    return body


def _retry_seconds(answer: httpx.Response) -> float | None:
    try:
        return float(answer.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
