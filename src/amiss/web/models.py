"""Models: which serve, which are kept, and training one anew."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request

from amiss.errors import ConfigError
from amiss.model import Card, card_of
from amiss.run import models as kept_models
from amiss.run.audited import about
from amiss.store import Model
from amiss.web.predict import sentence, train
from amiss.web.problems import documented
from amiss.web.running import Asker, Running, json_only
from amiss.web.schemas.models import (
    Apart,
    ModelCard,
    ModelComparison,
    ModelInUse,
    ModelList,
    ModelPut,
    StoredModel,
    Trained,
    TrainingAsk,
)

router = APIRouter(tags=["models"])
Kept = Annotated[str, Path(description="Its id, or as much of it as no other begins with.")]


@router.get("/models", summary="Models", responses=documented())
def models(live: Running) -> ModelList:
    """What serves since when, trained on what; and all that is kept."""
    return ModelList(
        models=[ModelInUse.model_validate(one) for one in live.now().models],
        stored=[_stored(one) for one in live.store.models()],
    )


@router.get("/models/{id}", summary="A model", responses=documented(404, 422))
def model(live: Running, id: Kept) -> ModelCard:
    """What it was fitted on, and how good it was on what came after."""
    kept = _kept(live, id)
    card = card_of(kept.card, kept.id)
    return ModelCard(
        **_stored(kept).model_dump(exclude={"trained"}),
        trained=card.trained,
        name=card.name,
        first=card.first,
        last=card.last,
        features=list(card.features),
        systems=list(card.systems),
        figures=card.figures,
    )


@router.get("/models/{id}/compare", summary="Two models", responses=documented(404, 422))
def comparison(live: Running, id: Kept, other: str | None = None) -> ModelComparison:
    """Step a model and another, or the one in use, through everything recorded since both were
    fitted, as if each had served.
    """
    _kept(live, id)
    one, two, found = kept_models.compared(live.store, id, other, live.world.now())
    return ModelComparison(
        models=[one.id, two.id],
        samples=found.samples,
        first=found.first,
        last=found.last,
        told=list(found.told),
        both=found.both,
        agreement=found.agreement,
        apart=[Apart(at=at, scores=[a, b]) for at, a, b in found.apart],
    )


@router.post("/models/{id}/promote", summary="Put a model to use", responses=documented(404, 422))
def promote(live: Running, who: Asker, id: Kept, anyway: bool = False) -> ModelPut:
    """It serves within seconds, without a restart. One that was fitted on other metrics is refused
    with the difference named, unless `anyway`.
    """
    _kept(live, id)
    card = kept_models.promote(live.store, id, anyway)
    live.trail.note(who, "model promoted", **about(card))
    return _put(card, "is in use")


@router.post("/models/{name}/rollback", summary="Go back", responses=documented(404, 422))
def rollback(
    live: Running,
    who: Asker,
    name: Annotated[str, Path(description="A type, such as isolation_forest.")],
    pipeline: str | None = None,
) -> ModelPut:
    """Use the model again that served before the one in use."""
    card = kept_models.rollback(live.store, name, pipeline)
    live.trail.note(who, "model rolled back", **about(card))
    return _put(card, "is in use again")


def _put(card: Card, how: str) -> ModelPut:
    message = f"{card.name} {card.id} of {card.pipeline} {how}."
    return ModelPut(message=message, id=card.id, name=card.name, pipeline=card.pipeline)


def _kept(live: Running, id: str) -> Model:
    """404 if there is none, or several."""
    try:
        return kept_models.chosen(live.store, id)
    except ConfigError as exc:
        raise HTTPException(404, str(exc)) from None


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
    who: Asker,
    name: Annotated[str, Depends(known_model)],
    ask: TrainingAsk,
) -> Trained:
    """Train on the last `samples` ticks while serving goes on; the answer comes when it is done.

    Equal requests at the same time share one training. While a model is being trained on another
    number of samples the answer is 503 with Retry-After.
    """
    card = await train(request.app.state.trainings, live, who, name, ask.samples, ask.pipeline)
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
