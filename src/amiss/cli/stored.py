"""The store of a data folder, for commands that only look: the program may run meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiss.store import Store


def noted(asked: Path | None, store: "Store", what: str, **said: object) -> None:
    """Write what the user did into the audit trail."""
    from amiss.home import home
    from amiss.run.audited import Trail, person
    from amiss.world import World

    Trail(home(asked), store, World()).note(person(), what, **said)


@contextmanager
def stored(asked: Path | None, reading: bool = False, making: bool = False) -> "Iterator[Store]":
    """What an installation has kept. ConfigError if there is nothing in this folder, which with
    `making` is begun.

    With `reading` it is only read while the program runs; when it does not, as others open it:
    it may start, and SQLite reads a file that nobody has open as one that nobody changes.
    """
    from amiss.errors import ConfigError
    from amiss.home import DATABASE, home

    folder = home(asked)
    if not making and not (folder / DATABASE).is_file():
        raise ConfigError(
            f"{folder}: nothing has been watched in this data folder yet; start with `amiss run`, "
            "or name another folder with --home"
        )
    from amiss.store import Store

    path = folder / DATABASE
    writable = making or all(os.access(each, os.W_OK) for each in (folder, path))
    runs = Path(f"{path}-shm").exists()
    store = Store(path, reading=not writable or (reading and runs))
    try:
        yield store
    finally:
        store.close()
