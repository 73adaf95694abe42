"""MariaDB, from Debian."""

import subprocess
from pathlib import Path

from servers.installed import debian, program
from servers.running import Running, as_user, handed, port

USER = "mysql"
DATABASE = "shop"


def install() -> None:
    """Once; quick when it is there."""
    debian("mariadb-server", needs="mariadbd")


def server(folder: Path, at: int | None = None) -> Running:
    """One of `folder`, whose user root has no password, with a database `shop`."""
    where, data = port(at), folder / "data"
    socket = folder / "s"  # a path of 108 characters at most
    begun = folder / "begin.sql"
    if not data.exists():
        data.mkdir()
        handed(folder, USER)
        init = [program("mariadb-install-db") or "mariadb-install-db", "--no-defaults"]
        init += [f"--datadir={data}", "--auth-root-authentication-method=normal"]
        init += ["--skip-test-db"]
        subprocess.run(as_user(USER, init), check=True, capture_output=True)
        begun.write_text(f"CREATE DATABASE IF NOT EXISTS {DATABASE};\n")
    command = [
        program("mariadbd") or "mariadbd",
        "--no-defaults",
        f"--datadir={data}",
        f"--socket={socket}",
        f"--port={where}",
        "--bind-address=127.0.0.1",
        f"--pid-file={folder / 'pid'}",
        f"--init-file={begun}",
        "--skip-name-resolve",
        "--character-set-server=utf8mb4",
        "--innodb-buffer-pool-size=64M",
    ]
    asked = [program("mariadb-admin") or "mariadb-admin", "--no-defaults", "--user=root"]
    asked += ["--protocol=tcp", "--host=127.0.0.1", f"--port={where}", "ping"]

    def ready() -> bool:
        return not subprocess.run(asked, capture_output=True, check=False).returncode

    return Running(command, folder, where, ready, USER)


def address(running: Running) -> str:
    """As SQLAlchemy writes it."""
    return f"mysql+pymysql://root@127.0.0.1:{running.port}/{DATABASE}"
