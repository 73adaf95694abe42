"""The web application of one running installation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import RedirectResponse

from amiss import __version__
from amiss.errors import ConfigError
from amiss.predictions import PredictionLog
from amiss.run.live import Live
from amiss.web import (
    exposition,
    feedback,
    health,
    incidents,
    login,
    models,
    operations,
    predict,
    problems,
    push,
    report,
    series,
    stream,
)
from amiss.web.apart import Shared
from amiss.web.dashboard import here
from amiss.web.guard import Guard
from amiss.web.guesses import SHORTEST, Guesses
from amiss.web.limit import Limit
from amiss.web.mount import Dashboard, content_policy
from amiss.web.own_metrics import Exposition
from amiss.web.statuses import Statuses

DESCRIPTION = (
    "Amiss watches metrics as they happen and says, within an alert budget, when something is "
    "amiss, and why. Times are taken as ISO 8601 or seconds since 1970 and given in UTC. A number "
    "that is not known is null. What goes wrong is said as problem details (RFC 9457)."
)
TAGS = {
    "prediction": "Isolation forest and regression on this machine.",
    "series": "What is watched.",
    "incidents": "What is or was amiss.",
    "models": "What was learned by fitting.",
    "push": "What others send to be watched.",
    "health": "How Amiss itself does.",
    "stream": "All of it as it happens.",
}

pages = APIRouter(include_in_schema=False)


@pages.get("/")
@pages.get("/dashboard")
async def start(request: Request) -> RedirectResponse:
    """The dashboard, relative to wherever a proxy may have put us."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/dashboard/{query}", 307)


def build(live: Live) -> FastAPI:
    """The application for one `live`, which it neither starts nor stops.

    Raises ConfigError if the token that the settings refer to is not there, or too short.
    """
    token = _token(live)
    dashboard, feed, reports = Dashboard(), stream.Feed(live), report.Reports()
    predictions, guesses = PredictionLog(live.home), Guesses(note=live.trail.later)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        reports.close()
        feed.close()
        await dashboard.close()

    app = operations.Described(
        title="Amiss",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=[{"name": name, "description": said} for name, said in TAGS.items()],
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.live, app.state.token, app.state.guesses = live, token, guesses
    app.state.feed, app.state.predictions, app.state.trainings = feed, predictions, Shared()
    app.state.reports = reports
    app.state.lanes = CapacityLimiter(push.AT_ONCE)
    app.state.registry = exposition.registry(
        Exposition(live.now, predictions, guesses, lambda: feed.clients)
    )
    here.live = live
    for part in (predict, health, exposition, operations, login):
        app.include_router(part.router)
    for part in (series, incidents, feedback, report, models, stream):
        app.include_router(part.router, prefix="/api/v1")
    app.include_router(health.api, prefix="/api/v1")
    app.include_router(push.router)
    app.include_router(pages)
    app.mount("/dashboard", dashboard)
    problems.install(app)
    app.add_middleware(Limit)
    app.add_middleware(problems.Faults)
    app.add_middleware(
        Guard,
        hosts=lambda: (*live.settings.hosts, live.settings.address[0]),
        token=token,
        guesses=guesses,
        dashboard=content_policy(),
    )
    app.add_middleware(Statuses)
    return app


def _token(live: Live) -> str | None:
    reference = live.settings.token
    if reference is None:
        return None
    token = live.world.secret(reference).strip()
    if not token:
        raise ConfigError(f"token: {reference} is empty")
    if len(token) < SHORTEST:
        raise ConfigError(
            f"token: {reference} holds {len(token)} characters, which can be guessed; take "
            f"{SHORTEST} or more, such as those of `openssl rand -hex 20`"
        )
    return token
