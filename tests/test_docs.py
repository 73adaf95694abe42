"""What the documents say is true: their commands run, their links lead somewhere."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from servers.ports import free_port

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")
ADDRESS = "127.0.0.1:8600"


def commands(page: Path) -> list[str]:
    """The lines that start with a prompt, in order."""
    lines = (line for fence in FENCE.findall(page.read_text()) for line in fence.splitlines())
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The program as a reader of the documents has it running, and its data folder."""
    home = tmp_path_factory.mktemp("home")
    listen = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "amiss", "run", "--home", str(home), "--listen", listen]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        last = time.monotonic() + 60
        while not answers(listen):
            assert process.poll() is None
            assert time.monotonic() < last
            time.sleep(0.1)
        yield listen, home
    finally:
        process.terminate()
        assert process.wait(20) == 0


def answers(listen: str) -> bool:
    try:
        return httpx.get(f"http://{listen}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [p for p in PAGES if commands(p)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_command_runs(page: Path, address: tuple[str, Path], tmp_path: Path) -> None:
    listen, home = address
    scripts = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "AMISS_HOME": str(home),
    }
    for command in commands(page):
        said = subprocess.run(
            command.replace(ADDRESS, listen),
            shell=True,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        # doctor says 1 where it finds something: here, that its port is taken by the program
        fine = (0, 1) if command.startswith("amiss doctor") else (0,)
        assert said.returncode in fine, f"{command}\n{said.stdout}\n{said.stderr}"
        assert "Traceback" not in said.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
