"""The command line. One file a command; what a command needs is imported when it runs."""

import os
import sys

import typer

from amiss.cli.check import check
from amiss.cli.doctor import doctor
from amiss.cli.explain import explain
from amiss.cli.incidents import incidents
from amiss.cli.init import init
from amiss.cli.models import models, train
from amiss.cli.run import run
from amiss.cli.schema import schema, version
from amiss.cli.score import score
from amiss.errors import ConfigError, Error

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
    run,
    init,
    check,
    score,
    incidents,
    explain,
    models,
    train,
    doctor,
    schema,
    version,
):
    app.command()(command)


def entry() -> None:
    """Run the command; ends with 0, with 2 for a mistake of the user, else with 1."""
    try:
        app()
    except BrokenPipeError:
        # whoever read the output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Error as exc:
        print(exc, file=sys.stderr)
        sys.exit(2 if isinstance(exc, ConfigError) else 1)
