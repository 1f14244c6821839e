"""Cross-origin calls of browsers, if an operator allows any origins."""

from __future__ import annotations

from collections.abc import Mapping

ALLOWED_HEADERS = ("openstack-api-version", "x-auth-token", "content-type", "accept")
EXPOSED_HEADERS = "openstack-api-version, x-openstack-request-id"
METHODS = "GET, PUT, POST, DELETE"


def preflight(headers: Mapping[str, str], origins: tuple[str, ...]) -> dict[str, str]:
    """What the answer to OPTIONS says: nothing to an origin that is not allowed."""
    wanted = [name.strip() for name in headers.get("access-control-request-headers", "").split(",")]
    asked = [name for name in wanted if name]
    if any(name.lower() not in ALLOWED_HEADERS for name in asked):
        return {}
    told = allowed(headers, origins)
    if told:
        told["access-control-allow-methods"] = METHODS
        told["access-control-max-age"] = "3600"
        if asked:
            told["access-control-allow-headers"] = ",".join(asked)
    return told


def allowed(
    headers: Mapping[str, str], origins: tuple[str, ...], vary: str | None = None
) -> dict[str, str]:
    """What every other answer says to an allowed origin. It varies by the origin as well."""
    origin = headers.get("origin", "")
    if origin not in origins and "*" not in origins:
        return {}
    return {
        "access-control-allow-origin": origin or "*",
        "access-control-expose-headers": EXPOSED_HEADERS,
        "vary": f"{vary}, origin" if vary else "origin",
    }
