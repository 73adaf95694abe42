"""What people said of incidents."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from amiss.web.schemas.common import Said, Text
from amiss.web.times import Moment

FEEDBACK: dict[str, Any] = {
    "incident": "a1b2c3d4e5f6",
    "word": "normal",
    "revision": 1,
    "at": "2026-03-07T14:09:30.000Z",
    "who": "API from 127.0.0.1",
    "note": "the backup of every Saturday",
}


class AcknowledgeAsk(Said):
    """That somebody has seen an incident."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"note": "mine"}]})

    note: str = Field("", max_length=1000)


class FeedbackAsk(Said):
    """Whether an incident was normal (expected, a false alarm) or amiss (a problem)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"verdict": "normal", "note": "the backup of every Saturday"}]
        },
    )

    verdict: Literal["normal", "amiss"]
    note: str = Field("", max_length=1000)


class Feedback(Said):
    """One thing that somebody said of an incident."""

    model_config = ConfigDict(json_schema_extra={"examples": [FEEDBACK]})

    incident: str
    word: Literal["acknowledged", "normal", "amiss"]
    revision: int = Field(description="The newest that there was then.")
    at: Moment
    who: Text
    note: Text


class FeedbackFigures(Said):
    """Of the incidents of the last 30 days, how many were said to be what."""

    incidents: int
    normal: int
    amiss: int
    unsaid: int = Field(description="Neither normal nor amiss.")
    acknowledged: int


class FeedbackList(Said):
    """All that was said, and what it comes to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "feedback": [FEEDBACK],
                    "last_30_days": {
                        "incidents": 12,
                        "normal": 3,
                        "amiss": 2,
                        "unsaid": 7,
                        "acknowledged": 4,
                    },
                }
            ]
        }
    )

    feedback: list[Feedback] = Field(description="In the order in which it was said.")
    last_30_days: FeedbackFigures
