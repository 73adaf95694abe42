"""`amiss doctor`: what is wrong with this machine or installation, if anything."""

import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer

from amiss.cli.options import AsJson, Home

ROOM = 2**30  # bytes of disk that should be free
EARLIEST = 1_750_000_000  # seconds; a clock before this has been reset
APART = 60.0  # seconds between the clock and the times of files
PACKAGES = ("numpy", "numba", "pydantic", "SQLAlchemy", "fastapi", "streamlit", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one look."""

    what: str
    ok: bool
    said: str


def doctor(json: AsJson = False, home: Home = None) -> None:
    """Look for what is wrong here.

    Versions, data folder, disk, clock, port, compiled kernels, sensors. Ends with 1 if there is
    a problem.
    """
    from amiss.cli.output import print_json
    from amiss.home import home as folder_of

    folder = folder_of(home)
    looks: list[tuple[str, Callable[[Path], tuple[bool, str]]]] = [
        ("python", _python),
        ("packages", _packages),
        ("data folder", _folder),
        ("database", _database),
        ("disk", _disk),
        ("clock", _clock),
        ("port", _port),
        ("kernels", _kernels),
        ("sensors", _sensors),
    ]
    found = []
    for what, look in looks:
        try:
            ok, said = look(folder)
        except Exception as exc:  # whatever it is, the other looks want to be taken
            ok, said = False, f"{type(exc).__name__}: {exc}"
        found.append(Finding(what, ok, said))
    if json:
        print_json([{"what": one.what, "ok": one.ok, "said": one.said} for one in found])
    else:
        for one in found:
            print(f"{'ok      ' if one.ok else 'PROBLEM '}{one.what:<12} {one.said}")
    if not all(one.ok for one in found):
        raise typer.Exit(1)


def _python(_: Path) -> tuple[bool, str]:
    fine = sys.version_info >= (3, 11)
    return fine, f"{platform.python_version()} on {platform.platform(terse=True)}"


def _packages(_: Path) -> tuple[bool, str]:
    from importlib.metadata import PackageNotFoundError, version

    from amiss import __version__

    found, missing = [f"amiss {__version__}"], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        return False, f"not installed: {', '.join(missing)}; install Amiss again"
    return True, ", ".join(found)


def _folder(folder: Path) -> tuple[bool, str]:
    import tempfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"amiss")
    except OSError as exc:
        return False, f"{folder} cannot be written: {exc.strerror}; choose another with --home"
    return True, str(folder)


def _database(folder: Path) -> tuple[bool, str]:
    """The one that is there, or one made for a moment: whether the file system can do it."""
    import tempfile

    from amiss.errors import Error
    from amiss.home import DATABASE
    from amiss.store import Store

    there = (folder / DATABASE).is_file()
    try:
        with tempfile.TemporaryDirectory(dir=folder) as made:
            store = Store(folder / DATABASE if there else Path(made) / DATABASE)
            with store.read() as db:
                version = db.exec_driver_sql("SELECT sqlite_version()").scalar_one()
            wrong, count = store.check(), len(store.series())
            store.close()
    except (Error, OSError) as exc:
        return False, str(exc)
    if wrong:
        return False, f"{folder / DATABASE} is damaged: {wrong[0]}"
    kept = f"{count} series" if there else "none yet"
    return True, f"SQLite {version}, {kept}"


def _disk(folder: Path) -> tuple[bool, str]:
    import shutil

    from amiss.words.units import write_number

    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    said = f"{write_number(free, 'x_bytes')} free"
    return free >= ROOM, said if free >= ROOM else f"{said}; history needs about 1 GB"


def _clock(folder: Path) -> tuple[bool, str]:
    """Whether the clock is set, and agrees with that of the file system."""
    import tempfile
    import time

    now = time.time()
    if now < EARLIEST:
        return False, f"the clock says {time.strftime('%Y-%m-%d', time.gmtime(now))}; set it"
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            away = abs(Path(file.name).stat().st_mtime - time.time())
    except OSError:
        away = 0.0
    if away > APART:
        return False, f"the clock is {away:.0f} s away from that of the data folder's file system"
    return True, time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(now))


def _port(folder: Path) -> tuple[bool, str]:
    from amiss.errors import ConfigError
    from amiss.home import running
    from amiss.settings import default
    from amiss.web.serve import bind

    if program := running(folder):
        return True, f"Amiss runs (process {program.pid}) on {program.address}"
    settings = default()
    try:
        bind(settings).close()
    except ConfigError as exc:
        return False, str(exc)
    return True, f"{settings.listen} is free"


def _kernels(_: Path) -> tuple[bool, str]:
    """Whether what was compiled is kept, so that the next start need not wait for it."""
    import os

    from amiss.kernel import folder

    where = os.environ.get("NUMBA_CACHE_DIR") or folder()
    if not where:
        return False, "the user's cache folder cannot be written: each start compiles for a minute"
    kept = len(list(Path(where).rglob("*.nbi")))
    return True, f"{kept} compiled in {where}" if kept else "none yet: the first start compiles"


def _sensors(_: Path) -> tuple[bool, str]:
    from amiss.cli.poll import poll
    from amiss.settings import default
    from amiss.world import World

    found = poll(default().pipelines[0], World())
    failing = ", ".join(f"{why} ({count})" for why, count in found.skipped.items())
    said = f"{found.series} series" + (f"; left out: {failing}" if failing else "")
    return found.series > 0, found.failure or said
