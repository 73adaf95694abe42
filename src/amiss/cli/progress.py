"""How far it is, and how long it will take, on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiss.run.fit import Stage

PATIENCE = 2.0  # seconds of work that want no bar


@contextmanager
def reading(size: int | None, verb: str = "scoring") -> Iterator[Callable[[int], None]]:
    """What to call with the number of bytes that were done with, of so many in all.

    Shows a bar on standard error if that is a terminal and it takes more than two seconds.
    """
    with _shown(size, verb, in_bytes=True) as tell:
        yield tell


@contextmanager
def stepping(ns: int, verb: str) -> Iterator[Callable[[int], None]]:
    """The same for the ns of a span that were done with."""
    with _shown(ns, verb, in_bytes=False) as tell:
        yield tell


@contextmanager
def _shown(total: int | None, verb: str, in_bytes: bool) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    so_far = (DownloadColumn(), TransferSpeedColumn()) if in_bytes else (TaskProgressColumn(),)
    shown = Progress(
        TextColumn(verb),
        BarColumn(),
        *so_far,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task, began = shown.add_task("", total=total), monotonic()

    def tell(done: int) -> None:
        shown.update(task, advance=done)
        if monotonic() - began > PATIENCE:
            shown.start()

    try:
        yield tell
    finally:
        shown.stop()


@contextmanager
def staging(verb: str) -> "Iterator[Callable[[Stage], None]]":
    """What to call with the stages of a training: a bar where the time it takes can be said."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.text import Text

    class Left(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(left(task.fields["ends"], monotonic()))

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), Left())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(verb, total=None, ends=None)

        def tell(stage: "Stage") -> None:
            ends = monotonic() + stage.seconds if stage.seconds else None
            shown.update(task, description=f"{verb}: {stage.doing}", ends=ends)

        yield tell


def left(ends: float | None, now: float) -> str:
    """How much longer a stage takes, by seconds of one clock, if it is known when it ends."""
    if ends is None:
        return ""
    return f"about {ends - now:.0f} s left" if ends - now >= 1.0 else "any moment"
