"""Models: which serve, which are kept, and training one anew."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request

from amiss.store import Model
from amiss.web.predict import sentence, train
from amiss.web.problems import documented
from amiss.web.running import Running, json_only
from amiss.web.schemas.models import ModelInUse, ModelList, StoredModel, Trained, TrainingAsk

router = APIRouter(tags=["models"])


@router.get("/models", summary="Models", responses=documented())
def models(live: Running) -> ModelList:
    """What serves since when, trained on what; and all that is kept."""
    return ModelList(
        models=[ModelInUse.model_validate(one) for one in live.now().models],
        stored=[_stored(one) for one in live.store.models()],
    )


def known_model(live: Running, name: Annotated[str, Path(description="Its type.")]) -> str:
    """The name of a model that can be trained; 404 if it is none."""
    known = sorted({model.name for model in live.now().models})
    if name not in known:
        names = ", ".join(known) or "none"
        raise HTTPException(404, f"there is no model {name!r} to train; known: {names}")
    return name


@router.post(
    "/models/{name}/retrain",
    summary="Train a model anew",
    responses=documented(400, 404, 413, 415, 422),
    dependencies=[Depends(json_only)],
)
async def retrain(
    request: Request,
    live: Running,
    name: Annotated[str, Depends(known_model)],
    ask: TrainingAsk,
) -> Trained:
    """Train on the last `samples` ticks while serving goes on; the answer comes when it is done.

    Equal requests at the same time share one training. While a model is being trained on another
    number of samples the answer is 503 with Retry-After.
    """
    card = await train(request.app.state.trainings, live, name, ask.samples, ask.pipeline)
    said = {field: getattr(card, field) for field in card.__slots__}
    return Trained(**said, message=sentence(card))


def _stored(model: Model) -> StoredModel:
    return StoredModel(
        id=model.id,
        pipeline=model.pipeline,
        detector=model.detector,
        trained=model.trained,
        in_use=model.in_use,
        bytes=model.bytes,
        samples=model.card.get("samples", 0),
        seconds=model.card.get("seconds"),
    )
