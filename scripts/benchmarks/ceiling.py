"""A server that answers everything at once: the load generator's own limit is measured on it.

`python -m scripts.benchmarks.ceiling` prints its port and serves until its input is closed.
"""

import asyncio
import sys
from typing import cast

from scripts.benchmarks.load import event_loop_factory

BODY = b'{"status":"placed"}'
ANSWER = b"HTTP/1.1 201 Created\r\ncontent-length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Instant(asyncio.Protocol):
    """Takes each arrival of bytes for one request; enough for clients that await each answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, _data: bytes) -> None:
        self.transport.write(ANSWER)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Instant, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # The parent holds the other end: when it ends, in whatever way, so does this server.
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(serve())
