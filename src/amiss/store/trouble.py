"""What a database complains of, as one sentence and one of our errors."""

import sqlite3

from amiss.errors import Error, StateError, Unreachable

LATER = {
    "FULL": "the disk is full: {where} cannot grow; make room (nothing is lost meanwhile)",
    "READONLY": "{where} cannot be written: the file or its folder is read-only",
    "CANTOPEN": "{where} cannot be opened: its folder is missing, read-only or out of reach",
    "PERM": "{where} cannot be opened: permission denied",
    "AUTH": "{where} cannot be opened: permission denied",
    "IOERR": "{where} cannot be read or written: the disk reports an error",
    "BUSY": "{where} is locked by another program",
    "LOCKED": "{where} is locked by another program",
    "NOMEM": "{where} cannot be read: there is no memory left",
}
NEVER = {
    "NOTADB": "{where} is not a database of Amiss; move it away, or start with another --home",
    "CORRUPT": "{where} is damaged; stop Amiss and move the file away to start afresh, or mend "
    "a copy of it with: sqlite3 FILE .recover",
}
OPENING = "; mend that, or start with another --home"


def explain(exc: BaseException, where: str, opening: bool = False) -> Error | None:
    """The error to raise instead, or None if it is not the database's but ours.

    What may mend itself is Unreachable, so that the watch goes on and tries again; while a
    database is being opened only a server that does not answer is.
    """
    cause = getattr(exc, "orig", None) or exc
    name = str(getattr(cause, "sqlite_errorname", "")).removeprefix("SQLITE_").split("_")[0]
    if name in NEVER:
        return StateError(NEVER[name].format(where=where))
    if name in LATER:
        said = LATER[name].format(where=where)
        return StateError(said.split(" (", 1)[0] + OPENING) if opening else Unreachable(said)
    if isinstance(cause, sqlite3.Error):
        return None
    kind = type(exc).__name__
    if kind in ("OperationalError", "InterfaceError"):
        return Unreachable(f"{where} cannot be used just now: {type(cause).__name__}")
    return None
