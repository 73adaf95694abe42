"""VictoriaMetrics, from Debian."""

from pathlib import Path

import httpx

from servers.installed import debian, program
from servers.running import Running, answers, port


def install() -> None:
    """Once; quick when it is there."""
    debian("victoria-metrics", needs="victoria-metrics")


def server(folder: Path, at: int | None = None, scrape: str = "") -> Running:
    """One of `folder`, which keeps what is old and shows what is new at once.

    `scrape` is its configuration of what to scrape, as Prometheus has it.
    """
    where = port(at)
    command = [
        program("victoria-metrics") or "victoria-metrics",
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{where}",
        "-retentionPeriod=100y",
        "-search.latencyOffset=0s",  # else the newest 30 s are made up of what was before them
        "-memory.allowedBytes=256MB",
    ]
    if scrape:
        file = folder / "scrape.yml"
        file.write_text(scrape)
        command.append(f"-promscrape.config={file}")
    return Running(command, folder, where, answers(f"http://127.0.0.1:{where}/health"))


def flush(running: Running) -> None:
    """Make all that was written so far be found, whatever months it is of."""
    httpx.get(f"{running.url}/internal/force_flush", timeout=60).raise_for_status()
