"""GET /predict and POST /retrain."""

from typing import Any

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from amiss.model import Card
from amiss.predictions import PredictionLog, answer
from amiss.run.live import Live
from amiss.web.apart import Shared
from amiss.web.problems import documented
from amiss.web.running import Asker, Running, json_only
from amiss.web.schemas.predict import Prediction, RetrainAsk, Retrained

router = APIRouter(tags=["prediction"])


@router.get(
    "/predict",
    summary="What the joint models say of this machine",
    response_model=Prediction,
    responses=documented(),
)
def predict(request: Request, live: Running) -> Response:
    """The latest snapshot, judged by the isolation forest, and the forecast of the regression.

    Before the models have been fitted `status` is `warming_up`, and `reason` says what is waited
    for. Each answer is a line of `predictions.jsonl` in the data folder.
    """
    prediction = live.predict()
    said = answer(prediction, live.world.now())
    logged: PredictionLog = request.app.state.predictions
    logged.append(prediction, said)
    return Response(orjson.dumps(said), media_type="application/json")


@router.post(
    "/retrain",
    summary="Train a model anew",
    responses=documented(400, 413, 415, 422),
    dependencies=[Depends(json_only)],
)
async def retrain(request: Request, live: Running, who: Asker, ask: RetrainAsk) -> Retrained:
    """Train on the last `n_samples` ticks while serving goes on; the answer comes when it is done.

    Equal requests at the same time share one training. While a model is being trained on another
    number of samples the answer is 503 with Retry-After.
    """
    card = await train(request.app.state.trainings, live, who, ask.model_name, ask.n_samples)
    return Retrained(message=sentence(card))


async def train(
    trainings: Shared,
    live: Live,
    who: str,
    model: str,
    samples: int,
    pipeline: str | None = None,
) -> Card:
    """The card of the new model. See Live.retrain for what it raises."""
    key: tuple[Any, ...] = (model, samples, pipeline)
    return await trainings.run(key, lambda: live.retrain(model, samples, pipeline, who))


def sentence(card: Card) -> str:
    """What has been done."""
    title = card.name.replace("_", " ").title()
    return f"{title} model retrained with {card.samples} samples."
