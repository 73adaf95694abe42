"""What people say of incidents: acknowledged, normal, amiss; and taking it back."""

from fastapi import APIRouter, Depends, HTTPException

from amiss.errors import ConfigError
from amiss.run import feedback as kept
from amiss.store import Word
from amiss.web.problems import documented
from amiss.web.running import Asker, Running, json_only
from amiss.web.schemas.feedback import (
    AcknowledgeAsk,
    Feedback,
    FeedbackAsk,
    FeedbackFigures,
    FeedbackList,
)

router = APIRouter(tags=["incidents"])
NEITHER = documented(404, 422)
WRONG = documented(400, 404, 413, 415, 422)


@router.get("/feedback", summary="Feedback", responses=documented())
def feedback(live: Running) -> FeedbackList:
    """All that was said of incidents, and how many were normal, amiss or neither."""
    counted = kept.figures(live.store, live.world.now() - kept.LATELY)
    return FeedbackList(
        feedback=[Feedback.model_validate(one) for one in live.store.said()],
        last_30_days=FeedbackFigures.model_validate(counted),
    )


@router.post(
    "/incidents/{id}/acknowledge",
    summary="Acknowledge an incident",
    responses=WRONG,
    dependencies=[Depends(json_only)],
)
def acknowledge(live: Running, who: Asker, id: str, ask: AcknowledgeAsk) -> Feedback:
    """Say that somebody is at it. It is told as before."""
    return _said(live, who, id, "acknowledged", ask.note)


@router.delete(
    "/incidents/{id}/acknowledge", summary="Take an acknowledgement back", responses=NEITHER
)
def unacknowledge(live: Running, who: Asker, id: str) -> Feedback:
    """What is taken back."""
    return _unsaid(live, who, id, "acknowledged")


@router.post(
    "/incidents/{id}/feedback",
    summary="Say whether an incident was normal",
    responses=WRONG,
    dependencies=[Depends(json_only)],
)
def judge(live: Running, who: Asker, id: str, ask: FeedbackAsk) -> Feedback:
    """`normal`: incidents like it are kept and not told, and models learn of its time from their
    next training on. `amiss`: those with its series are told whatever was called normal before.
    Takes the place of the verdict before. Nothing is trained by it.
    """
    return _said(live, who, id, ask.verdict, ask.note)


@router.delete("/incidents/{id}/feedback", summary="Take a verdict back", responses=NEITHER)
def unjudge(live: Running, who: Asker, id: str) -> Feedback:
    """As if it had not been said; what is taken back."""
    return _unsaid(live, who, id, "normal")


def _said(live: Running, who: str, id: str, word: Word, note: str) -> Feedback:
    _there(live, id)
    return Feedback.model_validate(kept.say(live.trail, who, id, word, note))


def _unsaid(live: Running, who: str, id: str, word: Word) -> Feedback:
    _there(live, id)
    try:
        return Feedback.model_validate(kept.unsay(live.trail, who, id, word))
    except ConfigError as exc:
        raise HTTPException(404, str(exc)) from None


def _there(live: Running, id: str) -> None:
    if not live.store.incident(id):
        raise HTTPException(404, f"there is no incident {id!r}; see /api/v1/incidents")
