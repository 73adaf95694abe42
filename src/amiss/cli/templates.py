"""`amiss templates`: the template of each line of a log."""

import sys
from typing import Annotated

import typer


def templates(
    input: Annotated[str, typer.Argument(help="Text, .gz or not; - is standard input.")],
    out: Annotated[str, typer.Option("--out", help="A file, a folder, or - for the output.")],
) -> None:
    """Find the templates of the lines of a log.

    Lines that differ in values only (numbers, addresses, paths, names) have one template, with
    <*> where they differ. Writes line, template_id and template for each line. No settings:
    one way for all systems.
    """
    from amiss.cli.progress import reading
    from amiss.evaluate.log import Log
    from amiss.evaluate.score import outputs
    from amiss.evaluate.templates import write_templates

    log = Log(input)
    [path] = outputs([log], out)
    with reading(log.size) as tell:
        lines, found = write_templates(log, path, tell)
    if path is not None:
        print(f"{log.name}: {lines:,} lines, {found:,} templates: {path}", file=sys.stderr)
