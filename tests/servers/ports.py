"""A port that nobody listens on."""

import random
import socket

PORTS = range(10_240, 32_768)  # below those that systems take for outgoing connections


def free_port() -> int:
    """Free a moment ago; whoever listens there can be stopped, and started again later."""
    chance = random.SystemRandom()
    while True:
        port = chance.choice(PORTS)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
