"""Runs the application under uvicorn, and loads the demo cloud once it answers."""

import gc
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import hang_up
from infra.composition import build_app, build_placement
from scripts.cli import screen
from scripts.cli.failure import Failure
from scripts.cli.freed_memory import keep_freed_memory

if TYPE_CHECKING:
    from infra.settings import Settings

MOST_SECONDS_TO_STOP = 5
"""What is in flight then is cut off: a client that takes nothing more would hold the service."""


class _Server(uvicorn.Server):
    """Calls back when it accepts connections: not before, and without polling. Before it waits for
    the calls in flight it ends those that would never end by themselves."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        on_stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stopping()
        await super().shutdown(sockets)


def run(
    settings: "Settings",
    listener: socket.socket,
    log_level: str,
    greet: Callable[[], None],
    seed_url: str | None,
    *,
    placement: socket.socket | None = None,
) -> None:
    """Returns when the service was stopped. `seed_url` None: no demo cloud. `placement` is another
    listener, which serves OpenStack Placement's API alone."""
    app = build_app(settings)
    sockets = [listener] if placement is None else [listener, placement]
    config = uvicorn.Config(
        app if placement is None else by_port(app, build_placement(app, settings), placement),
        # These take uvloop and httptools, which are installed wherever they can be.
        loop="auto",
        http="auto",
        lifespan="on",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=MOST_SECONDS_TO_STOP,
        log_level=log_level,
    )

    def on_started() -> None:
        # What was loaded stays. Events hold no cycles, so looking for some after every few hundred
        # of them would cost a tenth of the processor and find none.
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        keep_freed_memory()
        greet()
        if seed_url is not None:
            threading.Thread(target=_seed, args=(seed_url, server), daemon=True).start()

    server = _Server(config, on_started, lambda: hang_up(app))
    try:
        server.run(sockets=sockets)
    except KeyboardInterrupt:
        # uvicorn has shut down in good order, and then repeats the signal.
        return
    if not server.started:
        raise Failure(
            "the service could not start", "The log above says why; so does `tally doctor`."
        )


def by_port(app: ASGIApp, placement: ASGIApp, listener: socket.socket) -> ASGIApp:
    """One application for two ports; whatever is no call is the first one's."""
    port = listener.getsockname()[1]

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        is_there = scope["type"] == "http" and scope["server"][1] == port
        await (placement if is_there else app)(scope, receive, send)

    return either


def _seed(url: str, server: uvicorn.Server) -> None:
    """On a thread of its own, through the service's own front door."""
    from scripts.cli import demo, demo_cloud
    from scripts.cli.client import ServiceClient

    try:
        with ServiceClient(url) as client:
            if demo.is_wanted(client):
                demo.load(client)
                count = len(demo_cloud.providers())
                screen.say(f"  The demo cloud is loaded: {count} providers.")
    except Failure as failure:
        if not server.should_exit:
            screen.note(f"tally: the demo cloud is not complete: {failure.what}")
            screen.note("  `tally demo` goes on with it.")
