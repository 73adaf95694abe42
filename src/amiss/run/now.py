"""What is going on: one immutable picture, made anew each tick, for all who look."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Literal, TypeAlias

from amiss.data import Incident

SeriesState: TypeAlias = Literal["warming up", "judged", "silent"]
Phase: TypeAlias = Literal["starting", "warming up", "watching", "stopping"]
Health: TypeAlias = Literal["starting", "waiting", "good", "failing"]

OVERDUE = 6  # polls in a row that may be missing before a source counts as failing


def overdue(polled: int, every: int, now: int) -> bool:
    """Whether a source that was `polled` has not been heard of for too long; all in ns."""
    return polled > 0 and now - polled > OVERDUE * every


@dataclass(frozen=True, slots=True)
class SeriesNow:
    """A series at its last tick. NaN is not observed, or no opinion."""

    key: str
    pipeline: str
    system: str
    state: SeriesState
    reason: str  # warming up: 24 of 96 samples; no data since 14:02 UTC
    seen: int  # samples
    time: int  # ns, its last sample; 0 if none since the start
    value: float
    score: float  # nats
    p: float
    expected: float
    lower: float
    upper: float
    amiss: bool  # a member of an open incident
    every: float  # seconds between two samples, as they came so far


@dataclass(frozen=True, slots=True)
class JointNow:
    """What a joint detector thinks of a system."""

    detector: str  # type
    pipeline: str
    system: str
    raw: float  # the detector's own score
    score: float  # nats
    p: float
    amiss: bool
    forecast: Mapping[str, float] = field(default_factory=dict)  # metric -> next value


@dataclass(frozen=True, slots=True)
class PipelineNow:
    """A pipeline and its source."""

    name: str
    source: str  # type
    health: Health
    reason: str  # why it fails, since when, what is done about it; what it waits for; "" if good
    every: float  # seconds between two polls
    tick: float  # seconds between two samples of a series, as a rule
    polled: int  # ns, the last poll that worked
    ticks: int  # since the start
    failures: int  # polls that did not work, since the start
    lag: float  # seconds between the last tick and its being judged
    step_seconds: float  # of the last step
    commit_seconds: float
    series: int
    state_bytes: int
    replayed: int  # ticks replayed at the start
    records: int = 0  # that came from the source, since the start


@dataclass(frozen=True, slots=True)
class SinkNow:
    """A sink and what became of what it was told."""

    name: str
    type: str
    health: Health
    reason: str
    delivered: int
    retried: int
    refused: int
    last: int  # ns, the last delivery; 0 if none
    quiet: int = 0  # not told, being like what people called normal


@dataclass(frozen=True, slots=True)
class ModelNow:
    """A model that is in use, or that waits for data."""

    name: str  # detector type
    pipeline: str
    state: Literal["waiting", "training", "in use", "failed"]
    reason: str  # waiting: 40 of 100 samples; failed: why
    id: str = ""
    trained: int = 0  # ns
    samples: int = 0
    seconds: float = nan


@dataclass(frozen=True, slots=True)
class BudgetNow:
    """Asked and spent."""

    asked: float  # incidents a day
    today: int  # opened in the last 24 hours
    week: int  # opened in the last 7 days
    achieved: float  # a day, over the last 7 days or since the first start
    days: float  # what `achieved` rests on
    bar: float  # nats at which an incident opens now; NaN before there is one
    price: float  # nats of it that the controller added


@dataclass(frozen=True, slots=True)
class Now:
    """All of it. `version` grows by one with each new picture."""

    version: int
    at: int  # ns, when it was made
    started: int  # ns, of this run
    first: int  # ns, of the first run of this installation
    phase: Phase
    reason: str  # one sentence: what it does, and when there will be opinions
    series: tuple[SeriesNow, ...] = ()
    joint: tuple[JointNow, ...] = ()
    open: tuple[Incident, ...] = ()
    pipelines: tuple[PipelineNow, ...] = ()
    sinks: tuple[SinkNow, ...] = ()
    models: tuple[ModelNow, ...] = ()
    budget: BudgetNow = BudgetNow(0.0, 0, 0, 0.0, 0.0, nan, nan)
    skipped: Mapping[str, int] = field(default_factory=dict)  # since the start, by reason
    config: str = ""  # the file in use, or "built in"
    config_error: str = ""  # why a newer file is not in use
    config_waits: str = ""  # what of the file is used only after the next start
