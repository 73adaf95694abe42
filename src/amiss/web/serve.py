"""One port, one process: dashboard, API and /metrics by uvicorn."""

import asyncio
import errno
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import uvicorn

from amiss.errors import ConfigError
from amiss.run.live import Live
from amiss.settings import Settings
from amiss.web.app import build

log = logging.getLogger(__name__)

GRACE = 3  # seconds for requests that are being answered when the program ends
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def bind(settings: Settings) -> socket.socket:
    """The listening socket, so that what is wrong with the address is known before all else.

    Raises ConfigError: in use, not allowed, not of this machine, or open to others without a token.
    """
    host, port = settings.address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise ConfigError(f"listen: {host!r} is no name or address of this machine") from None
    family, kind, protocol, _, address = found[0]
    if settings.token is None and not ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise ConfigError(
            f"listen: {settings.listen} can be reached from elsewhere, so a token is needed: "
            "token: env:AMISS_TOKEN, or listen on 127.0.0.1"
        )
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(512)
    except OSError as exc:
        sock.close()
        raise ConfigError(f"listen: {settings.listen}: {_why(exc, port)}") from None
    sock.setblocking(False)
    return sock


def address_of(sock: socket.socket) -> str:
    """Where a browser finds it: http://127.0.0.1:8600."""
    host, port = sock.getsockname()[:2]
    if ip_address(host.partition("%")[0]).is_unspecified:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Uvicorn, which lets go of those who follow the stream or wait for a report before it waits
    for others to end.

    Signals end it; they are not raised once more, because there is more to be put in order.
    """

    def __init__(self, live: Live, started: Callable[[], None] | None = None) -> None:
        self.app = build(live)
        self.on_started = started
        super().__init__(
            uvicorn.Config(
                self.app,
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="on",
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
        )

    def stop(self) -> None:
        """End; from any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        if self.started and self.on_started is not None:
            self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what has been asked, for a while."""
        self.app.state.feed.close()
        self.app.state.reports.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the server, and are spent by that."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sig: signal.signal(sig, self.handle_exit) for sig in SIGNALS}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)


def serve(
    live: Live, sock: socket.socket | None = None, started: Callable[[], None] | None = None
) -> None:
    """Serve until SIGINT or SIGTERM. `started` is called once requests are answered.

    Raises ConfigError if the address or the token cannot be used. Does not start or stop `live`.
    """
    server = Server(live, started)
    with sock or bind(live.settings) as listening:
        asyncio.run(server.serve(sockets=[listening]))


def _why(exc: OSError, port: int) -> str:
    if exc.errno == errno.EADDRINUSE:
        return (
            f"the port is in use by another program; stop it, or take another, such as {port + 1}"
        )
    if exc.errno == errno.EACCES:
        return "this user may not listen there; take a port from 1024 on"
    if exc.errno == errno.EADDRNOTAVAIL:
        return "this is not an address of this machine; 127.0.0.1 and 0.0.0.0 are"
    return exc.strerror or str(exc)
