"""Lists, page by page: each answer carries an opaque cursor to where the next one goes on."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.responses import Response

from api.problems import BadCall
from api.writes import told

T = TypeVar("T")
K = TypeVar("K")

MOST = 1000

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many items a page has at most.")]
CursorText = Annotated[
    str | None,
    Query(max_length=4096, description="Where to go on: the `next` of the page before."),
]


class Page(BaseModel, Generic[T]):
    """Some items of a list. `next` is the cursor of the page after this one, null on the last."""

    items: list[T]
    next: str | None


class Cursor(Generic[K]):
    """The key of a list's last item told, hidden in a text that only this list takes back."""

    def __init__(self, list_name: str, key: Any) -> None:
        self.list_name = list_name
        self._key: TypeAdapter[tuple[str, K]] = TypeAdapter(tuple[str, key])

    def hide(self, key: K) -> str:
        text = json.dumps([self.list_name, key], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def find(self, cursor: str | None) -> K | None:
        if cursor is None:
            return None
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            text = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
            list_name, key = self._key.validate_json(text, strict=True)
        except (ValueError, binascii.Error, ValidationError) as wrong:
            raise BadCall("bad_cursor", "use the `next` of a page as it is") from wrong
        if list_name != self.list_name:
            raise BadCall("bad_cursor", f"the cursor belongs to another list than {self.list_name}")
        return key

    def page(self, found: Sequence[T], limit: int, key_of: Callable[[T], K]) -> Response:
        """Answer up to `limit` of what was found; one more found says that there is a next page."""
        return page_response(found[:limit], self.after(found, limit, key_of))

    def after(self, found: Sequence[T], limit: int, key_of: Callable[[T], K]) -> str | None:
        """The cursor of the next page, if there is one."""
        return self.hide(key_of(found[limit - 1])) if len(found) > limit else None


def page_response(items: Sequence[Any], following: str | None) -> Response:
    page = Page[Any](items=list(items), next=following)
    return Response(told(page), media_type="application/json")
