"""Pages that commands write: where they may stand, and how they come there."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiss.evaluate.report import About


def target(page: Path, option: str, read: Sequence[str]) -> Path:
    """Where the page goes; ConfigError if nothing can be written there, or if it is read."""
    import os

    from amiss.errors import ConfigError
    from amiss.evaluate.paper import page_name

    if page.is_dir():
        raise ConfigError(f"{option}: {page} is a folder; name a file, such as {page}/report.html")
    page_name(page)
    if not os.access(page.parent, os.W_OK):
        raise ConfigError(f"{option}: nothing can be written in the folder {page.parent}")
    for one in read:
        if page.exists() and Path(one).exists() and page.samefile(one):
            raise ConfigError(f"{one}: the report would be written over it; see {option}")
    return page


def about(config: str, source: str, notes: Sequence[str] = ()) -> "About":
    """What a page says of itself: made now, by this version."""
    import time
    from importlib.metadata import version

    from amiss.evaluate.report import About

    return About(config, source, version("amiss"), time.time_ns(), tuple(notes))


def put(page: Path, body: str) -> None:
    """Write it; it takes its place when it is whole. ConfigError if it cannot be written."""
    from amiss.evaluate.answer import writing

    with writing(page) as file:
        file.write(body.encode())
