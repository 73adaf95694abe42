"""The real server on a free port of this machine; in a thread, or alone in a process."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from amiss.web.serve import Server, address_of, bind, serve
from web.fake import FakeLive

PATIENCE = 120


@contextmanager
def serving(live: FakeLive) -> Iterator[str]:
    """Its address."""
    up = threading.Event()
    server = Server(live, up.set)
    sock = bind(live.settings)
    address = address_of(sock)
    thread = threading.Thread(target=server.run, args=([sock],))
    thread.start()
    try:
        assert up.wait(PATIENCE)
        yield address
    finally:
        server.stop()
        thread.join(PATIENCE)
        sock.close()
        assert not thread.is_alive()


if __name__ == "__main__":
    alone = FakeLive(Path(sys.argv[1]))
    listening = bind(alone.settings)
    serve(alone, listening, lambda: print(address_of(listening), flush=True))
    alone.close()
    print("stopped", flush=True)
