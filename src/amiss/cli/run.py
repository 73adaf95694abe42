"""`amiss run`: everything, live."""

import logging
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from amiss.cli.options import Home

if TYPE_CHECKING:
    from amiss.run.live import Live
    from amiss.settings import Settings

log = logging.getLogger("amiss")


def run(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The configuration; without, this machine is watched.", show_default=False
        ),
    ] = None,
    home: Home = None,
    listen: Annotated[
        str | None,
        typer.Option(help="Address and port, instead of the configuration's.", show_default=False),
    ] = None,
) -> None:
    """Watch, judge, tell and serve, until stopped.

    The configuration is read again when the file changes, or on SIGHUP; a wrong one leaves the
    old one in use. Ends cleanly on SIGINT and SIGTERM.
    """
    from amiss import log as logs
    from amiss.config import read
    from amiss.home import home as folder_of
    from amiss.settings import default

    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _end)
    terminal = sys.stdout.isatty() and sys.stderr.isatty()
    logs.start("terminal" if terminal else None)
    settings = read(file) if file is not None else default()
    _run(settings, listen, folder_of(home), file, terminal)


def _run(
    settings: "Settings", listen: str | None, folder: Path, file: Path | None, terminal: bool
) -> None:
    from amiss.cli.status import shown
    from amiss.errors import ConfigError
    from amiss.home import running
    from amiss.run.live import Live
    from amiss.run.lock import hold
    from amiss.web.serve import address_of, bind, serve
    from amiss.world import World

    here = settings if listen is None else _listening(settings, listen)
    try:
        sock = bind(here)
    except ConfigError:
        if running(folder):
            hold(folder).close()  # says so: it is not another program that has the port
        raise
    address = address_of(sock)
    if here.address[1] == 0:
        here = _listening(here, address.removeprefix("http://"))
    live = Live(settings, folder, World(), file, here.listen)
    try:
        live.start()
        _reload_on_signal(live)
        with shown(live, address, terminal):
            serve(live, sock, lambda: _started(address, folder, file))
    finally:
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_IGN)  # what is to be done takes seconds at most
        live.stop()
        if terminal:
            print("Stopped; the next start goes on from here.")
        log.info("stopped", extra={"home": str(folder)})


def _end(number: int, _: FrameType | None) -> None:
    """Leave, whatever is being done, by way of all that wants to be put in order."""
    raise SystemExit(0)


def _started(address: str, folder: Path, file: Path | None) -> None:
    log.info(
        "watching",
        extra={"address": address, "home": str(folder), "config": str(file or "built in")},
    )


def _listening(settings: "Settings", listen: str) -> "Settings":
    """The same settings on another address. ConfigError if that is none, or open without token."""
    from pydantic import ValidationError

    from amiss.errors import ConfigError

    kept = {name: getattr(settings, name) for name in type(settings).model_fields}
    try:
        return type(settings).model_validate(kept | {"listen": listen})
    except ValidationError as exc:
        said = exc.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"--listen: {said.removeprefix('listen: ')}") from None


def _reload_on_signal(live: "Live") -> None:
    """SIGHUP reads the configuration again, apart from what the signal interrupts."""
    if not hasattr(signal, "SIGHUP"):
        return

    def again(number: int, _: FrameType | None) -> None:
        threading.Thread(target=_reload, args=(live,), name="reload", daemon=True).start()

    signal.signal(signal.SIGHUP, again)


def _reload(live: "Live") -> None:
    from amiss.errors import Error

    try:
        log.info("configuration: %s", live.reload())
    except Error as exc:
        log.error("configuration: kept the old one", extra={"reason": str(exc)})
