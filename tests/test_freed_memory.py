"""Memory that was freed serves the next long answer."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

COUNT_FAULTS = """
import resource
from scripts.cli.freed_memory import keep_freed_memory

def answer():
    pieces = [bytes(1_000_000) for _ in range(5)]
    return len(pieces)

keep_freed_memory()
answer()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    answer()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES_OF_AN_ANSWER = 5_000_000 // 4096


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
def test_fifty_long_answers_take_the_memory_of_one() -> None:
    told = subprocess.check_output([sys.executable, "-c", COUNT_FAULTS], text=True)
    assert int(told) < PAGES_OF_AN_ANSWER
