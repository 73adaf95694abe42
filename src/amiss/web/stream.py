"""GET /api/v1/stream: what changes, as it changes (server-sent events).

One task reads the running program for all who follow. Each of them has only two marks, the picture
and the revision it was sent last: one who reads slowly skips pictures, misses no revision, and
costs no memory.
"""

import asyncio
import logging
import re
from collections import Counter, deque
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from amiss.errors import Error, Unreachable
from amiss.run.live import Live
from amiss.run.now import Now
from amiss.web.apart import apart
from amiss.web.headline import headline
from amiss.web.incidents import told
from amiss.web.problems import documented
from amiss.web.times import iso

log = logging.getLogger(__name__)
router = APIRouter(tags=["stream"])

HEARTBEAT = 15.0  # seconds
PATIENCE = 1.0  # seconds that one look at the program may last
PAGE = 200  # revisions read at once
KEPT = 500  # revisions in memory, for those who are almost up to date
MOST = 200  # clients
PLACE = re.compile(r"[0-9]{1,18}")
EXAMPLE = (
    'id: 17\nevent: now\ndata: {"version":42,"at":"2026-03-07T14:02:10.000Z","phase":"watching",'
    '"headline":"1 thing is amiss","counts":{"judged":102,"amiss":1,"open":1}}\n\n'
    'id: 18\nevent: incident\ndata: {"id":"a1b2c3d4e5f60718","revision":2,"state":"resolved"}\n\n'
)


class Feed:
    """What those who follow are sent. Works only while somebody does."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.clients = 0
        self.version = 0  # of the newest picture
        self.picture = b""
        self.end = 0  # the newest revision's place in the log
        self.recent: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self.since = 0  # `recent` holds every revision after this one
        self._news = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._closed = False

    def join(self) -> None:
        """One more follows. Each must `leave`."""
        self.clients += 1
        if self._watching is None:
            self.version = 0
            self._watching = asyncio.create_task(self._watch())
            self._watching.add_done_callback(self._ended)

    def leave(self) -> None:
        """One less; nobody works for none."""
        self.clients -= 1
        if not self.clients and self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def follow(self, mark: int | None) -> AsyncIterator[bytes]:
        """Events from now on, or after the revision at `mark`; ends when the program does."""
        watching, seen = self._watching, 0
        yield b"retry: 2000\n\n"
        while watching is not None and not watching.done() and not self._closed:
            news = self._news
            if self.version:
                mark = self.end if mark is None or mark > self.end else mark
                since, found = self.since, await self._after(mark)
                for place, event in found:
                    mark = place
                    yield event
                if not found:
                    mark = max(mark, since)  # what came before has been pruned
                if seen < self.version:
                    seen = self.version
                    yield _event("now", self.picture, mark)
                if mark < self.end:
                    continue
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await news.wait()
            except TimeoutError:
                yield b": alive\n\n"

    def close(self) -> None:
        """Let all who follow go."""
        self._closed = True
        self._tell()

    async def _after(self, mark: int) -> list[tuple[int, bytes]]:
        if mark >= self.since:
            return [one for one in self.recent if one[0] > mark]
        return await apart(partial(_read, self.live, mark))

    async def _watch(self) -> None:
        live = self.live
        self.since = self.end = await apart(live.store.last_revision)
        self.recent.clear()
        while True:
            try:
                now = await apart(partial(live.wait, self.version, PATIENCE))
                if now.version == self.version:
                    continue
                self.picture = orjson.dumps(compact(now))
                await self._read_on()
                self.version = now.version
                self._tell()
            except Error as exc:
                log.warning("the stream waits: %s", exc)
                await asyncio.sleep(PATIENCE)

    async def _read_on(self) -> None:
        while True:
            fresh = await apart(partial(_read, self.live, self.end))
            for one in fresh:
                if len(self.recent) == KEPT:
                    self.since = self.recent[0][0]
                self.recent.append(one)
                self.end = one[0]
            if len(fresh) < PAGE:
                return

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if self._watching is task:
            self._watching = None
        if not task.cancelled() and (fault := task.exception()):
            log.error("fault in the stream; its clients must begin again", exc_info=fault)
            self._tell()


class Following(StreamingResponse):
    """The answer to one who follows, counted for as long as it lasts."""

    def __init__(self, feed: Feed, mark: int | None) -> None:
        super().__init__(
            feed.follow(mark),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        self.feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the client has gone, or the program ends."""
        self.feed.join()
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.feed.leave()


def _read(live: Live, after: int) -> list[tuple[int, bytes]]:
    found = live.store.revisions(after, PAGE)
    return [
        (place, _event("incident", told(one).model_dump_json().encode(), place))
        for place, one in found
    ]


def _event(kind: str, data: bytes, mark: int) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (mark, kind.encode(), data)


def compact(now: Now) -> dict[str, Any]:
    """The picture in a few numbers."""
    states = Counter(one.state for one in now.series)
    return {
        "version": now.version,
        "at": iso(now.at),
        "phase": now.phase,
        "reason": now.reason,
        "headline": headline(now),
        "counts": {
            "series": len(now.series),
            "judged": states["judged"],
            "warming_up": states["warming up"],
            "silent": states["silent"],
            "amiss": sum(one.amiss for one in now.series),
            "open": len(now.open),
        },
        "budget": {"asked": now.budget.asked, "today": now.budget.today},
    }


@router.get(
    "/stream",
    summary="What changes, as it changes",
    response_class=StreamingResponse,
    responses=documented(422)
    | {
        200: {
            "description": "Events `now` and `incident`.",
            "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
        }
    },
)
async def stream(
    request: Request,
    last_event_id: Annotated[
        str, Header(description="The last `id` received; what came after it is sent first.")
    ] = "",
    after: Annotated[
        int | None, Query(ge=0, description="The same, for those who cannot set a header.")
    ] = None,
) -> Following:
    """Server-sent events: `now` with each new picture, `incident` with each new revision.

    `id` is the place in the log of incidents, so a client that comes back with Last-Event-ID
    misses none. A comment every 15 s says that the connection lives.
    """
    feed: Feed = request.app.state.feed
    if feed.clients >= MOST:
        raise Unreachable(f"{MOST} clients follow already", after=30.0)
    mark = int(last_event_id) if PLACE.fullmatch(last_event_id) else after
    return Following(feed, mark)
