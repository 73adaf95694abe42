"""Streamlit runs once in a process, so the real one is tried in a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from starlette.types import Receive, Scope, Send
from websockets.sync.client import connect

from amiss.web.mount import Dashboard, content_policy
from web import serving as script


class Made:
    """Stands for Streamlit's application."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def lifespan(self):
        @asynccontextmanager
        async def whole(app):
            self.said.append("begun")
            yield
            self.said.append("ended")

        return whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.said.append(scope["path"])


async def nothing(*_: object) -> dict:
    return {}


def test_it_is_loaded_once_by_the_first_who_asks_and_ended_in_the_same_task() -> None:
    async def story() -> None:
        made, loads = Made(), []

        def load(path: Path) -> Made:
            loads.append(path)
            return made

        dashboard = Dashboard(Path("x.py"), load)
        assert not loads
        asked = [dashboard({"type": "http", "path": f"/{i}"}, nothing, nothing) for i in range(5)]
        await asyncio.gather(*asked)
        assert loads == [Path("x.py")]
        assert sorted(made.said) == ["/0", "/1", "/2", "/3", "/4", "begun"]
        await dashboard.close()
        assert made.said[-1] == "ended"

    asyncio.run(story())


def test_one_that_was_never_opened_ends_at_once() -> None:
    asyncio.run(Dashboard(Path("x.py"), lambda path: Made()).close())


def test_a_fault_in_loading_is_told_and_tried_again() -> None:
    async def story() -> None:
        made, faults = Made(), [RuntimeError("broken")]

        def load(path: Path) -> Made:
            if faults:
                raise faults.pop()
            return made

        dashboard = Dashboard(Path("x.py"), load)
        with pytest.raises(RuntimeError, match="broken"):
            await dashboard({"type": "http", "path": "/"}, nothing, nothing)
        await dashboard({"type": "http", "path": "/again"}, nothing, nothing)
        assert made.said == ["begun", "/again"]
        await dashboard.close()

    asyncio.run(story())


def test_the_policy_allows_the_one_inline_script_of_the_page_and_no_other() -> None:
    policy = dict(part.strip().split(" ", 1) for part in content_policy().split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["script-src"].count("sha256-") == 1
    assert "unsafe-inline" not in policy["script-src"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """Address and process id."""
    here = Path(script.__file__)
    path = os.pathsep.join([str(here.parents[1]), os.environ.get("PYTHONPATH", "")])
    home = tmp_path_factory.mktemp("home")
    with subprocess.Popen(
        [sys.executable, str(here), str(home)],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout
        yield running.stdout.readline().strip(), running.pid
        running.terminate()
        rest, errors = running.communicate(timeout=180)
    assert rest == "stopped\n"
    assert errors == ""
    assert running.returncode == 0


def mapped(pid: int) -> bool:
    """Whether pyarrow, which comes with Streamlit, is in the process."""
    return any("pyarrow" in region.path for region in psutil.Process(pid).memory_maps())


def test_streamlit_is_not_there_before_somebody_looks(program: tuple[str, int]) -> None:
    address, pid = program
    assert httpx.get(f"{address}/healthz", timeout=120).status_code == 200
    assert not mapped(pid)


def test_the_dashboard_is_streamlits_page_and_its_websocket(program: tuple[str, int]) -> None:
    address, _ = program
    with httpx.Client(base_url=address, timeout=120, follow_redirects=True) as client:
        page = client.get("/")
        assert page.url.path == "/dashboard/"
        assert '<div id="root">' in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert client.get("/dashboard/_stcore/health").text == "ok"
        asked = client.post("/dashboard/_stcore/agent/interact", json={})
        assert asked.status_code == 403  # the pages are for people; for programs there is the API
        with connect(
            f"{address.replace('http', 'ws')}/dashboard/_stcore/stream",
            subprotocols=["streamlit"],
            origin=address,
            open_timeout=120,
        ) as socket:
            assert socket.subprotocol == "streamlit"
        assert client.get("/healthz").status_code == 200
