"""Listens for syslog over UDP and TCP, and keeps what comes in an inbox."""

import re
import selectors
import socket
import threading
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

from amiss.doors.inbox import Entry, Inbox
from amiss.errors import Unreachable

KIND = "lines"
BUFFER = 4 * 2**20  # bytes that the system keeps of UDP while the disk is busy
TOGETHER = 2**18  # bytes that are kept at once
DATAGRAM = 2**16
LONGEST = 2**16  # bytes of a message over TCP
SENDERS = 256  # connections at a time
COUNTED = re.compile(rb"(\d{1,5}) (?=<)")  # RFC 6587: the length, then the message
FULL = "syslog over UDP that came while the inbox was full"
LONG = "syslog over TCP that is longer than 65,536 bytes"
CROWD = "connections of syslog beyond 256 at a time"


class Listener:
    """One address, with a thread of its own. Raises OSError if it cannot be listened on.

    What comes over UDP while the inbox is full is lost and counted; over TCP senders are kept
    waiting instead.
    """

    def __init__(self, url: str, name: str, inbox: Inbox, now: Callable[[], int]) -> None:
        self.url, self.name, self.inbox, self.now = url, name, inbox, now
        parts = urlsplit(url)
        self._udp = parts.scheme == "udp"
        kind = socket.SOCK_DGRAM if self._udp else socket.SOCK_STREAM
        family, kind, protocol, _, address = socket.getaddrinfo(
            parts.hostname, parts.port, type=kind, flags=socket.AI_PASSIVE
        )[0]
        self._socket = socket.socket(family, kind, protocol)
        try:
            if self._udp:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            else:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind(address)
            if not self._udp:
                self._socket.listen(SENDERS)
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._socket.setblocking(False)
        self._lost: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._held: dict[socket.socket, bytes] = {}
        self._ending, self._stop = socket.socketpair()
        self._over = threading.Event()
        self._looking = selectors.DefaultSelector()
        self._looking.register(self._socket, selectors.EVENT_READ)
        self._looking.register(self._ending, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name=f"syslog {url}", daemon=True)
        self._thread.start()

    def lost(self) -> dict[str, int]:
        """What could not be kept since this was asked last, by reason."""
        with self._lock:
            said, self._lost = dict(self._lost), Counter()
        return said

    def stop(self) -> None:
        """End, with what has come kept."""
        self._over.set()
        self._stop.close()
        self._thread.join(5)
        for one in (*self._held, self._socket, self._ending):
            one.close()
        self._looking.close()

    def _run(self) -> None:
        while not self._over.is_set():
            for key, _ in self._looking.select():
                if key.fileobj is self._socket:
                    self._datagrams() if self._udp else self._accept()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._held:
                    self._read(key.fileobj)

    def _datagrams(self) -> None:
        """All that is there, as one entry."""
        came: list[bytes] = []
        size = 0
        while size < TOGETHER:
            try:
                data = self._socket.recv(DATAGRAM)
            except OSError:  # nothing more, or what a sender made of our answer
                break
            came.append(_line(data))
            size += len(data)
        try:
            self._keep(came)
        except Unreachable:
            self._count(FULL, len(came))

    def _accept(self) -> None:
        try:
            sender, _ = self._socket.accept()
        except OSError:
            return  # it went away again
        if len(self._held) >= SENDERS:
            sender.close()
            self._count(CROWD, 1)
            return
        sender.setblocking(False)
        self._held[sender] = b""
        self._looking.register(sender, selectors.EVENT_READ)

    def _read(self, sender: socket.socket) -> None:
        try:
            data = sender.recv(TOGETHER)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        lines, rest = self._framed(self._held[sender] + data, final=not data)
        self._keep_waiting(lines)
        if data:
            self._held[sender] = rest
        else:
            del self._held[sender]
            self._looking.unregister(sender)
            sender.close()

    def _framed(self, data: bytes, final: bool) -> tuple[list[bytes], bytes]:
        """The messages that are whole, and what is not."""
        lines = list[bytes]()
        while data:
            counted = COUNTED.match(data)
            if counted:
                end = counted.end() + int(counted[1])
                message, behind = data[counted.end() : end], end
            else:
                end = data.find(b"\n")
                message, behind = data[:end] if end >= 0 else data, end + 1
            whole = 0 <= end <= len(data)
            if not whole and len(data) > LONGEST:
                self._count(LONG, 1)
                return lines, b""
            if not whole and not final:
                return lines, data
            lines.append(_line(message))
            data = data[behind:] if whole else b""
        return lines, b""

    def _keep(self, lines: list[bytes]) -> None:
        if any(lines):
            self.inbox.append([Entry(self.now(), KIND, b"\n".join(lines))])

    def _keep_waiting(self, lines: list[bytes]) -> None:
        while not self._over.is_set():
            try:
                return self._keep(lines)
            except Unreachable as exc:
                self._over.wait(exc.after)

    def _count(self, reason: str, many: int) -> None:
        with self._lock:
            self._lost[reason] += many


def _line(message: bytes) -> bytes:
    """One line, whatever breaks are in it."""
    return b" ".join(message.strip(b"\r\n\0 ").splitlines())
