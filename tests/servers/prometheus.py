"""Prometheus, from Debian."""

import ssl
from pathlib import Path

from servers.installed import debian, program
from servers.running import Running, answers, port

CONFIG = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"


def install() -> None:
    """Once; quick when it is there."""
    debian("prometheus", needs="prometheus")


def server(
    folder: Path,
    config: str = CONFIG,
    at: int | None = None,
    web: str = "",
    trust: ssl.SSLContext | None = None,
    built: str = "",
) -> Running:
    """One of `folder`, that takes remote write too; `built` if it is not Debian's.

    `web` is its web configuration, which may ask for passwords and certificates; `trust` is how
    it is then asked whether it is there.
    """
    where = port(at)
    file = folder / "prometheus.yml"
    file.write_text(config)
    command = [
        built or program("prometheus") or "prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{where}",
        "--web.enable-remote-write-receiver",
        "--web.enable-lifecycle",
        "--storage.tsdb.retention.time=2d",
        "--rules.alert.resend-delay=2s",  # a minute else, if the first ones were lost
    ]
    if web:
        (folder / "web.yml").write_text(web)
        command.append(f"--web.config.file={folder / 'web.yml'}")
    scheme = "https" if trust else "http"
    return Running(command, folder, where, answers(f"{scheme}://127.0.0.1:{where}/-/ready", trust))
