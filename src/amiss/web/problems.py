"""Whatever goes wrong is said as problem details (RFC 9457), in a sentence that helps."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amiss.errors import ConfigError, Error, Rejected, StateError, Unreachable
from amiss.web.schemas.common import Problem

log = logging.getLogger(__name__)

MEDIA = "application/problem+json"
WHEN = {
    400: "The body is not what it is said to be.",
    401: "The token is missing or wrong.",
    403: "A page of another site must not ask.",
    404: "There is no such thing.",
    413: "The body is larger than 1 MB, or what is pushed than 32 MB.",
    415: "The body is not of a type that is taken there.",
    421: "Amiss was called by a name that it does not know as its own.",
    422: "What was asked for cannot be; says why.",
    429: "Too many wrong tokens were shown, or an inbox is full: ask again later.",
    500: "A fault of Amiss; it is in its log.",
    503: "Not now; says why. Ask again.",
}
EVERYWHERE = (401, 403, 421, 429, 500, 503)


def problem(
    status: int,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that says why there is none."""
    said: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        said["errors"] = errors
    return Response(orjson.dumps(said), status, headers, media_type=MEDIA)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: what else may be answered, beside what may be everywhere."""
    return {
        status: {
            "description": WHEN[status],
            "content": {
                MEDIA: {
                    "schema": {"$ref": f"#/components/schemas/{Problem.__name__}"},
                    "example": {
                        "type": "about:blank",
                        "title": HTTPStatus(status).phrase,
                        "status": status,
                        "detail": WHEN[status],
                    },
                }
            },
        }
        for status in sorted({*statuses, *EVERYWHERE})
    }


class Faults:
    """ASGI: a fault of ours is logged, and answered without saying what is inside."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and answer for what is raised."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception:
            if scope["type"] != "http":
                raise
            # the door: whatever could not be foreseen is told to the operator, not to the caller
            log.exception("fault in %s %s", scope["method"], scope["path"])
            if not started:
                await problem(500, f"{WHEN[500]} Nothing is lost by it.")(scope, receive, send)


def install(app: FastAPI) -> None:
    """Answer in this way whatever the application raises."""
    for kind, status in ((ConfigError, 422), (StateError, 500), (Rejected, 502)):
        app.add_exception_handler(kind, _told(status))
    app.add_exception_handler(Unreachable, _later)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)


def _told(status: int) -> Any:
    async def tell(request: Request, exc: Error) -> Response:
        if status == 500:
            log.error("%s %s: %s", request.method, request.url.path, exc)
        return problem(status, str(exc))

    return tell


async def _later(request: Request, exc: Exception) -> Response:
    after = getattr(exc, "after", None)
    return problem(503, str(exc), headers={"Retry-After": f"{after or 5.0:.0f}"})


async def _refused(request: Request, exc: Exception) -> Response:
    refused = cast("HTTPException", exc)
    detail = str(refused.detail)
    if refused.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = f"there is nothing at {request.url.path}; see /docs"
    elif refused.status_code == 405:
        detail = f"{request.url.path} does not take {request.method}; see Allow"
    return problem(refused.status_code, detail, headers=refused.headers)


async def _invalid(request: Request, exc: Exception) -> Response:
    found = cast("RequestValidationError", exc).errors()
    if any(one["type"] == "json_invalid" for one in found):
        why = str(found[0].get("ctx", {}).get("error", "")).lower()
        return problem(400, f"the body is not JSON: {why} at character {found[0]['loc'][-1]}")
    errors = [{"field": _field(one["loc"]), "message": _message(one)} for one in found]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors[:3])
    return problem(422, detail, errors)


def _field(place: tuple[Any, ...]) -> str:
    """body, n_samples is n_samples."""
    inner = place[1:] if len(place) > 1 else place
    return ".".join(str(part) for part in inner)


def _message(found: Mapping[str, Any]) -> str:
    text = str(found["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
