"""A port that nobody listens on."""

import socket


def free_port() -> int:
    """Free a moment ago; nobody else on this machine hands out ports in between."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
