"""The data folder: where an installation keeps what it remembers."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from amiss.errors import ConfigError

DATABASE = "amiss.db"
RUNNING = "running.json"


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


def running(folder: Path) -> Running | None:
    """What runs in a data folder, if its process is still there."""
    try:
        said = json.loads((folder / RUNNING).read_bytes())
        found = Running(str(said["address"]), int(said["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        os.kill(found.pid, 0)
    except PermissionError:
        return found  # it is another user's
    except (OSError, OverflowError):
        return None
    return found
