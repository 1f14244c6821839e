"""`tally replay`: a recorded cluster, sent through the ledger in the trace's own time."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scripts.cli import options
from scripts.cli.options import JsonOption, UrlOption

if TYPE_CHECKING:
    from scripts.cli.replay_result import ReplayCount
    from scripts.cli.replay_run import PatientWriter
    from scripts.cli.replay_schedule import Step

TraceArgument = Annotated[
    Path,
    typer.Argument(metavar="TRACE", help="Folder with the trace's CSV files, in the openb layout."),
]
PodsOption = Annotated[
    Path | None,
    typer.Option(help="Pod list in the folder.", show_default="*pod_list_default.csv"),
]
NodesOption = Annotated[
    Path | None,
    typer.Option(help="Node list in the folder.", show_default="*node_list_all_node.csv"),
]
LimitOption = Annotated[
    int | None,
    typer.Option(min=0, help="Stop after that many pods; a greater limit later goes on."),
]
StartOption = Annotated[
    str,
    typer.Option(metavar="TIME", callback=options.moment, help="When the trace's second 0 was."),
]
PatienceOption = Annotated[
    float, typer.Option(min=0, help="Seconds to wait for a service that went away.")
]


def replay(
    trace: TraceArgument,
    *,
    pods: PodsOption = None,
    nodes: NodesOption = None,
    limit: LimitOption = None,
    start_time: StartOption = "2023-01-01T00:00:00Z",
    patience: PatienceOption = 60.0,
    url: UrlOption = options.DEFAULT_URL,
    as_json: JsonOption = False,
) -> None:
    """Replay a cluster's trace through the running service.

    Nodes become providers, their GPUs discrete units that can be shared in
    thousandths; pods become requests at their creation time, and what was
    placed is released at its deletion time. The ledger's time is the trace's.

    A replay that broke off is run again with the same command: every step has
    its own idempotency key, so it ends in the same state as one that never
    did.

    \b
    Examples:
      tally replay traces/openb
      tally replay traces/openb --limit 500
      tally replay traces/openb --pods openb_pod_list_gpushare60.csv --json
    """
    from scripts.cli import replay_result, screen
    from scripts.cli.client import ServiceClient
    from scripts.cli.replay_run import PatientWriter
    from scripts.cli.replay_schedule import schedule
    from scripts.cli.replay_trace import read_trace

    recorded = read_trace(trace, nodes, pods)
    steps = schedule(recorded, datetime.fromisoformat(start_time), limit)
    count = replay_result.ReplayCount(recorded.nodes)
    with ServiceClient(url) as client:
        # Patience is for a service that goes away, not for one that was never started.
        client.health()
        _run(steps, PatientWriter(client, patience, screen.note), count)
    report = {"trace": recorded.digest, **count.report()}
    if as_json:
        screen.write_json(report)
    else:
        replay_result.show(report)


def _run(steps: "list[Step]", writer: "PatientWriter", count: "ReplayCount") -> None:
    from scripts.cli.failure import Failure
    from scripts.cli.progress import progress
    from scripts.cli.replay_run import run

    try:
        with progress("replay", len(steps)) as advance:
            run(steps, writer, count, advance)
    except KeyboardInterrupt:
        raise Failure(
            f"stopped after {count.steps.total():,} writes", "Run the same command to go on."
        ) from None
