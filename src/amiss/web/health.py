"""Whether Amiss lives, whether it watches, and how each part of it does."""

from collections import Counter
from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import Response

from amiss import __version__
from amiss.predictions import PredictionLog
from amiss.run.live import Live
from amiss.run.now import Now
from amiss.steps.judge import name_of
from amiss.web.headline import headline, unready
from amiss.web.problems import documented, problem
from amiss.web.running import Running
from amiss.web.schemas import health as said
from amiss.web.schemas.models import ModelInUse

router = APIRouter(tags=["health"])
api = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the program runs", responses=documented())
async def healthz() -> said.Alive:
    """Answers as long as there is anybody to answer; needs no token and goes by any name."""
    return said.Alive()


router.add_api_route("/healthz", healthz, methods=["HEAD"], include_in_schema=False)


@router.get(
    "/readyz",
    summary="Whether the watch goes on",
    response_model=said.Ready,
    responses=documented(503),
)
def readyz(live: Running) -> said.Ready | Response:
    """503 with the reason until the first tick has been judged, while no source can be seen, and
    while stopping.
    """
    now = live.now()
    if why := unready(now):
        return problem(503, why, headers={"Retry-After": "5"})
    return said.Ready(phase=now.phase, reason=now.reason)


@api.get("/health", summary="How each part does", responses=documented())
def health(request: Request, live: Running) -> said.HealthReport:
    """Sources, detectors, sinks, models and budget: what each does, and why if it does not."""
    now = live.now()
    predictions: PredictionLog = request.app.state.predictions
    states = Counter(one.state for one in now.series)
    return said.HealthReport(
        version=__version__,
        phase=now.phase,
        reason=now.reason,
        headline=headline(now),
        at=now.at,
        started=now.started,
        first=now.first,
        config=now.config,
        config_error=now.config_error,
        config_waits=now.config_waits,
        series={"judged": 0, "warming up": 0, "silent": 0} | states,
        sources=[said.SourceHealth.model_validate(one) for one in now.pipelines],
        detectors=list(_detectors(live, now)),
        sinks=[said.SinkHealth.model_validate(one) for one in now.sinks],
        models=[ModelInUse.model_validate(one) for one in now.models],
        budget=said.Budget.model_validate(now.budget),
        skipped=dict(now.skipped),
        predictions=said.Predictions.model_validate(predictions),
    )


def _detectors(live: Live, now: Now) -> Iterator[said.DetectorHealth]:
    fitted = {(model.pipeline, model.name): model for model in now.models}
    for pipeline in live.settings.pipelines:
        for detector in pipeline.detectors:
            kind = name_of(detector).partition("-")[0]
            model = fitted.get((pipeline.name, kind))
            yield said.DetectorHealth(
                pipeline=pipeline.name,
                type=kind,
                joint=detector.joint,
                state=model.state if model else "in use",
                reason=model.reason if model else "",
            )
