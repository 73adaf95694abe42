"""Messages over UDP, TCP or TLS, to receivers that answer nothing, such as those of syslog."""

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from errno import ECONNRESET, EMSGSIZE
from pathlib import Path
from typing import Literal, TypeAlias

from amiss.errors import ConfigError, Error, Rejected, Unreachable

Protocol: TypeAlias = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to trust over TLS, and what to show. Paths are of PEM files."""

    authority: Path | None = None  # whose certificates are trusted; None: those this machine trusts
    certificate: Path | None = None  # to show, with the chain
    key: Path | None = None  # of that certificate; None: in the same file

    def context(self) -> ssl.SSLContext:
        """For connections that are opened. Raises ConfigError for files that cannot be used."""
        paths = [p and p.expanduser() for p in (self.authority, self.certificate, self.key)]
        authority, certificate, key = paths
        try:
            context = ssl.create_default_context(cafile=authority)
            if certificate:
                context.load_cert_chain(certificate, key)
        except (OSError, ValueError) as exc:
            named = " or ".join(str(path) for path in paths if path)
            reason = getattr(exc, "reason", None) or getattr(exc, "strerror", None) or "no PEM"
            raise ConfigError(f"certificates: {named} cannot be used: {reason}") from None
        return context


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to, and whom to trust there."""

    protocol: Protocol
    host: str
    port: int
    timeout: float  # seconds
    trust: Trust = Trust()


def carry(to: Destination, messages: Sequence[bytes]) -> None:
    """Deliver all in order, one connection for all, one datagram for each.

    Over TCP and TLS it waits until the receiver has read to the end and closes: what was lost on
    the way is known then, and Unreachable. Over UDP only a machine that says at once that nobody
    listens is known. Raises Rejected for what fits into no datagram, ConfigError for certificates
    that cannot be used.
    """
    context = to.trust.context() if to.protocol == "tls" else None
    try:
        if to.protocol == "udp":
            _datagrams(to, messages)
            return
        with socket.create_connection((to.host, to.port), to.timeout) as plain:
            if context is None:
                _stream(plain, messages)
            else:
                _secured(plain, context, to.host, messages)
    except ssl.SSLCertVerificationError as exc:
        raise Unreachable(f"{to.host}: its certificate: {exc.verify_message}") from None
    except ssl.SSLError as exc:
        raise Unreachable(f"{to.host}: TLS: {exc.reason or type(exc).__name__}") from None
    except UnicodeError:
        raise ConfigError(f"{to.host} cannot be the name of a host") from None
    except TimeoutError:
        raise Unreachable(f"{to.host}: did not take it within {to.timeout:g} s") from None
    except OSError as exc:
        if exc.errno == EMSGSIZE:
            raise Rejected("longer than a datagram of UDP can be; use tcp or tls") from None
        raise Unreachable(f"{to.host}: {exc.strerror or type(exc).__name__}") from None


def why(failure: BaseException) -> str:
    """What kept an exchange from happening, in words that name no address."""
    cause: BaseException | None = failure
    while not (cause is None or isinstance(cause, Error)):  # of an exchange before this one
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {cause.reason or type(cause).__name__}"
        if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, TimeoutError):
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(failure).__name__


def _datagrams(to: Destination, messages: Sequence[bytes]) -> None:
    family, kind, number, _, place = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, number) as sock:
        sock.connect(place)
        for message in messages:
            sock.send(message)
            sock.setblocking(False)
            try:
                sock.recv(1)  # nothing ever comes, but that nobody listens
            except BlockingIOError:
                pass
            sock.settimeout(to.timeout)


def _stream(sock: socket.socket, messages: Sequence[bytes]) -> None:
    sock.sendall(b"".join(messages))
    sock.shutdown(socket.SHUT_WR)
    while sock.recv(4096):
        pass


def _secured(
    plain: socket.socket, context: ssl.SSLContext, host: str, messages: Sequence[bytes]
) -> None:
    """A goodbye is said without a look at what the receiver said: OpenSSL takes an alert for a
    goodbye there, and of TLS 1.3 a certificate is refused only after the handshake.
    """
    came, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(came, going, server_hostname=host)

    def over(step: Callable[[], object]) -> bool:
        """Do what needs the other side to answer; says whether it has closed."""
        while True:
            try:
                return step() == b""
            except ssl.SSLWantReadError:
                plain.sendall(going.read())
                data = plain.recv(2**14)
                came.write(data) if data else came.write_eof()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return True

    if over(tls.do_handshake):
        raise ConnectionResetError(ECONNRESET, "closed within the handshake")
    tls.write(b"".join(messages))
    try:
        while tls.read(2**14):
            pass
    except ssl.SSLWantReadError:
        pass  # so nothing that came is unread
    try:
        tls.unwrap()
    except ssl.SSLWantReadError:
        pass  # it is said, and not answered yet
    plain.sendall(going.read())
    while not over(lambda: tls.read(2**14)):
        pass
