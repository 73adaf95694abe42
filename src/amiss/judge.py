"""From numbers to calibrated scores: expect, detect, calibrate, fuse. One step for all drivers.

Every detector is calibrated in the same way, whatever it is: by the rank of its score in its own
past, or, for one that measures surprise in the unit of the series, by size.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State
from amiss.decide import expect, fuse, rank, size
from amiss.memory import grow

States = dict[str, State]
MOST = 60.0  # nats
WARM = 96
"""Samples of a series before its scores may open an incident."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is thought of each sample of each series."""

    scores: Scores  # (T, S) nats; expected, lower and upper (T, S, 1)
    interval: Floats  # (T, S) seconds between samples; NaN where there is none
    seen: Array  # (S,) samples, these included
    before: Array  # (T, S) samples that came before each tick


def name_of(detector: Detector) -> str:
    """What the state of a detector is called: equal settings, equal name."""
    return f"{detector.type}-{detector.fingerprint}"  # type: ignore[attr-defined]


def judge(detectors: Sequence[Detector], states: States, frame: Frame) -> tuple[States, Opinion]:
    """Score each series by itself: value (T, S, 1) -> nats (T, S), and learn.

    `states` may lack what is new: series are added at the end, detectors start fresh.
    NaN in, NaN out. Cost: O(T S), about .5 us a point for the default detectors.
    """
    states, count = dict(states), len(frame.keys)
    before = grow(states.get("expect", {}), expect.init, count)
    already = before["count"].copy()
    states["expect"], features, inside = expect.step(before, frame)
    value, interval = features.column("value"), features.column("interval")
    ranked = [d for d in detectors if d.calibration == "rank"]
    inverse = np.full((len(ranked), *value.shape), np.nan)
    for k, detector in enumerate(ranked):
        name = name_of(detector)
        states[name], raw = _step(detector, states.get(name, {}), features)
        past = grow(states.get(f"{name}.rank", {}), rank.init, count)
        states[f"{name}.rank"], inverse[k] = rank.step(past, above(raw, detector.zero))
    if detectors and not ranked:
        inverse = np.where(np.isfinite(value), 1.0, np.nan)[None]
    large, rare = np.zeros(value.shape), np.zeros(value.shape)
    width = np.full(value.shape, np.nan)
    for detector in detectors:
        if detector.calibration == "size":
            name = name_of(detector)
            states[name], raw = _step(detector, states.get(name, {}), features)
            past = grow(states.get(f"{name}.size", {}), size.init, count)
            states[f"{name}.size"], *said = size.step(past, raw.values)
            rare = np.where(said[0] > large, said[1], rare)
            large, width = np.fmax(large, said[0]), np.fmin(width, said[2])
    recent = features.column("recent")
    lower, upper = expect.band(features, width)
    scores = Scores(
        frame.time,
        frame.keys,
        fuse.fuse(inverse, inside, large, rare),
        expected=recent[:, :, None],
        lower=lower[:, :, None],
        upper=upper[:, :, None],
    )
    sampled = np.isfinite(value)
    earlier = already + np.cumsum(sampled, axis=0) - sampled
    return states, Opinion(scores, interval, states["expect"]["count"].copy(), earlier)


def judge_jointly(
    detector: Detector, states: States, frame: Frame
) -> tuple[States, Scores, Scores, Array]:
    """Score whole systems: metrics (T, systems, F) -> raw scores and nats (T, systems), and learn.

    Also how many scores came before each, which is remembered apart: ranks forget. A detector
    that has not been fitted has no opinion.
    """
    states, name = dict(states), name_of(detector)
    states[name], raw = _step(detector, states.get(name, {}), frame)
    scored = np.isfinite(raw.values)
    count = grow(states.get(f"{name}.count", {}), _uncounted, len(frame.keys))["scored"]
    before = count + np.cumsum(scored, axis=0) - scored
    states[f"{name}.count"] = {"scored": count + scored.sum(axis=0)}
    if detector.calibration == "size":
        past = grow(states.get(f"{name}.size", {}), size.init, len(frame.keys))
        states[f"{name}.size"], large, *_ = size.step(past, raw.values)
        inverse = np.exp(np.minimum(large, MOST))
    else:
        past = grow(states.get(f"{name}.rank", {}), rank.init, len(frame.keys))
        states[f"{name}.rank"], inverse = rank.step(past, above(raw, detector.zero))
    nothing = np.zeros(inverse.shape)
    nats = fuse.fuse(inverse[None], nothing > 0, nothing, nothing)
    return states, raw, replace(raw, values=nats), before


def _uncounted(series: int) -> State:
    return {"scored": np.zeros(series, np.int64)}


def above(raw: Scores, zero: float) -> Floats:
    """How far the scores are above zero; NaN stays."""
    return np.maximum(raw.values - zero, 0.0) if zero else raw.values


def _step(detector: Detector, state: State, frame: Frame) -> tuple[State, Scores]:
    def init(series: int) -> State:
        return detector.init(series, len(frame.features))

    return detector.step(grow(state, init, len(frame.keys), detector.shared), frame)
