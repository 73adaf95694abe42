"""Behind a proxy that runs: one that calls it by its address, and one as the docs have it."""

from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_connection

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from amiss.web import app
from servers.proxy import proxy
from web.fake import FOREST, FakeLive
from web.serving import serving

NAME = "amiss.example.org"
SECRET = "a token of sixteen or more"
ASK = {"n_samples": 100, "model_name": FOREST}
FORWARDED = [
    {"X_Forwarded_For": "203.0.113.7"},
    {"X_Forwarded_Proto": "https"},
    {"Forwarded": "for=203.0.113.7"},
    {"X_Real_IP": "203.0.113.7"},
    {"Via": "1.1 proxy"},
]


def port_of(address: str) -> int:
    port = httpx.URL(address).port
    assert port
    return port


class Pages:
    """Stands for the dashboard, which can be there only once in a process."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept", "subprotocol": "streamlit"})

    async def close(self) -> None:
        pass


@pytest.fixture
def locked(live: FakeLive, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An installation that may be reached by a name, so it has a token."""
    monkeypatch.setenv("AMISS_TEST_TOKEN", SECRET)
    live.settings = live.settings.model_copy(
        update={"token": "env:AMISS_TEST_TOKEN", "hosts": (NAME,)}
    )
    monkeypatch.setattr(app, "Dashboard", Pages)
    with serving(live) as address:
        yield address


@contextmanager
def browser(at: str) -> Iterator[httpx.Client]:
    """What a browser says that knows the site by its name, through TLS."""
    headers = {"host": NAME, "accept": "text/html"}
    with httpx.Client(base_url=at, headers=headers, timeout=120) as client:
        yield client


def follow(outside: str, **said) -> ClientConnection:
    """The dashboard's websocket, asked for by its name."""
    sock = create_connection(("127.0.0.1", port_of(outside)), 30)
    where = f"ws://{NAME}/dashboard/_stcore/stream"
    return connect(where, sock=sock, subprotocols=["streamlit"], open_timeout=120, **said)


@pytest.mark.parametrize("said", FORWARDED, ids=lambda said: next(iter(said)))
def test_without_a_token_nothing_is_handed_on(live: FakeLive, said: dict[str, str]) -> None:
    with serving(live) as address, proxy(port_of(address), **said) as outside:
        answer = httpx.get(f"{outside}/predict", headers={"host": NAME}, timeout=120)
        assert answer.status_code == 403
        assert "so a token is needed" in answer.json()["detail"]
        assert httpx.post(f"{outside}/retrain", json=ASK, timeout=120).status_code == 403
        assert httpx.get(f"{outside}/healthz", timeout=120).status_code == 200
    assert live.trained == []


def test_names_that_came_after_the_start_open_nothing_without_a_token(live: FakeLive) -> None:
    live.settings = live.settings.model_copy(update={"hosts": (NAME,)})
    with serving(live) as address, proxy(port_of(address), keeps_host=True) as outside:
        said = {"host": NAME, "origin": f"http://{NAME}"}
        assert (
            httpx.post(f"{outside}/retrain", json=ASK, headers=said, timeout=120).status_code == 421
        )
    assert live.trained == []


@pytest.mark.parametrize(
    "said",
    [{"keeps_host": False}, {"keeps_host": True, "X_Forwarded_Proto": "https"}],
    ids=["called by its address", "as the docs have it"],
)
def test_a_browser_signs_in_and_sees_the_dashboard(locked: str, said: dict) -> None:
    origin = f"https://{NAME}"
    with proxy(port_of(locked), **said) as outside, browser(outside) as page:
        asked = page.get("/dashboard/")
        assert (asked.status_code, asked.headers["location"]) == (
            303,
            "/login?next=%2Fdashboard%2F",
        )
        right = page.post("/login", data={"token": SECRET}, headers={"origin": origin})
        assert right.status_code == 303
        assert "secure" in right.headers["set-cookie"].lower()
        cookie = right.headers["set-cookie"].partition(";")[0]
        own = {"origin": origin, "cookie": cookie}
        assert page.get("/predict", headers=own).status_code == 200
        assert page.post("/retrain", json=ASK, headers=own).status_code == 200
        other = own | {"origin": "https://evil.example"}
        assert page.post("/retrain", json=ASK, headers=other).status_code == 403
        socket = follow(outside, origin=origin, additional_headers={"cookie": cookie})
        with socket:
            assert socket.subprotocol == "streamlit"
        with pytest.raises(InvalidStatus) as refused:
            follow(outside, origin="https://evil.example", additional_headers={"cookie": cookie})
        assert refused.value.response.status_code == 403


def test_a_page_of_the_same_name_at_another_port_is_another_page(locked: str) -> None:
    with browser(locked) as page:
        said = {"origin": f"https://{NAME}:9999", "authorization": f"Bearer {SECRET}"}
        assert page.post("/retrain", json=ASK, headers=said).status_code == 403


def test_a_probe_may_call_it_by_any_address(locked: str) -> None:
    for host in ("10.1.2.3:8600", "pod-7.default.svc", ""):
        assert (
            httpx.get(f"{locked}/healthz", headers={"host": host}, timeout=120).status_code == 200
        )
        # an address is no name that a page could have made up, but it needs the token
        refused = 401 if host[:1].isdigit() else 421
        assert (
            httpx.get(f"{locked}/readyz", headers={"host": host}, timeout=120).status_code
            == refused
        )


def test_prometheus_shows_the_token_to_the_address_it_scrapes(locked: str) -> None:
    with proxy(port_of(locked), keeps_host=True) as outside:
        said = {"host": NAME, "authorization": f"Bearer {SECRET}"}
        assert "amiss_ready 1.0" in httpx.get(f"{outside}/metrics", headers=said, timeout=120).text
