"""The node exporter of Prometheus, from Debian: this machine's metrics."""

from pathlib import Path

from servers.installed import debian, program
from servers.running import Running, answers, port

PROGRAM = "prometheus-node-exporter"


def install() -> None:
    """Once; quick when it is there."""
    debian(PROGRAM, needs=PROGRAM)


def server(folder: Path, at: int | None = None) -> Running:
    """One that tells of processor, memory, load, disks and network."""
    where = port(at)
    kinds = ("cpu", "meminfo", "loadavg", "stat", "diskstats", "netdev")
    command = [
        program(PROGRAM) or PROGRAM,
        f"--web.listen-address=127.0.0.1:{where}",
        "--collector.disable-defaults",
        *(f"--collector.{kind}" for kind in kinds),
    ]
    return Running(command, folder, where, answers(f"http://127.0.0.1:{where}/"))
