"""The command line. One file a command; what a command needs is imported when it runs."""

import os
import sys

import typer

from amiss.cli import (
    audit,
    backtest,
    benchmark,
    check,
    doctor,
    exclude,
    explain,
    feedback,
    incidents,
    init,
    models,
    pump,
    report,
    run,
    schema,
    score,
    templates,
    train,
)
from amiss.errors import ConfigError, Error
from amiss.linear_algebra import ONE_THREAD

app = typer.Typer(
    name="amiss",
    help="Says, within an alert budget, when something is amiss, and why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    run.run,
    init.init,
    check.check,
    score.score,
    backtest.backtest,
    templates.templates,
    incidents.incidents,
    explain.explain,
    feedback.acknowledge,
    feedback.feedback,
    report.report,
    train.train,
    exclude.exclude,
    pump.pump,
    doctor.doctor,
    schema.schema,
    schema.version,
):
    app.command()(command)
app.add_typer(models.models)
app.add_typer(audit.audit)
app.add_typer(benchmark.benchmark)


def entry() -> None:
    """Run the command; ends with 0, with 2 for a mistake of the user, else with 1."""
    for name, threads in ONE_THREAD.items():
        os.environ.setdefault(name, threads)  # read when numpy is imported, which a command does
    try:
        app(prog_name="amiss")
    except Error as exc:
        print(exc, file=sys.stderr)
        sys.exit(2 if isinstance(exc, ConfigError) else 1)
