"""Real servers as ordinary processes on 127.0.0.1: started, awaited, killed, stopped by pid."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import httpx

from servers.ports import free_port

PATIENCE = 240.0  # seconds for a start or an end, on a machine that is slow and busy
LOOK = 0.05  # seconds between two looks


@dataclass
class Running:
    """A server of one folder and port; what it keeps is in the folder, and outlives it.

    A context manager: it runs inside. `start` after `stop` or `kill` goes on with what is there.
    """

    command: Sequence[str]
    folder: Path
    port: int
    ready: Callable[[], bool]
    """Asked until it says yes; what it raises of the network means no."""
    user: str | None = None
    """Who runs it when we are root, since some servers refuse to be root's."""
    ends: int = signal.SIGTERM
    """What asks it to end."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it said, of all its starts."""
        return self.folder / "server.log"

    def start(self) -> None:
        """Returns when it answers. Raises RuntimeError with what it said if it does not."""
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                as_user(self.user, self.command),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._await()
        except BaseException:  # nobody else would end it
            self.kill()
            raise

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self.process.poll() is None:
            self.process.send_signal(self.ends)
            if not self._ended(PATIENCE):
                self.kill()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def _await(self) -> None:
        until = time.monotonic() + PATIENCE
        while not self._answers():
            if self._ended(LOOK) or time.monotonic() > until:
                end = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.command[0]} is not ready: {end}")

    def _answers(self) -> bool:
        try:
            return self.ready()
        except (OSError, httpx.HTTPError):
            return False

    def _ended(self, within: float) -> bool:
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True


def answers(url: str, trust: ssl.SSLContext | None = None) -> Callable[[], bool]:
    """Whether a page is there; one that asks for a password is."""
    verify = trust or True
    return lambda: httpx.get(url, timeout=5, verify=verify).status_code in (200, 401)


def takes(port: int) -> Callable[[], bool]:
    """Whether somebody listens there."""

    def ready() -> bool:
        with socket.create_connection(("127.0.0.1", port), 5):
            return True

    return ready


@contextmanager
def room() -> Iterator[Path]:
    """A folder for a server that is run by another user: pytest's own are closed to others."""
    with TemporaryDirectory(prefix="amiss-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def handed(folder: Path, user: str) -> None:
    """Give a folder, and what is in it, to the user who is to run there, if we are root."""
    if not os.geteuid():
        for one in (folder, *folder.iterdir()):
            shutil.chown(one, user, user)


def as_user(user: str | None, command: Sequence[str]) -> list[str]:
    """The same command for another user, if we are root; it keeps its pid."""
    if user is None or os.geteuid():
        return list(command)
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--", *command]


def port(asked: int | None) -> int:
    """The port asked for, or a free one."""
    return free_port() if asked is None else asked
