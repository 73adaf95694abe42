"""Prometheus, from Debian."""

from pathlib import Path

from servers.installed import debian, program
from servers.running import Running, answers, port

CONFIG = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"


def install() -> None:
    """Once; quick when it is there."""
    debian("prometheus", needs="prometheus")


def server(folder: Path, config: str = CONFIG, at: int | None = None) -> Running:
    """One of `folder`, that takes remote write too."""
    where = port(at)
    file = folder / "prometheus.yml"
    file.write_text(config)
    command = [
        program("prometheus") or "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{where}",
        "--web.enable-remote-write-receiver",
        "--web.enable-lifecycle",
        "--storage.tsdb.retention.time=2d",
        "--rules.alert.resend-delay=2s",  # a minute else, if the first ones were lost
    ]
    return Running(command, folder, where, answers(f"http://127.0.0.1:{where}/-/ready"))
