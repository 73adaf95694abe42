"""Alertmanager, from Debian."""

from pathlib import Path

from servers.installed import debian, program
from servers.running import Running, answers, port

PROGRAM = "prometheus-alertmanager"
CONFIG = """
route: {{receiver: hook, group_by: [alertname, host], group_wait: 1s, group_interval: 1s}}
receivers: [{{name: hook, webhook_configs: [{{url: "{hook}", send_resolved: true}}]}}]
"""


def install() -> None:
    """Once; quick when it is there."""
    debian(PROGRAM, needs=PROGRAM)


def server(folder: Path, hook: str, at: int | None = None) -> Running:
    """One that tells an address of what it is told."""
    where = port(at)
    file = folder / "alertmanager.yml"
    file.write_text(CONFIG.format(hook=hook))
    command = [
        program(PROGRAM) or PROGRAM,
        f"--config.file={file}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{where}",
        "--cluster.listen-address=",  # alone; it would listen everywhere
    ]
    return Running(command, folder, where, answers(f"http://127.0.0.1:{where}/-/ready"))
