"""`amiss run`: it starts, says what it does, reads its file again, and ends cleanly."""

import fcntl
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from amiss.home import RUNNING, running
from cli.calls import amiss

PIPELINE = """\
pipelines:
  - name: host
    source: {type: host, every: 1s}
    features: {type: grid, every: 1s}
    detectors: [{type: level}, {type: isolation_forest}]
"""
RUN = [sys.executable, "-m", "amiss", "run"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "amiss.yaml").write_text(PIPELINE)
    return tmp_path


@pytest.fixture
def program(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """The real program in a pipe, once it answers."""
    command = [*RUN, "amiss.yaml", "--home", "home", "--listen", "127.0.0.1:0"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOG_")}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        hear(process, "message=watching")
        yield process
        process.kill()


def hear(process: "subprocess.Popen[str]", said: str) -> str:
    """The next line of the log that says so."""
    assert process.stderr
    for line in process.stderr:
        if said in line:
            return line
    raise AssertionError(f"it ended without saying {said!r}")


def test_from_start_to_end(program: "subprocess.Popen[str]", folder: Path) -> None:
    found = running(folder / "home")
    assert found and found.pid == program.pid
    assert httpx.get(f"http://{found.address}/healthz", trust_env=False, timeout=60).is_success
    assert amiss("incidents", "--home", folder / "home").out == "There are no incidents.\n"
    said = amiss("train", "isolation_forest", "--samples", 20_000, "--home", folder / "home")
    assert said.code == 2
    assert "samples are recorded so far; 20000 were asked for" in said.err
    for address in ("127.0.0.1:0", found.address):
        again = subprocess.run(
            [*RUN, "--home", "home", "--listen", address],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert again.returncode == 2
        assert f"another Amiss (process {program.pid}) works in this data folder" in again.stderr

    path = folder / "amiss.yaml"
    path.write_text(f"{PIPELINE}budgte: 5\n")
    program.send_signal(signal.SIGHUP)
    line = hear(program, "kept the old one")
    assert "level=error" in line
    assert "amiss.yaml:6: budgte: unknown setting; did you mean 'budget'?" in line
    path.write_text(f"{PIPELINE}budget: 7/day\n")
    program.send_signal(signal.SIGHUP)
    hear(program, "the new configuration is in use")

    program.send_signal(signal.SIGTERM)
    hear(program, "message=stopped")
    assert program.wait() == 0
    assert not (folder / "home" / RUNNING).exists()


def test_on_a_terminal_there_is_one_live_line(folder: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
    command = [*RUN, "amiss.yaml", "--home", "home", "--listen", "127.0.0.1:0"]
    environment = os.environ | {"TERM": "xterm"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while b"warming up" not in seen:
        seen += os.read(ours, 65536)
    assert b"0 amiss, budget 0 of 5 today, http://127.0.0.1:" in seen
    assert b"level=" not in seen
    process.send_signal(signal.SIGINT)
    with suppress(OSError):  # EIO: it has ended, and its end of the terminal is closed
        while more := os.read(ours, 65536):
            seen += more
    assert b"Stopped; the next start goes on from here." in seen
    assert process.wait() == 0
    os.close(ours)


def test_a_port_that_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = subprocess.run(
            [*RUN, "--home", "home", "--listen", f"127.0.0.1:{port}"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr == (
        f"listen: 127.0.0.1:{port}: the port is in use by another program; stop it, or take "
        f"another, such as {port + 1}\n"
    )
    assert not (folder / "home" / RUNNING).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("no.yaml",), "no.yaml: there is no such file; `amiss init` writes one\n"),
        (("--listen", "here"), "--listen: 'here' is not an address; write 127.0.0.1:8600\n"),
        (
            ("--listen", "0.0.0.0:0"),
            "--listen: 0.0.0.0:0 can be reached from elsewhere, so a token is needed: "
            "token: env:AMISS_TOKEN, or listen on 127.0.0.1\n",
        ),
    ],
)
def test_what_cannot_be_started(folder: Path, words: tuple[str, ...], said: str) -> None:
    found = subprocess.run(
        [*RUN, "--home", "home", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (2, said)
