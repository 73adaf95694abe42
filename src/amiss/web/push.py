"""What others push: kept on the disk, then acknowledged, and judged when its pipeline reads it."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from amiss.doors.inbox import Entry
from amiss.errors import Unreachable
from amiss.formats import pushed
from amiss.formats.unpacked import LARGEST
from amiss.run.live import Live
from amiss.web import statuses
from amiss.web.problems import documented, problem
from amiss.web.running import Running

router = APIRouter(tags=["push"])
DEFAULT = "default"
AT_ONCE = 4  # messages that are unpacked; others wait, and no other page waits for them
Inbox = Annotated[str, Path(description="The inbox that the source `push` of a pipeline names.")]
Answer = Callable[..., Awaitable[Response]]
SAYS = {
    "api/v1/write": "Samples, as Prometheus writes them (remote write 1 and 2).",
    "loki/api/v1/push": "Lines, as Promtail, Alloy and others push them to Loki.",
    "v1/metrics": "Metrics, as OpenTelemetry sends them over HTTP.",
    "v1/logs": "Logs, as OpenTelemetry sends them over HTTP.",
    "lines": "Events, one a line: JSON, logfmt, text; as the source's format says.",
}
KEPT = " Answered {} once it is on the disk; 429 with Retry-After while the inbox is full."
STATUS = " What goes wrong is said as a `Status`, in the encoding of the request."


def _path(path: str) -> tuple[Answer, Answer]:
    """What answers a path: of an inbox, and of the one that is called `default`."""

    async def to_inbox(request: Request, live: Running, inbox: Inbox) -> Response:
        return await _take(request, live, inbox, path)

    async def to_default(request: Request, live: Running) -> Response:
        return await _take(request, live, DEFAULT, path)

    return to_inbox, to_default


for _known, _said in SAYS.items():
    _otlp = _known in statuses.PATHS
    _taken = 200 if _otlp else 204  # OpenTelemetry wants an answer
    _refused = documented(400, 404, 413, 415, 422)
    _to_inbox, _to_default = _path(_known)
    for _where, _answer in ((f"/inbox/{{inbox}}/{_known}", _to_inbox), (f"/{_known}", _to_default)):
        router.add_api_route(
            _where,
            _answer,
            methods=["POST"],
            status_code=_taken,
            response_class=Response,
            summary=_said,
            description=_said + KEPT.format(_taken) + (STATUS if _otlp else ""),
            operation_id=_where.strip("/").replace("/", "_").replace("{inbox}", "inbox"),
            responses=statuses.documented(*map(int, _refused)) if _otlp else _refused,
            include_in_schema=_answer is _to_inbox,
        )


async def _take(request: Request, live: Live, inbox: str, path: str) -> Response:
    known = live.inboxes.names(live.watches)
    if inbox not in known:
        said = ", ".join(known) or "none"
        return problem(404, f"no pipeline has a source push with inbox {inbox!r}; known: {said}")
    kind, encoding = (request.headers.get(f"content-{what}", "") for what in ("type", "encoding"))
    try:
        written = pushed.kind_of(path, kind, encoding)
    except pushed.Unfit as exc:
        return problem(415, str(exc))
    body = await request.body()
    try:
        lanes: CapacityLimiter = request.app.state.lanes
        return await to_thread.run_sync(partial(_keep, live, inbox, written, body), limiter=lanes)
    except OverflowError:
        return problem(413, f"the message is larger than {LARGEST:,} bytes when it is unpacked")
    except ValueError as exc:
        return problem(400, str(exc))
    except Unreachable as exc:
        return problem(429, str(exc), headers={"Retry-After": f"{exc.after or 1:.0f}"})


def _keep(live: Live, inbox: str, kind: str, body: bytes) -> Response:
    """Whether it can be read is known before it is acknowledged."""
    said = pushed.read(kind, body)
    if len(said) or said.left:
        live.inboxes.get(inbox).append([Entry(live.world.now(), kind, body, said.unpacked)])
    if (answer := pushed.answer(kind, said)) is not None:
        return Response(answer[0], media_type=answer[1])
    headers = pushed.written(said) if kind.startswith("remote_write") else None
    return Response(status_code=204, headers=headers)
