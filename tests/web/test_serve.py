import logging
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from amiss.errors import ConfigError
from amiss.settings import default
from amiss.web import serve
from amiss.web.serve import address_of, bind
from web import serving as script
from web.fake import FOREST, FakeLive
from web.serving import serving


def listening(listen: str, **given: object):
    """Settings as they may come, their own validation left out."""
    return default().model_copy(update={"listen": listen} | given)


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with bind(listening("127.0.0.1:0")) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as found:
            bind(listening(f"127.0.0.1:{port}"))
    assert str(found.value).startswith(f"listen: 127.0.0.1:{port}: ")
    assert "another program" in str(found.value)
    assert f"such as {port + 1}" in str(found.value)
    with bind(listening(f"127.0.0.1:{port}")):  # at once free again
        pass


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ("192.0.2.1:0", "not an address of this machine"),
        ("no.such.name.invalid:0", "is no name or address of this machine"),
        ("a" * 70 + ".b:0", "is no name or address of this machine"),
    ],
)
def test_an_address_that_cannot_be_is_one_clear_sentence(listen: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        bind(listening(listen, token="env:X"))


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_nobody_elsewhere_is_let_in_without_a_token(listen: str) -> None:
    with pytest.raises(ConfigError, match="so a token is needed"):
        bind(listening(listen))


def test_where_a_browser_finds_it() -> None:
    with bind(listening("0.0.0.0:0", token="env:X")) as sock:
        assert address_of(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"
    with bind(listening("localhost:0")) as sock:
        assert httpx.URL(address_of(sock)).host in ("127.0.0.1", "::1")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_ipv6(live: FakeLive) -> None:
    live.settings = listening("[::1]:0")
    try:
        with serving(live) as address:
            assert address.startswith("http://[::1]:")
            assert httpx.get(f"{address}/healthz", timeout=120).status_code == 200
    except ConfigError as exc:
        pytest.skip(str(exc))


def test_requests_are_not_logged(live: FakeLive, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), serving(live) as address:
        httpx.get(f"{address}/predict", timeout=120)
    assert not [one for one in caplog.records if one.name == "uvicorn.access"]
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING]


def test_a_training_that_lasts_does_not_keep_it_from_ending(
    live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "GRACE", 0)
    live.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        with serving(live) as address:
            asked = pool.submit(
                httpx.post, f"{address}/retrain", json={"model_name": FOREST}, timeout=120
            )
            assert live.begun.acquire(timeout=120)
        with pytest.raises(httpx.HTTPError):
            asked.result().raise_for_status()
    live.gate.set()


def test_a_signal_ends_it_in_order(tmp_path: Path) -> None:
    """With somebody who follows the stream, and a connection that is kept open.

    SIGTERM ends the program of the dashboard's tests.
    """
    here = Path(script.__file__)
    path = os.pathsep.join([str(here.parents[1]), os.environ.get("PYTHONPATH", "")])
    with (
        subprocess.Popen(
            [sys.executable, "-W", "error", str(here), str(tmp_path)],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program,
        httpx.Client(timeout=120) as client,
    ):
        assert program.stdout
        address = program.stdout.readline().strip()
        with client.stream("GET", f"{address}/api/v1/stream") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            assert client.get(f"{address}/healthz").status_code == 200
            program.send_signal(signal.SIGINT)
            rest, errors = program.communicate(timeout=180)
    assert rest == "stopped\n"
    assert program.returncode == 0
    assert errors == ""


def test_the_start_page_is_the_dashboard(site: httpx.Client) -> None:
    for path in ("/", "/dashboard"):
        answer = site.get(path)
        assert (answer.status_code, answer.headers["location"]) == (307, "/dashboard/")
    answer = site.get("/dashboard?page=health")
    assert answer.headers["location"] == "/dashboard/?page=health"
