"""The command line. One file a command; what a command needs is imported when it runs."""

import os
import sys

import typer

from amiss.cli.score import score
from amiss.errors import ConfigError, Error

app = typer.Typer(
    name="amiss",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Says, within an alert budget, when something is amiss, and why.",
)


@app.callback()
def _amiss() -> None:
    """Keep the names of commands even if there is but one."""


app.command()(score)


def entry() -> None:
    """Run the command; ends with 0, with 2 for a mistake of the user, else with 1."""
    try:
        app()
    except BrokenPipeError:
        # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Error as exc:
        print(exc, file=sys.stderr)
        sys.exit(2 if isinstance(exc, ConfigError) else 1)
