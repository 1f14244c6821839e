"""The reader that runs beside a rebuild: it tells an answer that failed, and one that changed."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from scripts.benchmarks.rebuild_under_load import Reads, reading


def test_a_reader_tells_answers_that_fail_and_answers_that_change() -> None:
    answers = iter([(200, b"whole"), (200, b"whole"), (503, b""), (200, b"half")])

    class Changing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = next(answers, (200, b"whole"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent: the test's output is for failures."""

    reads = Reads()
    with ThreadingHTTPServer(("127.0.0.1", 0), Changing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with reading(server.server_port, ["/v1/claims/one"], reads):
            while reads.answered < 10:
                time.sleep(0.01)
        server.shutdown()
    assert (reads.errors, reads.differing) == (1, 1)
