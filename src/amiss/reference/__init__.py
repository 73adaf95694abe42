"""The reference pages, made from the code; never written by hand.

What has pages to add is a function in GENERATORS that yields them.
"""

from collections.abc import Callable
from pathlib import Path

from amiss.reference.api import api
from amiss.reference.commands import commands
from amiss.reference.components import components
from amiss.reference.equations import equations
from amiss.reference.settings import settings
from amiss.reference.words import Pages

__all__ = ["GENERATORS", "Pages", "pages", "stale"]

GENERATORS: list[Callable[[], Pages]] = [components, settings, commands, api, equations]


def pages() -> Pages:
    """Every page of the reference as (path, text)."""
    for generate in GENERATORS:
        yield from generate()


def stale(folder: Path) -> dict[str, str]:
    """The pages in `folder` that are not as the code says, and why, by path."""
    wanted = dict(pages())
    found = {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    old = {path: "is missing" for path in wanted if path not in found}
    old |= {path: "belongs to nothing" for path in found if path not in wanted}
    return old | {
        path: "is out of date" for path in wanted if path in found and wanted[path] != found[path]
    }
