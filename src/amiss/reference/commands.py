"""The page of all commands."""

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from amiss.cli import app
from amiss.reference.words import Pages

HEAD = """\
# Commands

`amiss COMMAND --help` says the same. A command ends with 0 if all went well, \
with 1 if it did not, and with 2 if what was asked for cannot be.
"""


def commands() -> Pages:
    """What each does, and what it can be told."""
    lines = [HEAD]
    for name, command in _all(typer.main.get_command(app)):
        lines += [f"## amiss {name}", "", inspect.cleandoc(command.help or ""), ""]
        if rows := list(map(_row, command.params)):
            lines += ["| | default | meaning |", "|-|-|-|", *rows, ""]
    yield "commands.md", "\n".join(lines)


def _all(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Commands, those within others after them."""
    for name, command in sorted(group.commands.items()):
        yield before + name, command
        if hasattr(command, "commands"):
            yield from _all(command, f"{before}{name} ")


def _row(param: Any) -> str:
    argument = param.param_type_name == "argument"
    said = [param.name.upper()] if argument else sorted(param.opts, key=len, reverse=True)
    names = ", ".join(f"`{one}`" for one in said)
    return f"| {names} | {' '.join(_default(param))} | {' '.join((param.help or '').split())} |"


def _default(param: Any) -> Iterator[str]:
    if param.required:
        yield "needed"
    elif param.default not in (None, False):
        yield f"`{param.default}`"
