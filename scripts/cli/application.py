"""The commands of `tally`, put together. Each imports what it needs only when it runs."""

import typer

from scripts.cli.archive import archive
from scripts.cli.audit import audit
from scripts.cli.bill import bill
from scripts.cli.capacity import capacity
from scripts.cli.demo import demo
from scripts.cli.doctor import doctor
from scripts.cli.events import events
from scripts.cli.explain import explain
from scripts.cli.failure import TallyGroup
from scripts.cli.focus import focus
from scripts.cli.history import history
from scripts.cli.moves import exports, imports
from scripts.cli.prices import prices
from scripts.cli.project import project
from scripts.cli.projections import projections
from scripts.cli.proof import proof
from scripts.cli.replay import replay
from scripts.cli.seal import seal
from scripts.cli.serve import serve
from scripts.cli.statements import statements
from scripts.cli.stranding import stranding
from scripts.cli.usage import usage
from scripts.cli.utilization import utilization
from scripts.cli.verify import verify
from scripts.cli.webhooks import webhooks

app = typer.Typer(
    cls=TallyGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_show_locals=False,
    help="An event-sourced ledger of claims on resources. Start it with `tally serve`.",
)
app.command(rich_help_panel="Run it")(serve)
app.command(rich_help_panel="Run it")(project)
app.command(rich_help_panel="Run it")(demo)
app.add_typer(imports, name="import", rich_help_panel="Fill it")
app.add_typer(exports, name="export", rich_help_panel="Fill it")
app.command(rich_help_panel="Fill it")(replay)
app.command(rich_help_panel="Read it")(capacity)
app.command(rich_help_panel="Read it")(usage)
app.command(rich_help_panel="Read it")(utilization)
app.command(rich_help_panel="Read it")(stranding)
app.command(rich_help_panel="Read it")(explain)
app.command(rich_help_panel="Read it")(history)
app.command(rich_help_panel="Read it")(events)
app.add_typer(webhooks, name="webhooks", rich_help_panel="Read it")
app.add_typer(prices, name="prices", rich_help_panel="Bill it")
app.command(rich_help_panel="Bill it")(bill)
app.add_typer(statements, name="statements", rich_help_panel="Bill it")
app.command(rich_help_panel="Bill it")(focus)
app.command(rich_help_panel="Check it")(doctor)
app.add_typer(projections, name="projections", rich_help_panel="Check it")
app.command(rich_help_panel="Check it")(verify)
app.command(rich_help_panel="Check it")(audit)
app.add_typer(proof, name="proof", rich_help_panel="Check it")
app.command(rich_help_panel="Keep it")(seal)
app.add_typer(archive, name="archive", rich_help_panel="Keep it")
