"""What is shown to servers. With certificates, on a real one: tests/servers."""

import socket
import ssl
import threading
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from amiss.errors import ConfigError, Unreachable
from amiss.reading.access import Access
from amiss.world import World
from servers import certificates


def _world() -> World:
    return World(secret=lambda reference: {"env:P": "open sesame", "env:T": "tok"}[reference])


def test_a_password_a_token_and_a_tenant_are_headers() -> None:
    known = Access(user="ann", password="env:P", headers={"X-Scope-OrgID": "a"}).asking(_world())
    assert known["auth"] == ("ann", "open sesame")
    assert known["headers"] == {"User-Agent": "amiss", "X-Scope-OrgID": "a"}
    bearer = Access(token="env:T").asking(_world())
    assert bearer["headers"]["Authorization"] == "Bearer tok"
    assert "trust" not in bearer


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"user": "ann"}, "user and password belong together"),
        ({"user": "a", "password": "env:P", "token": "env:T"}, "write one of them"),
        ({"key": "k.pem"}, "key belongs to a certificate"),
        ({"token": "tok"}, "never in the file itself"),
        ({"headers": {"a b": "c"}}, "'a b' cannot be sent as a header"),
        ({"headers": {"a": "c\nd: e"}}, "'a' cannot be sent as a header"),
        ({"headers": {"a": "té"}}, "'a' cannot be sent as a header"),
    ],
)
def test_what_does_not_fit_is_said(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Access(**given)


@pytest.mark.parametrize("token", ["tok\n", "schlüssel"])
def test_a_token_that_cannot_be_sent_is_said_and_not_shown(token: str) -> None:
    with pytest.raises(ConfigError, match="cannot be sent") as raised:
        Access(token="env:T").asking(World(secret=lambda reference: token))
    assert token not in str(raised.value)


def test_what_keeps_a_connection_from_being_made_is_said_in_words(tmp_path: Path) -> None:
    """And not where to: addresses may be secrets."""
    certificates.make(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    plain = socket.create_server(("127.0.0.1", 0))
    with context.wrap_socket(plain, server_side=True) as server:
        port = server.getsockname()[1]
        threading.Thread(target=_refused, args=(server,), daemon=True).start()
        with pytest.raises(Unreachable) as raised:
            World().ask("GET", f"https://127.0.0.1:{port}/secret")
    assert str(raised.value) == "127.0.0.1: its certificate: self-signed certificate"
    with pytest.raises(Unreachable) as raised:
        World().ask("GET", f"http://127.0.0.1:{port}/secret")
    assert str(raised.value) == "127.0.0.1: Connection refused"


def test_what_kept_the_exchange_before_from_happening_is_not_said_of_this_one() -> None:
    """Of a server that is asked again for less."""

    def fail(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/slow":
            raise httpx.ReadTimeout("too slow", request=request)
        raise httpx.ReadError("gone") from ConnectionResetError(104, "Connection reset by peer")

    with httpx.Client(transport=httpx.MockTransport(fail)) as client:
        world = World(http=lambda *trust: client)
        try:
            world.ask("GET", "http://127.0.0.1/")
        except Unreachable as exc:
            assert str(exc) == "127.0.0.1: Connection reset by peer"
            with pytest.raises(Unreachable, match=r"^127\.0\.0\.1: ReadTimeout$"):
                world.ask("GET", "http://127.0.0.1/slow")


def _refused(server: ssl.SSLSocket) -> None:
    with pytest.raises(ssl.SSLError):
        server.accept()
