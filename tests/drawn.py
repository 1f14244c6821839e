"""The drawings of a page, read back: their rectangles and their words, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple
from xml.etree import ElementTree as ET

LETTER = 7.0
"""About as wide as a letter of 12 px is, in the fonts that pages ask for."""
HIGH = 11.0


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class Drawing:
    def __init__(self, svg: str) -> None:
        self.root = ET.fromstring(svg)  # noqa: S314  our own drawing
        _, _, width, height = (float(one) for one in self.root.attrib["viewBox"].split())
        self.frame = Box(0, 0, width, height)

    @property
    def title(self) -> str:
        return self.root.attrib["aria-label"]

    @property
    def words(self) -> list[tuple[str, Box]]:
        return [(one.text or "", _box_of(one)) for one in self.root.iter("text")]

    def rectangles(self, colour: str) -> list[Box]:
        return [
            Box(x, y, x + width, y + height)
            for one in self.root.iter("rect")
            if one.attrib["class"] == colour
            for x, y, width, height in [
                tuple(float(one.attrib[name]) for name in ("x", "y", "width", "height"))
            ]
        ]

    @property
    def hovers(self) -> list[str]:
        return [one.text or "" for one in self.root.iter("title")]

    def check(self) -> None:
        """Everything is within the frame, and no words are written over others."""
        words = self.words
        for text, box in words:
            assert -0.5 <= box.left < box.right <= self.frame.right + 0.5, (self.title, text, box)
            assert -2 <= box.top < box.bottom <= self.frame.bottom + 2, (self.title, text, box)
        for (one, here), (other, there) in combinations(words, 2):
            assert not here.overlaps(there), (self.title, one, other)
        for element in self.root.iter("rect"):
            colour = element.attrib["class"]
            for box in self.rectangles(colour):
                assert box.right <= self.frame.right + 0.1, (self.title, colour, box)
                assert 0 <= box.top <= box.bottom <= self.frame.bottom + 0.1, (self.title, box)


def _box_of(text: ET.Element) -> Box:
    x, y = float(text.attrib["x"]), float(text.attrib["y"])
    width = len(text.text or "") * LETTER
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[text.attrib["text-anchor"]]
    return Box(left, y - HIGH, left + width, y)


def drawings(page: str) -> Iterator[Drawing]:
    """Those that are images; the small ones of legends are not."""
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        if 'role="img"' in svg:
            yield Drawing(svg)
