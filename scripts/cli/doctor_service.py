"""What `tally doctor` asks the running service."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scripts.cli.client import Body, ServiceClient
from scripts.cli.doctor_check import Check, fail, ok, warn
from scripts.cli.failure import Failure

# Reads wait for their projection, so a lag is time that a client waits.
SLOW_SECONDS = 10.0
# The Date header counts whole seconds, and the answer takes a moment.
CLOCK_SECONDS = 3.0


def check_service(client: ServiceClient, engine: str) -> Iterator[Check]:
    """`engine` is what this command line's settings name; the service should have the same."""
    try:
        health = client.health()
        yield ok("service", f"answers at {client.url}")
        yield check_health(health)
        yield check_engine(health, engine)
        for projection in health.get("projections", ()):
            if projection["serving"]:
                yield check_projection(projection)
        yield check_clock_of(client)
        yield check_last_event(client)
    except Failure as failure:
        yield fail("service", failure.what, failure.remedy or "See the service's log.")


def check_health(health: Body) -> Check:
    if health.get("status") == "ok":
        return ok("health", f"position {health.get('position')}")
    return fail("health", str(health.get("status")), "See the checks below and the service's log.")


def check_engine(health: Body, engine: str) -> Check:
    if health.get("engine") == engine:
        return ok("engine", engine)
    return warn(
        "engine",
        f"the service has {health.get('engine')}, this command line's settings name {engine}",
        "Give both the same TALLYSTICK_DATABASE_URL and TALLYSTICK_DATA, or `tally verify` "
        "reads another ledger.",
    )


def check_projection(projection: Body) -> Check:
    name = f"projection {projection['name']}"
    if projection.get("error"):
        return fail(
            name,
            f"stopped at position {projection['position']}: {projection['error']}",
            f"It never skips an event: mend the cause, then {projection.get('to_go_on')}.",
        )
    seconds = projection.get("lag_seconds") or 0.0
    found = f"{projection['lag_events']} events, {seconds:.1f} s behind"
    if seconds > SLOW_SECONDS:
        return warn(name, found, "Is a projector running? Start one with `tally project`.")
    return ok(name, found)


def check_clock_of(client: ServiceClient) -> Check:
    date = client.answered_at()
    if not date:
        return warn("service's clock", "it tells no Date", "A proxy may take the header away.")
    apart = abs((datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds())
    if apart > CLOCK_SECONDS:
        return warn(
            "service's clock",
            f"{apart:.0f} s apart from this machine's",
            "Let both machines follow a time server.",
        )
    return ok("service's clock", "agrees with this machine's")


def check_last_event(client: ServiceClient) -> Check:
    """A time in the future means that the clock was set back: the next writes will be refused."""
    events = list(client.pages("/v1/history", limit=1, order="desc"))
    if not events:
        return ok("last event", "none yet")
    at = str(events[0]["at"])
    if (datetime.fromisoformat(at) - datetime.now(UTC)).total_seconds() > CLOCK_SECONDS:
        return fail("last event", f"{at} is in the future", "Set the machine's clock right.")
    return ok("last event", at)
