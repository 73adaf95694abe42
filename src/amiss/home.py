"""The data folder: where an installation keeps what it remembers."""

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from amiss.errors import ConfigError, StateError

DATABASE = "amiss.db"
RUNNING = "running.json"
LOCK = "amiss.lock"


@dataclass(frozen=True, slots=True)
class Running:
    """The program that works in a data folder just now."""

    address: str  # 127.0.0.1:8600
    pid: int


def home(asked: Path | None = None) -> Path:
    """The folder that was asked for, else AMISS_HOME, else the user's folder for data.

    Raises ConfigError if it is of a user that is not there.
    """
    if asked is not None:
        return _expanded(asked)
    if said := os.environ.get("AMISS_HOME"):
        return _expanded(Path(said))
    import platformdirs

    return platformdirs.user_data_path("amiss")


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ConfigError(f"{path}: there is no such user here, or no home of theirs") from None


def announce(folder: Path, address: str) -> None:
    """Write down that this program works in a folder, and where it listens.

    Raises StateError if it cannot be written.
    """
    path = folder / RUNNING
    try:
        path.write_text(json.dumps({"address": address, "pid": os.getpid()}), encoding="utf-8")
    except OSError as exc:
        raise StateError(
            f"{path} cannot be written: {exc.strerror}; mend that, or start with another --home"
        ) from exc


def running(folder: Path) -> Running | None:
    """What runs in a data folder: only what holds its lock counts, and not what is written there
    of a program that was killed, whose number another process may have by now.
    """
    try:
        said = json.loads((folder / RUNNING).read_bytes())
        found = Running(str(said["address"]), int(said["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if _held(folder / LOCK) else None


def _held(lock: Path) -> bool:
    try:
        with lock.open(encoding="utf-8") as claim:
            fcntl.flock(claim, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
