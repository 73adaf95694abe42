"""Real receivers on this machine, for what is sent: HTTP and SMTP."""

import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import orjson
from aiosmtpd.controller import Controller

PATIENCE = 120  # seconds until something that was to come counts as never coming


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Receiver:
    """Keeps what it is sent, and answers as told. A context manager; entered again, it listens
    where it did.
    """

    status: int | None = 200  # None: hangs up without an answer
    headers: dict[str, str] = field(default_factory=dict)
    answer: Callable[[Request], bytes] = lambda request: b""
    """The body of an answer."""
    open: threading.Event = field(default_factory=threading.Event)
    """Cleared, it takes requests and answers none until it is set."""
    arrived: "queue.Queue[Request]" = field(default_factory=queue.Queue)
    """Every request, as soon as it has come."""
    port: int = 0
    """Where it listens; a free one by itself."""

    def __enter__(self) -> Self:
        self.open.set()
        outer = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, headers, body)
                outer.arrived.put(request)
                outer.open.wait(PATIENCE)
                self.close_connection = True
                if outer.status is None:
                    return
                try:
                    self.send_response(outer.status)
                    for name, value in outer.headers.items():
                        self.send_header(name, value)
                    said = outer.answer(request)
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)
                except OSError:
                    pass  # the sender has given up

            def log_message(self, *said: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Answer)
        self.port = self._server.server_port
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.open.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/hook"

    def next(self) -> Request:
        return self.arrived.get(timeout=PATIENCE)

    def all(self) -> list[Request]:
        """What has come and was not asked for yet."""
        return [self.arrived.get_nowait() for _ in range(self.arrived.qsize())]


class _Desk:
    def __init__(self) -> None:
        self.replies: dict[str, str] = {}
        self.mails: queue.Queue[EmailMessage] = queue.Queue()
        for command, answer in (("RCPT", self.recipient), ("DATA", self.content)):
            setattr(self, f"handle_{command}", answer)  # where aiosmtpd looks

    async def recipient(self, server, session, envelope, address, options) -> str:
        if reply := self.replies.get("RCPT"):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def content(self, server, session, envelope) -> str:
        if reply := self.replies.get("DATA"):
            return reply
        self.mails.put(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


class MailServer(Controller):
    """An SMTP server; on a free port by itself. `replies` gives its answers to RCPT and DATA if
    not 250.
    """

    def __init__(self, at: int = 0) -> None:
        self.desk = _Desk()
        self.replies = self.desk.replies
        self._bound = socket.create_server(("127.0.0.1", at))
        super().__init__(self.desk, hostname="127.0.0.1", port=self._bound.getsockname()[1])

    def _create_server(self):
        return self.loop.create_server(self._factory_invoker, sock=self._bound)

    def next(self) -> EmailMessage:
        return self.desk.mails.get(timeout=PATIENCE)

    def all(self) -> list[EmailMessage]:
        """What has come and was not asked for yet."""
        return [self.desk.mails.get_nowait() for _ in range(self.desk.mails.qsize())]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
