"""How far it is, and how long it will take, on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

PATIENCE = 2.0  # seconds of work that want no bar


@contextmanager
def reading(size: int | None) -> Iterator[Callable[[int], None]]:
    """What to call with the number of bytes that were done with, of so many in all.

    Shows a bar on standard error if that is a terminal and it takes more than two seconds.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    shown = Progress(
        TextColumn("scoring"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task, began = shown.add_task("", total=size), monotonic()

    def tell(read: int) -> None:
        shown.update(task, advance=read)
        if monotonic() - began > PATIENCE:
            shown.start()

    try:
        yield tell
    finally:
        shown.stop()
