"""VictoriaLogs, built from the Go module that it was part of."""

from pathlib import Path

from servers.compiled import compiled, path
from servers.running import Running, answers, port

MODULE = "github.com/VictoriaMetrics/VictoriaMetrics"


def install() -> None:
    """Once, for minutes; quick when it is there."""
    compiled("victorialogs", f"{MODULE}/app/victoria-logs", MODULE)


def server(folder: Path, at: int | None = None) -> Running:
    """One of `folder`, which keeps what is old."""
    where = port(at)
    command = [
        str(path("victorialogs", MODULE)),
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{where}",
        "-retentionPeriod=100y",
        "-memory.allowedBytes=256MB",
    ]
    return Running(command, folder, where, answers(f"http://127.0.0.1:{where}/health"))
