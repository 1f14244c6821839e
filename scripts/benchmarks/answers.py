"""Reading HTTP/1.1 answers with as little work as correctness allows."""


class UnreadableAnswer(Exception):
    """The bytes are no HTTP/1.1 answer whose length is given by Content-Length."""


def read_answer(data: bytes) -> tuple[int, int] | None:
    """The status code and the length in bytes of the first answer; None until `data` holds it.

    Only Content-Length framing is read: the services measured here send no chunks, and an
    answer that does not say its length must stop the benchmark instead of being guessed.
    """
    head_end = data.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = data[:head_end].lower()
    if not head.startswith(b"http/1.1 "):
        raise UnreadableAnswer(f"not an HTTP/1.1 status line: {data[:40]!r}")
    whole = head_end + 4 + _body_length(head)
    return (int(head[9:12]), whole) if len(data) >= whole else None


def _body_length(head: bytes) -> int:
    start = head.find(b"\r\ncontent-length:")
    if start >= 0:
        stop = head.find(b"\r\n", start + 17)
        return int(head[start + 17 : stop if stop >= 0 else len(head)])
    if head[9:12] in (b"204", b"304"):
        return 0
    raise UnreadableAnswer(f"no Content-Length in {head[:200]!r}")
