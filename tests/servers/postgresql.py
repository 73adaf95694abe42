"""PostgreSQL, from Debian."""

import signal
import subprocess
from pathlib import Path

from servers.installed import debian, program
from servers.running import Running, as_user, handed, port

USER = "postgres"


def install() -> None:
    """Once; quick when it is there."""
    debian("postgresql", needs="initdb")


def server(folder: Path, at: int | None = None) -> Running:
    """One of `folder`, that believes whoever comes."""
    where, data = port(at), folder / "data"
    if not data.exists():
        data.mkdir(mode=0o700)
        handed(folder, USER)
        init = [program("initdb") or "initdb", "-D", str(data), "-A", "trust", "-U", USER]
        init += ["-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(as_user(USER, init), check=True, capture_output=True, cwd=folder)
    command = [
        program("postgres") or "postgres",
        *("-D", str(data), "-p", str(where)),
        *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"),
    ]
    asked = [program("pg_isready") or "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(where)]

    def ready() -> bool:
        return not subprocess.run(asked, capture_output=True, check=False).returncode

    return Running(command, folder, where, ready, USER, signal.SIGINT)  # SIGTERM waits for clients


def address(running: Running) -> str:
    """As SQLAlchemy writes it."""
    return f"postgresql+psycopg://{USER}@127.0.0.1:{running.port}/{USER}"
