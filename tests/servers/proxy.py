"""A reverse proxy that runs: what nginx does by default, and what it does as the docs have it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial

PATIENCE = 30
LARGEST = 65536  # bytes of a request's head


class Proxy:
    """Hands each connection's one request on to a port here, and everything both ways after it."""

    def __init__(
        self, port: int, *, keeps_host: bool, upgrades: bool, adds: dict[str, str]
    ) -> None:
        self.port, self.adds = port, adds
        self.keeps_host, self.upgrades = keeps_host, upgrades

    async def serve(self, started: "Future[tuple[str, Callable[[], None]]]") -> None:
        """Until what it gives, beside its address, is called."""
        server = await asyncio.start_server(self._handle, "127.0.0.1", 0, limit=LARGEST)
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        port = server.sockets[0].getsockname()[1]
        started.set_result(
            (f"http://127.0.0.1:{port}", partial(loop.call_soon_threadsafe, stop.set))
        )
        await stop.wait()
        server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = None
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            from_there, there = await asyncio.open_connection("127.0.0.1", self.port)
            there.write(self._rewritten(head).encode("latin-1"))
            pipes = [_pipe(reader, there), _pipe(from_there, writer)]
            await asyncio.wait(map(asyncio.ensure_future, pipes), return_when="FIRST_COMPLETED")
        except (OSError, asyncio.IncompleteReadError):
            pass  # one of the two has gone
        finally:
            for one in filter(None, (there, writer)):
                one.close()

    def _rewritten(self, head: str) -> str:
        first, *lines = head.rstrip("\r\n").split("\r\n")
        said = [line.partition(": ")[::2] for line in lines]
        hop = {"connection", "host"} | (set() if self.upgrades else {"upgrade"})
        kept = [(name, value) for name, value in said if name.lower() not in hop]
        host = dict((name.lower(), value) for name, value in said)["host"]
        upgrade = self.upgrades and any(name.lower() == "upgrade" for name, _ in said)
        kept += [
            ("Host", host if self.keeps_host else f"127.0.0.1:{self.port}"),
            ("Connection", "upgrade" if upgrade else "close"),
            *self.adds.items(),
        ]
        return "\r\n".join([first, *(f"{name}: {value}" for name, value in kept), "", ""])


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # the other end of it has gone


@contextmanager
def proxy(
    port: int, *, keeps_host: bool = False, upgrades: bool = True, **adds: str
) -> Iterator[str]:
    """Its address. `adds` are headers, with _ for -."""
    headers = {name.replace("_", "-"): value for name, value in adds.items()}
    made = Proxy(port, keeps_host=keeps_host, upgrades=upgrades, adds=headers)
    started: Future[tuple[str, Callable[[], None]]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(made.serve(started)))
    thread.start()
    address, stop = started.result(PATIENCE)
    try:
        yield address
    finally:
        stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()
