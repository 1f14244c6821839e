"""How an error is told: as OpenStack's clients expect it, or as a page."""

from __future__ import annotations

from html import escape
from http import HTTPStatus

from pydantic_core import to_json

from api.placement.call import Answer
from api.placement.faults import Fault
from api.placement.negotiation import NEWEST, OLDEST, NoSuchVersion, error_form

EXPLANATIONS = {
    400: "The server cannot make sense of the call.",
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
    405: "The method is not allowed for this resource.",
    406: "None of the forms that the call accepts is provided.",
    409: "The call conflicts with the state of what it is about.",
    413: "The body is too large.",
    415: "The media type of the body is not supported.",
    500: "Something broke on our side.",
    503: "The ledger cannot be reached, or is busy: try again shortly.",
}
_NEWLINE = "\n"
SINCE_CODES = 23
"""From 1.23 on errors carry a code."""


def error_answer(fault: Fault, accept: str, minor: int | None, request_id: str) -> Answer:
    """`minor` None: the call failed before its microversion was known."""
    title = HTTPStatus(fault.status).phrase
    # The command line of OpenStack shows the last line.
    detail = f"{EXPLANATIONS[fault.status]}\n\n{fault.detail.replace(_NEWLINE, ' ')}"
    form = error_form(accept)
    if form == "application/json":
        body = to_json({"errors": [_told(fault, title, detail, minor, request_id)]})
    elif form == "text/html":
        heading = f"{fault.status} {title}"
        page = f"<html><head><title>{heading}</title></head><body><h1>{heading}</h1>"
        body = f"{page}{escape(detail, quote=False)}</body></html>".encode()
    else:
        body = f"{fault.status} {title}\n\n{detail}".encode()
    return Answer(fault.status, body, media_type=form, headers=dict(fault.headers))


def _told(
    fault: Fault, title: str, detail: str, minor: int | None, request_id: str
) -> dict[str, object]:
    told: dict[str, object] = {"status": fault.status, "title": title, "detail": detail}
    if minor is not None and minor >= SINCE_CODES:
        told["code"] = fault.code
    told["request_id"] = request_id
    if isinstance(fault, NoSuchVersion):
        told["max_version"], told["min_version"] = f"1.{NEWEST}", f"1.{OLDEST}"
    return told


def unauthorized() -> Answer:
    """Placement's own form for those whom it does not know."""
    body = {
        "message": "The caller is not known: send a token in X-Auth-Token.",
        "code": "401 Unauthorized",
        "title": "Unauthorized",
    }
    return Answer(401, to_json(body))
