"""`amiss init`: a configuration to start from."""

from pathlib import Path
from typing import Annotated

import typer

from amiss.cli.options import AsJson


def init(
    blueprint: Annotated[str, typer.Argument(help="What to start from.")] = "this-host",
    out: Annotated[
        str, typer.Option("--out", "-o", help="The file to write, or - for the output.")
    ] = "amiss.yaml",
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
    json: AsJson = False,
) -> None:
    """Write a commented configuration: of this machine, or of a blueprint by name.

    this-host has every default, security reads logs, node-metrics asks Prometheus, app-logs asks
    Loki, web-stream goes from a table to Kafka and Pinot. Put your own paths and addresses in.
    """
    from amiss import config
    from amiss.cli.output import print_json
    from amiss.errors import ConfigError

    if blueprint not in config.known():
        raise ConfigError(
            f"there is no blueprint {blueprint!r}; known: {', '.join(config.known())}"
        )
    if out == "-":
        text = config.blueprint(blueprint)
        if json:
            print_json(config.parse(text, blueprint).model_dump(mode="json"))
        else:
            print(text, end="")
        return
    path = Path(out)
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already; --force writes over it, -o names another")
    try:
        path.write_text(config.blueprint(blueprint, path.name), encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be written: {exc.strerror}") from None
    if json:
        print_json({"written": str(path), "blueprint": blueprint})
    else:
        print(f"{path} is written; `amiss check {path}` looks it over, `amiss run {path}` starts")
