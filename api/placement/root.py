"""The version document, which everybody may read."""

from __future__ import annotations

from api.placement.call import Answer, Call, json_answer
from api.placement.negotiation import NEWEST, OLDEST
from api.placement.routes import Route, Routes


async def show_versions(_call: Call) -> Answer:
    version = {
        "id": f"v1.{OLDEST}",
        "max_version": f"1.{NEWEST}",
        "min_version": f"1.{OLDEST}",
        "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }
    return json_answer({"versions": [version]}, is_dated=True)


ROUTES: Routes = {"/": {"GET": Route(show_versions, None)}}
