"""A port that nobody listens on."""

import os
import random
import socket

PORTS = range(10_240, 32_768)  # below those that systems take for outgoing connections
WORKERS = 16
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_given = set[int]()


def free_port() -> int:
    """Free a moment ago; whoever listens there can be stopped, and started again later.

    It is given once: of several that are asked for before anybody listens no two are the same, nor
    of tests that run beside each other.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.choice(PORTS[WORKER::WORKERS])
        if port in _given:
            continue
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            _given.add(port)
            return port
