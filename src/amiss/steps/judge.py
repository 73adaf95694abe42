"""From numbers to calibrated scores: expect, detect, calibrate, fuse. One step for all drivers.

Every detector is calibrated in the same way, whatever it is: by the rank of its score in its own
past, or, for one that measures surprise in the unit of the series, by size.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State
from amiss.decide import bounds, expect, fuse, rank, size, whole
from amiss.memory import grow

States = dict[str, State]
Each = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]
"""Calls a function with each of some things, in any order: `map`, or that of a pool of threads."""
PAST = {"rank": rank, "size": size}
BLOCK = 1 << 14  # samples judged at once: what they need fits a core's own cache
MOST = 60.0  # nats
WHOLE = "whole-metrics"
"""What the past of H is called among the states."""
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


def judge(
    detectors: Sequence[Detector], states: States, frame: Frame, each: Each = map
) -> tuple[States, Opinion]:
    """Score each series by itself: value (T, S, 1) -> nats (T, S), and learn.

    `states` may lack what is new: series are added at the end, detectors start fresh.
    NaN in, NaN out. `each` goes through blocks of series: that of a pool of threads does it on as
    many cores, with the same result. Cost: O(T S), about .5 us a point for the default detectors.
    """
    ticks, count = shape = len(frame.time), len(frame.keys)
    own = _grown(detectors, states, count)
    said = np.empty((5, *shape)), np.empty(shape, np.int64)

    def block(first: int) -> None:
        of = slice(first, first + most)
        views = {name: {k: a[of] for k, a in state.items()} for name, state in own.items()}
        part = replace(frame, keys=frame.keys[of], values=frame.values[:, of])
        after = _judge(detectors, views, part, said[0][:, :, of], said[1][:, of])
        for name, state in after.items():
            for column, array in state.items():
                kept = own[name][column][of]
                if not np.may_share_memory(kept, array):
                    kept[:] = array

    most = _even(count, max(BLOCK // max(ticks, 1), 1))
    if most >= count or any(d.shared or d.tolerance for d in detectors):
        own = _judge(detectors, own, frame, *said)
    else:
        for _ in each(block, range(0, count, most)):
            pass
    nats, expected, lower, upper, interval = said[0]
    bands = (band[:, :, None] for band in (expected, lower, upper))
    scores = Scores(frame.time, frame.keys, nats, *bands)
    return states | own, Opinion(scores, interval, own["expect"]["count"].copy(), said[1])


def _even(count: int, most: int) -> int:
    """How many of `count` series to a block, at most `most`, so that cores end at one time.

    As nearly as whole series allow there are two, four or six blocks, or a multiple of eight, of
    one size but for the last.
    """
    blocks = -(-count // most)
    if blocks < 2:
        return most
    share = 2 if blocks < 8 else 8
    return -(-count // (-(-blocks // share) * share))


def _grown(detectors: Sequence[Detector], states: States, count: int) -> States:
    """What these detectors remember of `count` series."""
    own = {"expect": grow(states.get("expect", {}), expect.init, count)}
    for detector in detectors:
        name = name_of(detector)
        own[name] = _known(detector, states.get(name, {}), count, len(expect.FEATURES))
        past, kind = f"{name}.{detector.calibration}", PAST[detector.calibration]
        own[past] = grow(states.get(past, {}), kind.init, count)
    return own


def _judge(
    detectors: Sequence[Detector], states: States, frame: Frame, said: Floats, before: Array
) -> States:
    """Judge a block: nats, expected, lower, upper and interval go to `said` (5, T, S)."""
    already = states["expect"]["count"].copy()
    states["expect"], features, inside = expect.step(states["expect"], frame)
    value, recent, usual, said[4], error = (features.column(name) for name in expect.FEATURES)
    ranked = [d for d in detectors if d.calibration == "rank"]
    inverse = np.empty((len(ranked), *value.shape))
    for detector, view in zip(ranked, inverse, strict=True):
        name = name_of(detector)
        states[name], raw = detector.step(states[name], features)
        past = states[f"{name}.rank"]
        states[f"{name}.rank"], _ = rank.step(past, above(raw, detector.zero), view)
    if detectors and not ranked:
        inverse = np.where(np.isfinite(value), 1.0, np.nan)[None]
    large, rare = np.zeros(value.shape), np.zeros(value.shape)
    width = np.full(value.shape, np.nan)
    for k, detector in enumerate(d for d in detectors if d.calibration == "size"):
        name = name_of(detector)
        states[name], raw = detector.step(states[name], features)
        states[f"{name}.size"], *found = size.step(states[f"{name}.size"], raw.values)
        if k == 0:
            large, rare, width = found
            continue
        rare = np.where(found[0] > large, found[1], rare)
        large, width = np.fmax(large, found[0]), np.fmin(width, found[2])
    said[0], said[1] = fuse.fuse(inverse, inside, large, rare), recent
    said[2], said[3], before[:] = bounds.bounds(value, recent, usual, error, width, already)
    return states


def judge_jointly(
    detector: Detector, states: States, frame: Frame
) -> tuple[States, Scores, Scores, Array]:
    """Score whole systems: metrics (T, systems, F) -> raw scores and nats (T, systems), and learn.

    Also how many scores came before each, which is remembered apart: ranks forget. A detector
    that has not been fitted has no opinion.
    """
    states, name = dict(states), name_of(detector)
    states[name], raw = _step(detector, states.get(name, {}), frame)
    before = _counted(states, name, raw)
    if detector.calibration == "size":
        inverse = _inverse(_sized(states, f"{name}.size", raw.values))
    else:
        past = grow(states.get(f"{name}.rank", {}), rank.init, len(frame.keys))
        states[f"{name}.rank"], inverse = rank.step(past, above(raw, detector.zero))
    return states, raw, replace(raw, values=_fused(inverse)), before


def judge_whole(
    views: Sequence[Detector], states: States, frame: Frame, nats: Floats, has: Array
) -> tuple[States, Scores, list[Scores], Array]:
    """Score whole systems by all views at once (decide/whole.py), and learn.

    Metrics (T, systems, F), the score of each by itself (T, systems, F) and which ones a system
    `has` (systems, F) -> F (T, systems) with blame, NaN where nothing of a system was observed;
    what each view said; and how many scores of the least experienced view came before each.
    """
    states, each = dict(states), np.nan_to_num(np.maximum(nats, 0.0))
    there = np.isfinite(frame.values).any(axis=2)
    alone = np.where(there, whole.strangest(each, has, frame.features), np.nan)
    total, blame = _sized(states, WHOLE, alone), whole.shares(each)
    said, before = list[Scores](), np.full(there.shape, np.iinfo(np.int64).max)
    for detector in views:
        name = name_of(detector)
        states[name], raw = _step(detector, states.get(name, {}), frame)
        before = np.minimum(before, _counted(states, name, raw))
        total += _sized(states, f"{name}.size", np.where(there, raw.values, np.nan))
        if raw.blame is not None:
            blame += whole.shares(np.nan_to_num(raw.blame))
        said.append(raw)
    fused = Scores(frame.time, frame.keys, total / (1 + len(views)), blame=blame)
    return states, fused, said, before


def squeezed(scores: Scores) -> Scores:
    """On the scale of single series, as `judge_jointly` has it."""
    return replace(scores, values=_fused(_inverse(scores.values)))


def _inverse(large: Floats) -> Floats:
    found: Floats = np.exp(np.minimum(large, MOST))
    return found


def _fused(inverse: Floats) -> Floats:
    nothing = np.zeros(inverse.shape)
    return fuse.fuse(inverse[None], nothing > 0, nothing, nothing)


def _sized(states: States, past: str, raw: Floats) -> Floats:
    """How large each score (T, S) is against its own past, which learns it."""
    states[past], large, *_ = size.step(grow(states.get(past, {}), size.init, raw.shape[1]), raw)
    return large


def _counted(states: States, name: str, raw: Scores) -> Array:
    """How many scores of a detector came before each (T, S)."""
    scored = np.isfinite(raw.values)
    count = grow(states.get(f"{name}.count", {}), _uncounted, len(raw.keys))["scored"]
    states[f"{name}.count"] = {"scored": count + scored.sum(axis=0)}
    before: Array = count + np.cumsum(scored, axis=0) - scored
    return before


def _uncounted(series: int) -> State:
    return {"scored": np.zeros(series, np.int64)}


def above(raw: Scores, zero: float) -> Floats:
    """How far the scores are above zero; NaN stays."""
    return np.maximum(raw.values - zero, 0.0) if zero else raw.values


def _step(detector: Detector, state: State, frame: Frame) -> tuple[State, Scores]:
    known = _known(detector, state, len(frame.keys), len(frame.features))
    return detector.step(known, frame)


def _known(detector: Detector, state: State, series: int, features: int) -> State:
    def init(series: int) -> State:
        return detector.init(series, features)

    return grow(state, init, series, detector.shared)
