"""HTML and SVG put together from elements: whatever is not markup already is escaped."""

from html import escape

# These have no content, and so no end.
VOID = ("meta", "col")


class Markup(str):
    """Text that is HTML. Only `element` makes it of other text, and that it escapes."""

    __slots__ = ()


def element(name: str, /, *children: str, **attributes: str | float | None) -> Markup:
    """`class_` is written class, `stroke_width` stroke-width; an attribute of None is left out."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_attribute(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{told}>{joined(*children)}" + ("" if name in VOID else f"</{name}>"))


def joined(*children: str) -> Markup:
    return Markup(
        "".join(child if isinstance(child, Markup) else escape(child) for child in children)
    )


def _attribute(value: str | float) -> str:
    """Hundredths of a pixel are enough for a drawing."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
