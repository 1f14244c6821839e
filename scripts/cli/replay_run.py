"""Sends a schedule over one connection, one step after the other, and waits when the service goes
away.

One connection and no overlap, because the order of the steps decides who finds room.
"""

import time
from collections.abc import Callable, Iterable

from scripts.cli.client import Body, ServiceClient, ServiceProblem, ServiceUnreachable, Write
from scripts.cli.failure import Failure
from scripts.cli.replay_result import ReplayCount
from scripts.cli.replay_schedule import Step

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
BUSY = 503

ANOTHER_LEDGER = (
    "This ledger already holds something else under these names, or a later time.\n"
    "Give the trace a ledger of its own: `tally serve --empty --data NEW_FOLDER`."
)
REMEDIES = {
    "client_time_refused": "A replay brings the trace's own time: "
    "start the service with TALLYSTICK_CLIENT_TIME=accept.",
    "time_runs_backwards": ANOTHER_LEDGER,
}


class PatientWriter:
    """Repeats a write while the service is away or busy. Safe, as every write carries its key."""

    def __init__(
        self,
        client: ServiceClient,
        patience_seconds: float,
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._patience_seconds = patience_seconds
        self._say = say
        self._sleep = sleep
        self.waits = 0

    def write(self, write: Write) -> Body:
        try:
            return self._client.write(write)
        except (ServiceUnreachable, ServiceProblem) as failure:
            return self._again(write, failure)

    def _again(self, write: Write, failure: Failure) -> Body:
        began = time.monotonic()
        pause = FIRST_PAUSE_SECONDS
        wanted = _pause_wanted(failure)
        self._say(f"{failure.what}; waiting up to {self._patience_seconds:g} s for the service")
        self.waits += 1
        while time.monotonic() - began + pause <= self._patience_seconds:
            self._sleep(max(pause, min(wanted, LONGEST_PAUSE_SECONDS)))
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            try:
                answer = self._client.write(write)
            except (ServiceUnreachable, ServiceProblem) as again:
                wanted = _pause_wanted(again)
                failure = again
                continue
            self._say(f"the service is back after {time.monotonic() - began:.1f} s; going on")
            return answer
        raise Failure(
            f"the service stayed away for {self._patience_seconds:g} s: {failure.what}",
            "Start it again, then run the same command: it goes on where it broke off.",
        )


def _pause_wanted(failure: Failure) -> float:
    """Seconds that a busy service asks for, 0 where none answers; any other problem is raised."""
    if isinstance(failure, ServiceProblem):
        if failure.status != BUSY:
            raise failure
        return failure.retry_seconds or 0.0
    return 0.0


def run(
    steps: Iterable[Step], writer: PatientWriter, count: ReplayCount, advance: Callable[[], None]
) -> None:
    """A pod that was refused has nothing to release, so its release is left out."""
    for step in steps:
        if step.kind != "release" or count.holds(step.name):
            count.record(step, _sent(step, writer))
        advance()


def _sent(step: Step, writer: PatientWriter) -> Body:
    try:
        return writer.write(step.write)
    except ServiceProblem as problem:
        remedy = ANOTHER_LEDGER if problem.status == 409 else REMEDIES.get(problem.code, "")
        raise Failure(f"{step.kind} {step.name}: {problem.what}", remedy) from None
