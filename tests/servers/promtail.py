"""Promtail, around the library that Loki's module still has; it follows files and ships lines."""

from pathlib import Path

from servers.compiled import compiled, path
from servers.loki import MODULE
from servers.running import Running, answers, port


def install() -> None:
    """Once, for minutes; quick when it is there."""
    compiled("promtail", "./promtail", MODULE)


def server(folder: Path, config: Path, at: int | None = None, **settings: str) -> Running:
    """One of `folder` with a configuration; `settings` stand there as ${NAME}."""
    where = port(at)
    command = [
        "env", *(f"{name}={said}" for name, said in settings.items()),
        str(path("promtail", MODULE)), f"-config.file={config}", "-config.expand-env=true",
        "-server.http-listen-address=127.0.0.1", f"-server.http-listen-port={where}",
        "-server.grpc-listen-address=127.0.0.1", "-server.grpc-listen-port=0",
    ]  # fmt: skip
    # what it says at /ready it says once there is a file; this it says at once
    return Running(command, folder, where, answers(f"http://127.0.0.1:{where}/metrics"))
