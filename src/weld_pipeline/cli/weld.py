"""`weld`: what is done outside a Kedro run."""

import typer

from weld_pipeline.cli.bundle import bundles
from weld_pipeline.cli.categories import categories
from weld_pipeline.cli.checkpoint import checkpoints
from weld_pipeline.cli.errors import SayErrors
from weld_pipeline.cli.evaluation import evaluate
from weld_pipeline.cli.inspection import inspect
from weld_pipeline.cli.live import live
from weld_pipeline.cli.weights import weights

app = typer.Typer(
    cls=SayErrors,
    help="Inspect welds, evaluate predictions, compare detectors over categories, look into bundles, checkpoints and weights.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(inspect)
app.command()(live)
app.command()(evaluate)
app.command()(categories)
app.add_typer(bundles, name="bundle")
app.add_typer(checkpoints, name="checkpoint")
app.add_typer(weights, name="weights")
