"""What a call's headers ask for: a microversion, and a form of the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping

from api.placement.faults import Fault

OLDEST, NEWEST = 0, 39
"""Microversions are 1.OLDEST to 1.NEWEST."""
VERSION_HEADER = "openstack-api-version"
SERVICE = "placement"

_VERSION = re.compile(r"(\d+)\.(\d+)")


class NoSuchVersion(Fault):
    """Its answer tells which versions there are."""


def read_minor(headers: Mapping[str, str]) -> int:
    """The last version that the header names for this service; the oldest without any."""
    for named in reversed(headers.get(VERSION_HEADER, "").split(",")):
        service, _, version = named.strip().partition(" ")
        if service.lower() == SERVICE and version.strip():
            return _minor(version.strip())
    return OLDEST


def _minor(version: str) -> int:
    if version == "latest":
        return NEWEST
    found = _VERSION.fullmatch(version)
    if found is None:
        raise Fault(400, f"Invalid microversion: invalid version string: {version}")
    major, minor = map(int, found.groups())
    if major != 1 or minor > NEWEST:
        raise NoSuchVersion(406, f"Invalid microversion: Unacceptable version header: {version}")
    return minor


# --- The form of the answer -----------------------------------------------------------------------


def admits_json(accept: str) -> bool:
    return not accept or _quality(accept, "application/json") > 0


def error_form(accept: str) -> str:
    """The media type in which an error is told: JSON wherever that is possible and not liked less
    than HTML; plain text to those who take neither."""
    if not accept:
        return "application/json"
    json, html = _quality(accept, "application/json"), _quality(accept, "text/html")
    if json and json >= html:
        return "application/json"
    return "text/html" if html else "text/plain"


def _quality(accept: str, media_type: str) -> float:
    """How much a type is wanted (RFC 9110, 12.5.1), by its most specific range; 0: not at all."""
    main = media_type.split("/", maxsplit=1)[0]
    found = {media_type: -1.0, f"{main}/*": -1.0, "*/*": -1.0}
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name in found:
            weights = [one[2:] for one in parameters if one.startswith("q=")]
            found[name] = _number(weights[0]) if weights else 1.0
    return next((quality for quality in found.values() if quality >= 0), 0.0)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
