"""What others may look at of the last tick of a pipeline, while its thread goes on."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from amiss.data import Floats, Scores, Times
from amiss.pipeline import Pipeline
from amiss.steps.judge import States, name_of
from amiss.steps.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Seen:
    """Arrays that nobody changes any more."""

    outcome: Outcome
    last: Times  # (S,) ns, the last sample of each series
    every: Floats  # (S,) seconds between two samples; NaN before the second one
    memory: bytes  # of grouping
    joint: Mapping[str, tuple[Scores, Scores]]  # by detector: raw, nats
    forecasts: Mapping[str, Mapping[str, Floats]]  # by detector, metric: (systems,)
    state_bytes: int


def look(pipeline: Pipeline, states: States, outcome: Outcome) -> Seen:
    """Taken by the thread of the pipeline, right after a step."""
    forecasts = {}
    for detector in pipeline.detectors:
        of = detector.forecast(states.get(name_of(detector), {})) if detector.joint else {}
        forecasts[name_of(detector)] = {metric: x.copy() for metric, x in of.items()}
    known = states["expect"]["known"] > 0
    return Seen(
        outcome=outcome,
        last=states["series"]["last"],
        every=np.where(known, states["expect"]["interval"], np.nan),
        memory=states["group"]["memory"].tobytes(),
        joint={name: (outcome.raw[name], nats) for name, nats in outcome.joint.items()},
        forecasts=forecasts,
        state_bytes=sum(a.nbytes for state in states.values() for a in state.values()),
    )
