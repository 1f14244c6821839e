"""How builds of projections are shown: as a table, and as progress."""

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from scripts.cli import screen

if TYPE_CHECKING:
    from scripts.cli.client import ServiceClient

LOOK_SECONDS = 0.3


def show_builds(items: list[dict[str, Any]]) -> None:
    columns = ("projection", "version", "position", "lag (events)", "lag (seconds)", "size")
    screen.table(
        (*columns, "state"),
        (
            (
                item["name"],
                item["version"] + (" *" if item["serving"] else ""),
                screen.number(item["position"]),
                screen.number(item["lag_events"]),
                f"{item['lag_seconds'] or 0:.1f}",
                size(item["size_bytes"]),
                state(item),
            )
            for item in items
        ),
        right=columns[1:],
    )
    screen.say("* serves")


def state(item: dict[str, Any]) -> str:
    told = str(item["state"])
    if item["progress"] and under_way(item):
        told += f", {_doing(item['progress'])}"
    if item["error"]:
        told += f": {item['error']}"
    if item["to_go_on"]:
        told += f"; to go on: {item['to_go_on']}"
    return told


def under_way(item: dict[str, Any]) -> bool:
    return item["state"] in ("building", "switching")


def size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def follow(client: "ServiceClient", wanted: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Show how these builds go on, and return them when none of them does any more."""
    from scripts.cli.progress import progress_as_told

    done = []
    for name, version in wanted:
        path = f"/v1/projections/{name}/builds/{version}"
        with ExitStack() as stack:
            tell = stack.enter_context(progress_as_told(f"{name} {version}"))
            phase = ""
            while under_way(build := client.get(path)):
                seen = build["progress"]
                if seen and seen["phase"] == "reading":
                    tell(seen["done"], seen["of"])
                elif seen and seen["phase"] != phase:
                    screen.note(f"{name} {version}: {seen['phase']}")
                phase = seen["phase"] if seen else ""
                time.sleep(LOOK_SECONDS)
        done.append(build)
    return done


def show_comparison(build: dict[str, Any]) -> None:
    """What became of a build, and how its tables compare with those that served."""
    told = f"{build['name']} {build['version']}"
    compared = build["comparison"]
    if compared and compared["tables"]:
        counts = ("rows before", "rows now", "columns compared")
        screen.table(
            ("table", *counts, "columns that differ"),
            (
                (
                    one["table"],
                    screen.number(one["rows_before"]),
                    screen.number(one["rows"]),
                    str(one["columns"]),
                    ", ".join(one["differing"]) or "none",
                )
                for one in compared["tables"]
            ),
            title=f"{told} against {compared['against']}, at position {compared['position']:,}",
            right=counts,
        )
    elif compared:
        screen.say(f"{told} was not compared: {compared['note']}.")
    screen.say(f"{told} serves." if build["serving"] else f"{told}: {state(build)}")


def _doing(progress: dict[str, Any]) -> str:
    share = progress["done"] / max(1, progress["of"])
    told = f"{progress['phase']} {share:.0%}, {progress['events_per_second']:,.0f}/s"
    left = progress["seconds_left"]
    return told if left is None else f"{told}, {left:,.0f} s left"
