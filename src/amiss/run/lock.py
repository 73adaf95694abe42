"""One program in one folder."""

import fcntl
import os
from io import TextIOWrapper
from pathlib import Path

from amiss.errors import ConfigError


def hold(home: Path) -> TextIOWrapper:
    """Claim a data folder for as long as the file that is returned stays open.

    The kernel lets go of it however the program ends. Raises ConfigError if another one has it,
    or if the folder cannot be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        claim = (home / "amiss.lock").open("a+", encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"{home}: the data folder cannot be written: {exc.strerror}") from None
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
