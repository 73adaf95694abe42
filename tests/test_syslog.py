"""Syslog on real sockets: framing, certificates, and what is known of those who do not listen."""

import re
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from typing import Self

import orjson
import pytest
from pydantic import ValidationError

from amiss.errors import ConfigError, Rejected, Unreachable
from amiss.run.tell import Channel, tell
from amiss.sinks.syslog import Syslog
from amiss.store import Store
from amiss.world import World
from servers.certificates import make
from servers.incidents import ended, incident
from servers.receivers import PATIENCE

HEAD = re.compile(rb"<(\d+)>1 (\S+Z) (\S+) amiss - (\w+) - (.*)", re.DOTALL)


class Listener:
    """Takes connections, each read to its end, one after the other. A context manager.

    With `hangs` it closes none, with `resets` it hangs up after the first bytes.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        hangs: bool = False,
        resets: bool = False,
        rude: bool = False,
    ) -> None:
        self.context, self.hangs, self.resets, self.rude = context, hangs, resets, rude
        self.came: Queue[bytes] = Queue()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                with self._socket.accept()[0] as plain:
                    plain.settimeout(PATIENCE)
                    self._take(plain)
            except OSError:
                continue  # whom it sent away, or that it was closed itself

    def _take(self, plain: socket.socket) -> None:
        if self.resets:
            plain.recv(1)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return
        whole = b""
        peer = self.context.wrap_socket(plain, server_side=True) if self.context else plain
        while data := peer.recv(4096):
            whole += data
        self.came.put(whole)
        if self.hangs:
            self._over.wait(PATIENCE)
        if isinstance(peer, ssl.SSLSocket):
            if not self.rude:
                peer.unwrap()
            peer.close()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *said: object) -> None:
        self._over.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


def unframed(data: bytes) -> list[bytes]:
    """Messages that were framed by their length."""
    messages = []
    while data:
        size, _, rest = data.partition(b" ")
        messages.append(rest[: int(size)])
        assert len(messages[-1]) == int(size)
        data = rest[int(size) :]
    return messages


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `server` and `client`, each its own authority: .pem and .key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificates")
    make(folder, "server", "client")
    return folder


@pytest.fixture
def context(certificates: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    return made


@pytest.fixture
def udp() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(PATIENCE)
        yield sock


def place(sock: socket.socket) -> str:
    return f"127.0.0.1:{sock.getsockname()[1]}"


def test_udp_is_one_datagram_each(udp: socket.socket) -> None:
    Syslog(url=f"udp://{place(udp)}").send((incident("a"), ended(incident("b"))), World())
    first, second = (HEAD.fullmatch(udp.recv(65536)) for _ in range(2))
    assert first and second
    assert (first[1], first[2], first[4]) == (b"132", b"2026-03-07T14:03:10Z", b"opened")
    assert (second[1], second[2], second[4]) == (b"133", b"2026-03-07T14:20:10Z", b"resolved")
    assert first[5].startswith(b"CEF:0|Amiss|Amiss|")


def test_tcp_counts_octets() -> None:
    with Listener() as server:
        long = incident("b", sentence="naïve\nline since 14:02 UTC on 7 March")
        Syslog(url=f"tcp://{server.place}", format="ecs", facility=13).send(
            (incident("a"), long), World()
        )
        first, second = map(HEAD.fullmatch, unframed(server.came.get(timeout=PATIENCE)))
    assert first and second
    assert first[1] == b"108"
    assert orjson.loads(first[5])["event"]["id"] == "a-1"
    assert orjson.loads(second[5])["event"]["reason"] == long.sentence


@pytest.mark.parametrize("rude", [False, True], ids=["says goodbye", "just closes"])
def test_tls_with_an_authority_of_its_own(
    certificates: Path, context: ssl.SSLContext, rude: bool
) -> None:
    with Listener(context, rude=rude) as server:
        sink = Syslog(
            url=f"tls://{server.place}", format="ocsf", authority=certificates / "server.pem"
        )
        sink.send((incident(),), World())
        (message,) = unframed(server.came.get(timeout=PATIENCE))
    said = HEAD.fullmatch(message)
    assert said and orjson.loads(said[5])["class_uid"] == 2004


def test_tls_shows_a_certificate_where_one_is_asked_for(
    certificates: Path, context: ssl.SSLContext
) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificates / "client.pem")
    with Listener(context) as server:
        known = Syslog(
            url=f"tls://{server.place}",
            authority=certificates / "server.pem",
            certificate=certificates / "client.pem",
            key=certificates / "client.key",
        )
        known.send((incident(),), World())
        assert unframed(server.came.get(timeout=PATIENCE))
        unknown = known.model_copy(update={"certificate": None, "key": None})
        with pytest.raises(Unreachable):
            unknown.send((incident(),), World())


def test_tls_trusts_no_stranger(certificates: Path, context: ssl.SSLContext) -> None:
    with Listener(context) as server:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1: its certificate: self.signed"):
            Syslog(url=f"tls://{server.place}").send((incident(),), World())
        other = Syslog(
            url=f"tls://localhost:{server.place.partition(':')[2]}",
            authority=certificates / "server.pem",
        )
        with pytest.raises(Unreachable, match="localhost: its certificate: Hostname mismatch"):
            other.send((incident(),), World())
        assert server.came.empty()


def test_certificates_that_cannot_be_used_are_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate", encoding="utf-8")
    for name in ("none.pem", "missing.pem"):
        with pytest.raises(ConfigError, match=f"certificates: .*{name} cannot be used"):
            Syslog(url="tls://127.0.0.1:1", authority=tmp_path / name).send((incident(),), World())


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.mark.parametrize("protocol", ["udp", "tcp", "tls"])
def test_nobody_there_is_unreachable(protocol: str) -> None:
    port = free_port(socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1: Connection refused"):
        Syslog(url=f"{protocol}://127.0.0.1:{port}").send((incident(),), World())


def test_what_was_not_read_to_the_end_was_not_told() -> None:
    with Listener(resets=True) as server:
        with pytest.raises(Unreachable):
            Syslog(url=f"tcp://{server.place}").send((incident(),), World())
    with Listener(hangs=True) as server:
        with pytest.raises(Unreachable, match=r"did not take it within 0\.2 s"):
            Syslog(url=f"tcp://{server.place}", timeout="200ms").send((incident(),), World())


def test_over_tls_neither(certificates: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    with Listener(context, hangs=True) as server:
        told = Syslog(
            url=f"tls://{server.place}", timeout="500ms", authority=certificates / "server.pem"
        )
        with pytest.raises(Unreachable, match=r"did not take it within 0\.5 s"):
            told.send((incident(),), World())


def test_what_fits_no_datagram_is_refused(udp: socket.socket) -> None:
    long = incident(evidence=tuple("x" * 9000 for _ in range(9)))
    with pytest.raises(Rejected, match="use tcp or tls"):
        Syslog(url=f"udp://{place(udp)}", format="ecs").send((long,), World())


def test_a_restart_and_a_receiver_that_was_away_lose_and_repeat_nothing(tmp_path: Path) -> None:
    """The store remembers how far this sink was told; a new program goes on from there."""
    import numpy as np

    from amiss.data import Records

    nothing = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
    first = incident("a")
    port = free_port(socket.SOCK_STREAM)
    store = Store(tmp_path / "amiss.db")
    store.enrol(["siem"])
    store.commit("host", {}, nothing, (first, incident("b")))
    away = Channel("siem", Syslog(url=f"tcp://127.0.0.1:{port}"), store, World())
    with pytest.raises(Unreachable):
        tell(away)
    store.close()

    with Listener() as server:
        store = Store(tmp_path / "amiss.db")
        there = Channel("siem", Syslog(url=f"tcp://{server.place}", format="ecs"), store, World())
        while tell(there):
            pass
        store.commit("host", {}, nothing, (ended(first),))
        store.close()
        store = Store(tmp_path / "amiss.db")
        again = Channel("siem", there.sink, store, World())
        while tell(again):
            pass
        store.close()
        ids = []
        while not server.came.empty():
            for message in unframed(server.came.get()):
                said = HEAD.fullmatch(message)
                assert said
                ids.append(orjson.loads(said[5])["event"]["id"])
    assert ids == ["a-1", "b-1", "a-2"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"url": "siem.example.com:514"}, "is no such address; write tls://"),
        ({"url": "udp://siem.example.com:0"}, "is no such address"),
        ({"url": "tls://siem..example.com"}, "cannot be the name of a host"),
        ({"url": f"tls://{'x' * 64}"}, "cannot be the name of a host"),
        ({"url": "udp://siem.example.com:99999"}, "is no such address"),
        ({"url": "tcp://siem", "authority": "ca.pem"}, "authority is for tls://"),
        ({"url": "tls://siem", "key": "key.pem"}, "key belongs to a certificate"),
        ({"url": "udp://siem", "facility": 24}, "less than or equal to 23"),
    ],
)
def test_settings_are_checked(said: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Syslog(**said)
