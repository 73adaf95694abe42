"""`amiss audit`: who did what, and whether that record is whole."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from amiss.cli.options import AsJson, Home

audit = typer.Typer(name="audit", help="The audit trail: who did what.", no_args_is_help=True)


@audit.command()
def show(
    last: Annotated[int, typer.Option("-n", "--last", help="How many, from the end.", min=1)] = 50,
    json: AsJson = False,
    home: Home = None,
) -> None:
    """Say what was done, by whom, when; the newest last."""
    from amiss.audit import FILE, entries
    from amiss.cli.output import print_json, print_table
    from amiss.home import home as folder_of

    found = entries(folder_of(home) / FILE, last)
    if json:
        print_json(found)
        return
    rows = [
        (
            str(one["n"]),
            str(one["time"]).partition(".")[0].rstrip("Z"),
            str(one["who"]),
            str(one["what"]),
            plain(", ".join(_told(one["said"]))),
        )
        for one in found
    ]
    print_table(("", "UTC", "who", "what", ""), rows, wide="")


@audit.command()
def verify(json: AsJson = False, home: Home = None) -> None:
    """Say whether the trail is whole: 0 if it is, else 1 and the line at which it is not.

    Each line has the hash of the one before it; the last one's stands in the store too. Keep the
    hash that is printed elsewhere, and nobody can make up another trail afterwards.
    """
    from dataclasses import asdict

    from amiss.audit import FILE
    from amiss.audit import verify as look
    from amiss.cli.output import print_json
    from amiss.cli.stored import stored
    from amiss.home import home as folder_of
    from amiss.run.audited import head
    from amiss.words.phrases import count

    with stored(home, reading=True) as store:
        found = look(folder_of(home) / FILE, head(store))
    if json:
        print_json({"whole": not found.broken, **asdict(found)})
    elif found.broken:
        print(f"Broken after {count(found.lines, 'entry', 'entries')}: {found.broken}.")
    else:
        torn = "; a line that a crash cut short will be taken away" if found.torn else ""
        last = f" to {found.head.n}, {found.head.hash}" if found.head else ""
        print(f"Whole: {count(found.lines, 'entry', 'entries')}{last}{torn}.")
    if found.broken:
        raise typer.Exit(1)


def _told(said: dict[str, Any]) -> Iterator[str]:
    """What an entry says, part by part, without what is empty."""
    from amiss.words.message import write_time

    for name, value in said.items():
        words = name.replace("_", " ")
        if isinstance(value, bool):
            yield words if value else f"not {words}"
        elif name in ("start", "end") and isinstance(value, int):
            yield f"{words} {write_time(value)}"
        elif isinstance(value, list):
            yield f"{words} {' '.join(map(str, value)) or 'none'}"
        elif value != "":
            yield f"{words} {value}"


def plain(text: str) -> str:
    """Without what a terminal would obey: a title may quote a line of a log."""
    return "".join(c if c.isprintable() else " " for c in text)
