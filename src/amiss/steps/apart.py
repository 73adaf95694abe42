"""Detectors that tell by themselves, in words: rules, silence, standing still, unlike the others.

They are not fused with the views of a series: what they find is of another kind, and needs to be
said. The strangest opinion on a series counts, and the words of whoever has it are told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from amiss import memory
from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State
from amiss.decide import fuse, rank, size
from amiss.decide.finding import Finding, both
from amiss.decide.judged import LEAST, Judged
from amiss.memory import grow
from amiss.steps import quiet
from amiss.steps.judge import States, above, name_of


def among(detectors: Iterable[Detector]) -> list[Detector]:
    """Those that tell by themselves, of series."""
    return [detector for detector in detectors if detector.apart and not detector.each]


def judge_apart(
    detectors: Sequence[Detector], states: States, frame: Frame, judged: Judged, most: int
) -> tuple[States, Judged]:
    """What these detectors think of each series: value (T, S, 1), added to what is judged; learn.

    `judged` has the series of the frame first; ticks that are more than `most` ns apart have
    something between them that was not looked at. Cost: that of the detectors, and O(T S).
    """
    if not detectors:
        return states, judged
    states, count = dict(states), len(frame.keys)
    past = states.get("quiet") or quiet.init(0)
    known = states.get("silence") or quiet.start()
    states["silence"], clock = quiet.ticks(known, frame.time, most)
    last = judged.interval[:, :count], judged.watched[:, :count]
    states["quiet"], silent, often, days = quiet.since(past, frame, clock, *last)
    planes = {"value": frame.values[:, :, 0], "silent": silent, "interval": often}
    names = ("scores", "interval", "watched", "ready")
    scores, interval, watched, ready = (getattr(judged, name).copy() for name in names)
    found = dict(judged.found)
    for detector in detectors:
        some = np.array(detector.chosen(frame.keys), np.int64)
        if not len(some):
            continue
        view = _view(detector, frame, planes, some)
        states, raw, nats = _step(detector, states, view)
        rule = detector.rule
        hot = raw.values > 0 if rule else nats >= LEAST
        for t, s in np.argwhere(hot).tolist():
            column = int(some[s])
            finding = Finding(detector.tell(view, raw, t, s))
            if rule:
                finding = replace(finding, rules=rule[:1], severity=rule[1])
                scores[t, column] = np.fmax(scores[t, column], LEAST)
                ready[t, column] = True
            elif (t, column) in found or not nats[t, s] <= scores[t, column]:
                scores[t, column] = np.fmax(scores[t, column], nats[t, s])
            else:  # what was fused is stranger, and says so in numbers
                continue
            interval[t, column], watched[t, column] = often[t, column], days[t, column]
            found[t, column] = both(found.get((t, column)), finding)
    columns = {"interval": interval, "watched": watched, "ready": ready}
    return states, replace(judged, scores=scores, found=found, **columns)


def _view(detector: Detector, frame: Frame, planes: dict[str, Floats], columns: Array) -> Frame:
    """What a detector reads of the series that it wants."""
    keys = tuple(frame.keys[s] for s in columns.tolist())
    parts = {name: plane[:, columns] for name, plane in planes.items() if name in detector.needs}
    parts |= detector.beside(frame, keys)
    features = tuple(name for name in detector.needs if name in parts)
    values = np.stack([parts[name] for name in features], axis=2)
    return Frame(frame.time, keys, features, values)


def _step(detector: Detector, states: States, view: Frame) -> tuple[States, Scores, Floats]:
    """Score and learn; nats (T, S). Where the rank decides, size counts as for series."""
    name, width = name_of(detector), len(view.features)

    def init(series: int) -> State:
        return detector.init(series, width)

    states[name], raw = detector.step(grow(states.get(name, {}), init, len(view.keys)), view)
    if detector.calibration == "nats":
        return states, raw, raw.values
    past = grow(states.get(f"{name}.rank", {}), rank.init, len(view.keys))
    states[f"{name}.rank"], inverse = rank.step(past, above(raw, detector.zero))
    sizes = grow(states.get(f"{name}.size", {}), size.init, len(view.keys))
    states[f"{name}.size"], large, rare, _ = size.step(sizes, raw.values)
    return states, raw, fuse.fuse(inverse[None], np.zeros(inverse.shape) > 0, large, rare)


def forget(
    detectors: Iterable[Detector], states: States, keys: tuple[str, ...], kept: Array
) -> States:
    """Without the rows of those of these series that are not `kept` (S,)."""
    states = dict(states)
    if "quiet" in states:
        states["quiet"] = memory.keep(states["quiet"], kept[: len(states["quiet"]["seen"])])
    for detector in detectors:
        own = name_of(detector)
        for name in (own, f"{own}.rank", f"{own}.size"):
            if states.get(name):
                states[name] = memory.keep(states[name], kept[list(detector.chosen(keys))])
    return states
