"""No body larger than this is read: it is refused as soon as that is known."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amiss.formats.pushed import PATHS
from amiss.web.problems import problem

LARGEST = 1_000_000  # bytes
PUSHED = 32_000_000  # of what is pushed, as it is packed
LINGER = 10.0  # seconds


class Limit:
    """ASGI: bodies come whole, and of bounded size, or the request is answered with 413."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, or refuse."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        length = headers.get("content-length", "0")
        most = PUSHED if is_push(scope) else LARGEST
        if length.isdigit() and int(length) > most:
            expected = headers.get("expect", "").lower() == "100-continue"
            await _refuse(scope, receive, send, most, drain=not expected)
        elif length != "0" or "transfer-encoding" in headers:
            body = await _read(receive, most)
            if body is None:
                await _refuse(scope, receive, send, most, drain=True)
            else:
                await self.app(scope, _again(body, receive), send)
        else:
            await self.app(scope, receive, send)


async def _read(receive: Receive, most: int) -> Message | None:
    """The whole body as one message; None as soon as it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message
        body += message.get("body", b"")
        if len(body) > most:
            return None
        if not message.get("more_body", False):
            return {"type": "http.request", "body": bytes(body), "more_body": False}


def _again(message: Message, receive: Receive) -> Receive:
    first = [message]

    async def once_more() -> Message:
        return first.pop() if first else await receive()

    return once_more


async def _refuse(scope: Scope, receive: Receive, send: Send, most: int, drain: bool) -> None:
    """Answer at once, then let what is on its way run into the sand for a while.

    One who is still sending would otherwise see a broken connection and no answer.
    """
    answer = problem(
        413, f"the body is larger than {most:,} bytes", headers={"Connection": "close"}
    )
    head = {"type": "http.response.start", "status": 413, "headers": answer.raw_headers}
    await send(head)
    await send({"type": "http.response.body", "body": answer.body, "more_body": drain})
    if not drain:
        return
    try:
        async with asyncio.timeout(LINGER):
            while True:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    break
    except TimeoutError:
        pass  # long enough: the connection is closed on whoever still sends
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def is_push(scope: Scope) -> bool:
    """Whether something is pushed: to an inbox, or by a path that senders have built in."""
    path = str(scope.get("path", "")).lstrip("/")
    return path in PATHS or path.startswith("inbox/")
