"""Writes a file whole or not at all."""

from pathlib import Path

from scripts.cli.failure import Failure


def write(path: Path, content: bytes) -> None:
    """The file has its name only once it is whole."""
    unfinished = Path(f"{path}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise Failure(f"{path} cannot be written: {error.strerror}") from None
