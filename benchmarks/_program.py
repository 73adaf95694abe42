"""The real program, started as a user starts it, on a free port and in a folder of its own."""

import contextlib
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

AMISS = shlex.split(os.environ.get("AMISS_COMMAND", str(Path(sys.executable).with_name("amiss"))))
PATIENCE = 120.0  # seconds until it must answer


@dataclass(frozen=True, slots=True)
class Program:
    """One that answers: its process, its address, and the seconds from its start to its answer."""

    process: psutil.Process
    url: str
    seconds: float

    def cpu(self) -> float:
        """Seconds of processor time that it has used, and the workers it started that ended."""
        used = self.process.cpu_times()
        return used.user + used.system + used.children_user + used.children_system

    def rss(self) -> float:
        """MB that it holds now."""
        return self.process.memory_info().rss / 1e6


@contextlib.contextmanager
def running(home: Path) -> Iterator[Program]:
    """It, from its first answer to /healthz until it was asked to end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    command = [*AMISS, "run", "--home", str(home), "--listen", listen]
    url = f"http://{listen}"
    with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
        began = time.perf_counter()
        with (home.parent / "amiss.log").open("ab") as said:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        try:
            while not _answers(client, url):
                if child.poll() is not None or time.perf_counter() > began + PATIENCE:
                    raise SystemExit(f"{shlex.join(command)} does not answer; see {said.name}")
                time.sleep(0.01)
            seconds = time.perf_counter() - began
            yield Program(psutil.Process(child.pid), url, seconds)
        finally:
            child.terminate()
            child.wait(30)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False
