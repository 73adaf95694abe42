"""One program in one folder."""

import fcntl
import os
import time
from io import TextIOWrapper
from pathlib import Path

from amiss.errors import ConfigError
from amiss.home import LOCK, RUNNING

TRIES = 10
PAUSE = 0.02  # seconds between two: one who looks whether there is a program has it for less


def hold(home: Path) -> TextIOWrapper:
    """Claim a data folder for as long as the file that is returned stays open.

    The kernel lets go of it however the program ends. Raises ConfigError if another one has it,
    or if the folder cannot be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        claim = (home / LOCK).open("a+", encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"{home}: the data folder cannot be written: {exc.strerror}") from None
    try:
        _lock(claim)
        (home / RUNNING).unlink(missing_ok=True)  # of a program that was killed
        os.ftruncate(claim.fileno(), 0)
        os.write(claim.fileno(), str(os.getpid()).encode())
    except BlockingIOError:
        claim.seek(0)
        pid = claim.read().strip() or "unknown"
        claim.close()
        raise ConfigError(
            f"{home}: another Amiss (process {pid}) works in this data folder; "
            "stop it, or choose another with --home"
        ) from None
    except OSError as exc:
        claim.close()
        raise ConfigError(f"{home}: the data folder cannot be claimed: {exc.strerror}") from None
    return claim


def _lock(claim: TextIOWrapper) -> None:
    for left in reversed(range(TRIES)):
        try:
            return fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not left:
                raise
            time.sleep(PAUSE)
