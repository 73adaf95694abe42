"""What goes wrong, said to senders of OpenTelemetry as these read it.

Their specification wants a `Status`, in the encoding of the request, of every refusal: also of
what is refused before an inbox is asked, such as a wrong token.
"""

from typing import Any

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amiss.formats import otlp, pushed
from amiss.web.problems import MEDIA, WHEN

PATHS = tuple(path for path in pushed.PATHS if path.startswith("v1/"))


class Statuses:
    """ASGI: says problems in another form where OpenTelemetry is sent to."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on."""
        if scope["type"] != "http" or not _sent_to(str(scope["path"])):
            await self.app(scope, receive, send)
            return
        json = not pushed.is_protobuf(Headers(scope=scope).get("content-type", ""))
        begun: list[Message] = []

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                begun.append(message)
                return
            if begun:  # a problem comes whole, whatever is read after it
                said = otlp.status(orjson.loads(message["body"])["detail"], json)
                start = begun.pop()
                headers = MutableHeaders(raw=list(start["headers"]))
                headers["content-type"] = pushed.otlp_type(json)
                headers["content-length"] = str(len(said))
                await send({**start, "headers": headers.raw})
                message = {**message, "body": said}
            await send(message)

        await self.app(scope, receive, told)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: what is answered there instead of problems."""
    message = {"type": "object", "properties": {"message": {"type": "string"}}}
    content = {
        pushed.JSON[0]: {"schema": message, "example": {"message": "why"}},
        pushed.PROTOBUF[0]: {
            "schema": {"type": "string", "format": "binary"},
            "example": otlp.status("why", False).decode(),
        },
    }
    return {one: {"description": WHEN[one], "content": content} for one in statuses}


def _sent_to(path: str) -> bool:
    path = path.lstrip("/")
    return path in PATHS or (path.startswith("inbox/") and path.endswith(PATHS))


def _is_problem(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type") == MEDIA
