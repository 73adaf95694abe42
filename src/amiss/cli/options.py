"""Options that several commands have."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Home: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--home", help="The data folder (else $AMISS_HOME, else the user's).", show_default=False
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
Labels: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="A table of what was amiss: start,end or time for moments, and series if known."
    ),
]
Near: TypeAlias = Annotated[
    str, typer.Option(help="How far from a labelled moment an incident still tells of it.")
]
