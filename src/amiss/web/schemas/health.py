"""How Amiss itself is doing."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from amiss.run.now import Health, Phase, SeriesState
from amiss.web.schemas.common import Number, Said, Text
from amiss.web.schemas.models import IN_USE, ModelInUse
from amiss.web.times import Ever, Moment

AT = "2026-03-07T14:02:10.000Z"
REPORT: dict[str, Any] = {
    "version": "0.1.0",
    "phase": "watching",
    "reason": "102 series are judged",
    "headline": "All quiet: 102 series watched, 1 of 5 incidents used today",
    "at": AT,
    "started": "2026-03-07T13:02:10.000Z",
    "first": "2026-03-01T08:00:00.000Z",
    "config": "built in",
    "config_error": "",
    "config_waits": "",
    "series": {"judged": 102, "warming up": 0, "silent": 1},
    "sources": [
        {
            "name": "host",
            "source": "host",
            "health": "good",
            "reason": "",
            "every": 5.0,
            "tick": 5.0,
            "polled": AT,
            "ticks": 720,
            "failures": 0,
            "lag": 0.02,
            "step_seconds": 0.004,
            "commit_seconds": 0.002,
            "series": 103,
            "state_bytes": 215000,
            "replayed": 12,
        }
    ],
    "detectors": [
        {"pipeline": "host", "type": "level", "joint": False, "state": "in use", "reason": ""},
        {
            "pipeline": "host",
            "type": "isolation_forest",
            "joint": True,
            "state": "waiting",
            "reason": "40 of 100 samples",
        },
    ],
    "sinks": [
        {
            "name": "team-chat",
            "type": "apprise",
            "health": "good",
            "reason": "",
            "delivered": 3,
            "retried": 1,
            "refused": 0,
            "quiet": 0,
            "last": "2026-03-07T14:03:11.000Z",
        }
    ],
    "models": [IN_USE],
    "budget": {
        "asked": 5.0,
        "today": 1,
        "week": 6,
        "achieved": 0.9,
        "days": 6.3,
        "bar": 8.1,
        "price": 0.4,
    },
    "skipped": {"sensor temperatures failed": 2},
    "predictions": {"logged": 17, "unlogged": 0, "reason": ""},
}


class Alive(Said):
    """The program runs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "alive"}]})

    status: Literal["alive"] = "alive"


class Ready(Said):
    """The watch goes on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "ready", "phase": "watching", "reason": "102 series are judged"}
            ]
        }
    )

    status: Literal["ready"] = "ready"
    phase: Phase
    reason: Text


class SourceHealth(Said):
    """A pipeline and its source; counts since the start."""

    name: str
    source: str
    health: Health
    reason: Text
    every: float = Field(description="Seconds between two polls.")
    tick: float = Field(description="Seconds between two samples of a series, as a rule.")
    polled: Ever = Field(description="The last poll that worked.")
    ticks: int
    failures: int
    lag: Number = Field(description="Seconds between the last tick and its being judged.")
    step_seconds: Number
    commit_seconds: Number
    series: int
    state_bytes: int
    replayed: int


class DetectorHealth(Said):
    """A detector and whether it has opinions."""

    pipeline: str
    type: str
    joint: bool = Field(description="Whether it judges a system as a whole.")
    state: Literal["waiting", "training", "in use", "failed"]
    reason: Text


class SinkHealth(Said):
    """A sink and what became of what it was told; counts since the start."""

    name: str
    type: str
    health: Health
    reason: Text
    delivered: int
    retried: int
    refused: int
    quiet: int = Field(description="Not told, being like what people called normal.")
    last: Ever


class Budget(Said):
    """Incidents asked for and spent."""

    asked: float = Field(description="A day.")
    today: int = Field(description="Opened in the last 24 hours.")
    week: int = Field(description="Opened in the last 7 days.")
    achieved: Number = Field(description="A day, over `days`.")
    days: Number
    bar: Number = Field(description="Nats at which an incident opens now.")
    price: Number = Field(description="Nats of it that the budget's controller added.")


class Predictions(Said):
    """What came of writing predictions to the log since the start."""

    logged: int
    unlogged: int
    reason: Text


class HealthReport(Said):
    """All of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [REPORT]})

    version: str
    phase: Phase
    reason: Text
    headline: Text
    at: Moment
    started: Moment
    first: Moment = Field(description="When this installation was first started.")
    config: Text
    config_error: Text = Field(description="Why a newer file is not in use.")
    config_waits: Text = Field(description="What of the file is used only after the next start.")
    series: dict[SeriesState, int] = Field(description="How many, by state.")
    sources: list[SourceHealth]
    detectors: list[DetectorHealth]
    sinks: list[SinkHealth]
    models: list[ModelInUse]
    budget: Budget
    skipped: dict[Text, int] = Field(description="Data left out since the start, by reason.")
    predictions: Predictions
