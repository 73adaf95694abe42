import socket

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from amiss.errors import ConfigError
from amiss.web.app import build
from amiss.web.guard import host_of
from amiss.web.guesses import Guesses
from amiss.web.login import local
from web.fake import FOREST, FakeLive
from web.serving import serving

ASK = {"n_samples": 100, "model_name": FOREST}
SECRET = "correct hörse battery staple"
SHOWN = {"authorization": f"Bearer {SECRET}".encode()}


@pytest.fixture
def closed(live: FakeLive, monkeypatch: pytest.MonkeyPatch):
    """A site with a token."""
    monkeypatch.setenv("AMISS_TEST_TOKEN", SECRET)
    live.settings = live.settings.model_copy(update={"token": "env:AMISS_TEST_TOKEN"})
    with serving(live) as address, httpx.Client(base_url=address, timeout=120) as client:
        yield client


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8600", "localhost", "LOCALHOST:1", "127.9.9.9", "[::1]:8600", "a.localhost:80",
     "amiss.example.org", "Amiss.Example.org.:8600", "10.1.2.3", "[fd00::7]:8600"],
)  # fmt: skip
def test_names_of_its_own(closed: httpx.Client, live: FakeLive, host: str) -> None:
    live.settings = live.settings.model_copy(update={"hosts": ("amiss.example.org",)})
    assert closed.get("/predict", headers=SHOWN | {"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "8.8.8.8",
     "evil@localhost", "localhost:x", "", "local host", "127.0.0.1/", "[::2]", "[", "0.0.0.0"],
)  # fmt: skip
def test_a_name_that_is_not_its_own_is_misdirected(
    same_site: httpx.Client, same_live: FakeLive, host: str
) -> None:
    """DNS rebinding: the page's own name, resolved to this machine."""
    before = list(same_live.trained)
    answer = same_site.post("/retrain", json=ASK, headers={"host": host})
    assert answer.status_code == 421
    assert answer.headers["content-type"] == "application/problem+json"
    assert same_site.get("/predict", headers={"host": host}).status_code == 421
    assert same_live.trained == before


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://localhost:1", "http://127.0.0.1:1", "file://", ""],
)
def test_a_page_of_another_site_is_refused(
    same_site: httpx.Client, same_live: FakeLive, origin: str
) -> None:
    before = list(same_live.trained)
    logged = same_site.get("/api/v1/health").json()["predictions"]
    for path in ("/retrain", "/login", f"/api/v1/models/{FOREST}/retrain"):
        answer = same_site.post(path, json=ASK, headers={"origin": origin})
        assert answer.status_code == 403
    assert same_site.get("/predict", headers={"origin": origin}).status_code == 403
    assert same_live.trained == before
    assert same_site.get("/api/v1/health").json()["predictions"] == logged


def test_names_given_later_count(closed: httpx.Client, live: FakeLive) -> None:
    ask = SHOWN | {"host": "amiss.example.org"}
    assert closed.get("/predict", headers=ask).status_code == 421
    live.settings = live.settings.model_copy(update={"hosts": ("amiss.example.org",)})
    assert closed.get("/predict", headers=ask).status_code == 200


def test_without_a_token_there_is_nothing_to_sign_in_for(same_site: httpx.Client) -> None:
    answer = same_site.get("/login?next=/docs")
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")


def test_its_own_page_may_ask(same_site: httpx.Client) -> None:
    origin = str(same_site.base_url).rstrip("/")
    assert same_site.post("/retrain", json=ASK, headers={"origin": origin}).status_code == 200
    behind = {"host": "localhost", "origin": "https://localhost"}  # a proxy speaks TLS
    assert same_site.post("/retrain", json=ASK, headers=behind).status_code == 200


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"site": "cross-site", "mode": "no-cors", "dest": "image"}, 403),
        ({"site": "same-site", "mode": "cors", "dest": "empty"}, 403),
        ({"site": "cross-site", "mode": "navigate", "dest": "iframe"}, 403),
        ({"site": "cross-site", "mode": "navigate", "dest": "document"}, 200),  # a link
        ({"site": "same-origin", "mode": "cors", "dest": "empty"}, 200),
        ({"site": "none", "mode": "navigate", "dest": "document"}, 200),
    ],
)
def test_what_the_browser_says_of_the_page_that_asks(
    same_site: httpx.Client, said: dict, status: int
) -> None:
    headers = {f"sec-fetch-{name}": value for name, value in said.items()}
    assert same_site.get("/predict", headers=headers).status_code == status


def upgrade(client: httpx.Client, host: str | None = None, **said: str | None) -> int:
    """The status with which a websocket is refused."""
    port = client.base_url.port
    sock = socket.create_connection((client.base_url.host, port), 30)
    address = f"ws://{host or client.base_url.host}:{port}/dashboard/_stcore/stream"
    with pytest.raises(InvalidStatus) as found, connect(address, sock=sock, **said):
        pass
    return found.value.response.status_code


def test_websockets_are_guarded_too(same_site: httpx.Client) -> None:
    assert upgrade(same_site, "evil.example") == 403
    assert upgrade(same_site, origin="http://evil.example") == 403
    assert upgrade(same_site, origin="null") == 403


def test_headers_that_keep_browsers_safe(same_site: httpx.Client) -> None:
    for path in ("/predict", "/nosuch", "/docs", "/metrics"):
        headers = same_site.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "server" not in headers


PATHS = ("/predict", "/metrics", "/readyz", "/api/v1/health", "/api/v1/stream", "/openapi.json",
         "/dashboard/", "/dashboard/_stcore/health", "/")  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer wrong"}, {"authorization": SECRET.encode()},
     {"authorization": "Bearer"}, {"authorization": "Basic Zm9vOmJhcg=="},
     {"cookie": f"amiss_session={SECRET}".encode()},
     {"authorization": "Bearer wröng".encode()}],
)  # fmt: skip
def test_without_the_token_there_is_nothing(closed: httpx.Client, headers: dict) -> None:
    for path in PATHS:
        answer = closed.get(path, headers=headers)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["status"] == 401
    assert closed.post("/retrain", json=ASK, headers=headers).status_code == 401
    assert closed.get("/healthz", headers=headers).status_code == 200


def test_with_the_token_there_is_all(closed: httpx.Client) -> None:
    headers = {"authorization": f"Bearer {SECRET}".encode()}
    for path in ("/predict", "/metrics", "/readyz", "/openapi.json"):
        assert closed.get(path, headers=headers).status_code == 200
    assert closed.post("/retrain", json=ASK, headers=headers).status_code == 200


def test_a_browser_shows_it_once(closed: httpx.Client, live: FakeLive) -> None:
    asked = closed.get("/api/v1/series?q=a b", headers={"accept": "text/html,*/*"})
    assert asked.status_code == 303
    page = closed.get(asked.headers["location"])
    assert page.status_code == 200
    assert 'name="next" value="/api/v1/series?q=a' in page.text
    wanted = "/api/v1/series?q=cpu"
    wrong = closed.post("/login", data={"token": "guess", "next": wanted})
    assert wrong.status_code == 401
    assert "That is not the token." in wrong.text
    assert not closed.cookies
    right = closed.post("/login", data={"token": SECRET, "next": wanted})
    assert (right.status_code, right.headers["location"]) == (303, wanted)
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert SECRET not in cookie
    assert closed.get(wanted).json()["total"] == 1
    with closed.stream("GET", "/api/v1/stream") as stream:
        assert stream.status_code == 200


def test_guessing_is_told_and_slowed_and_locks_nobody_out(
    closed: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    guess, cookie = {"authorization": "Bearer guess"}, {"cookie": "amiss_session=old"}
    for _ in range(20):  # nobody's guess: those who have not signed in, or long ago
        assert closed.get("/predict").status_code == 401
        assert closed.get("/predict", headers=cookie).status_code == 401
    said = [closed.get("/predict", headers=guess).status_code for _ in range(7)]
    said += [closed.post("/login", data={"token": "guess"}).status_code for _ in range(3)]
    assert said == [401] * 10
    assert not caplog.records
    for answer in (closed.get("/", headers=guess), closed.post("/login", data={"token": "no"})):
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert answer.json()["detail"].startswith("too many wrong tokens")
    assert upgrade(closed, additional_headers=guess) == 403
    (warning,) = caplog.records
    assert warning.getMessage() == (
        "a wrong token was shown 10 times in a minute, just now by 127.0.0.1"
    )
    told = closed.get("/metrics", headers=SHOWN)
    assert "amiss_wrong_tokens_total 13.0" in told.text
    assert closed.post("/login", data={"token": SECRET}).status_code == 303


def test_a_wrong_token_now_and_then_is_no_guessing() -> None:
    time = 0.0
    noted: list[str] = []
    guesses = Guesses(lambda: time, lambda who, what: noted.append(what))
    for _ in range(50):  # of a program that was not told of the new one
        assert guesses.count("a") == 0
        time += 7.0
    for _ in range(20):
        found = guesses.count("a")
    assert found == 60
    assert noted == ["wrong token"] * (len(noted) - 1) + [
        "many wrong tokens: no more of this minute are noted"
    ]
    assert len(noted) < 65
    time += 59.5
    assert guesses.count("a") == 1
    time += 60.0
    assert guesses.count("a") == 0


def test_a_websocket_needs_the_token_too(
    closed: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert upgrade(closed) == 403
    assert closed.get("/healthz").status_code == 200
    assert not caplog.records  # a page left open asks again and again


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\r\nb: c"]
)
def test_after_signing_in_nobody_is_led_elsewhere(path: str) -> None:
    assert local(path) == "/"
    assert local("/dashboard/incident?id=a") == "/dashboard/incident?id=a"


def test_a_token_that_is_not_there_is_the_users_mistake(
    live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.settings = live.settings.model_copy(update={"token": "env:AMISS_NO_TOKEN"})
    with pytest.raises(ConfigError, match="AMISS_NO_TOKEN is not set"):
        build(live)
    monkeypatch.setenv("AMISS_NO_TOKEN", " ")
    with pytest.raises(ConfigError, match="env:AMISS_NO_TOKEN is empty"):
        build(live)
    monkeypatch.setenv("AMISS_NO_TOKEN", "x" * 15)
    with pytest.raises(ConfigError, match="holds 15 characters, which can be guessed; take 16"):
        build(live)
    monkeypatch.setenv("AMISS_NO_TOKEN", "x" * 16)
    build(live)


@pytest.mark.parametrize(
    ("authority", "host"),
    [("a:1", "a"), ("A.b.", "a.b"), ("[::1]:1", "::1"), ("a:b", None), ("u@a", None), ("", None)],
)
def test_the_host_of_an_authority(authority: str, host: str | None) -> None:
    assert host_of(authority) == host
