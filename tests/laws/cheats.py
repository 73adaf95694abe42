"""Detectors that break one law each, planted to show that the laws catch them.

They derive from `Planted`, so that `find` never takes them for detectors of the program.
"""

import math
import random
import time
from typing import ClassVar, Literal

import numpy as np

from amiss.component import Detector
from amiss.data import Frame, Scores, State


class Planted(Detector):
    """Distance from the last value seen: honest, and what the cheats are made of."""

    state_bytes: ClassVar[int] = 8

    def init(self, series: int, features: int) -> State:
        return {"last": np.full(series, np.nan)}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        x = frame.values[:, :, 0]
        scores = np.full(x.shape, np.nan)
        for t, row in enumerate(x):
            seen = np.isfinite(row)
            away = np.abs(row - state["last"])
            scores[t, seen] = np.nan_to_num(away[seen])
            state["last"][seen] = row[seen]
        return state, Scores(frame.time, frame.keys, scores)


class Honest(Planted):
    type: Literal["honest"] = "honest"


class LookAhead(Planted):
    """Measures against the next value: in a file it is there, live it is not."""

    type: Literal["look_ahead"] = "look_ahead"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        x = frame.values[:, :, 0]
        ahead = np.vstack([x[1:], x[-1:]])
        return state, Scores(frame.time, frame.keys, np.abs(x - ahead))


class WholeScale(Planted):
    """Divides by the largest score of the batch: the future again, in the usual disguise."""

    type: Literal["whole_scale"] = "whole_scale"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        most = np.nan_to_num(scores.values).max(initial=1.0, axis=0)
        return state, Scores(frame.time, frame.keys, scores.values / most)


class InPlace(Planted):
    """Mends the holes in its caller's frame."""

    type: Literal["in_place"] = "in_place"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        values = frame.values
        values[np.isnan(values)] = 0.0
        return state, scores


class Lender(Planted):
    """Keeps the caller's array as its memory, and writes to it the next time."""

    type: Literal["lender"] = "lender"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        if len(frame.time):
            row = frame.values[-1, :, 0]
            state = {"last": np.where(np.isfinite(row), row, state["last"])}
            state["last"] = row if np.isfinite(row).all() else state["last"]
        return state, scores


class Leak(Planted):
    """Knows how all series do together."""

    type: Literal["leak"] = "leak"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        x = frame.values[:, :, 0]
        together = np.nan_to_num(x).mean(axis=1, keepdims=True)
        return state, Scores(frame.time, frame.keys, np.abs(x - together))


class Numbered(Planted):
    """The further left a series stands, the more it counts."""

    type: Literal["numbered"] = "numbered"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        weight = 1.0 / np.arange(1, len(frame.keys) + 1)
        return state, Scores(frame.time, frame.keys, scores.values * weight)


class Growing(Planted):
    """Keeps all that it has ever seen."""

    type: Literal["growing"] = "growing"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        seen = state.get("seen", np.zeros((len(frame.keys), 0)))
        return state | {"seen": np.hstack([seen, frame.values[:, :, 0].T])}, scores


class Greedy(Planted):
    """Takes more than it said, once and for all."""

    type: Literal["greedy"] = "greedy"

    def init(self, series: int, features: int) -> State:
        return super().init(series, features) | {"table": np.zeros((series, 100))}


HIDDEN: dict[str, float] = {}


class HiddenMemory(Planted):
    """Remembers in the module what belongs in the state."""

    type: Literal["hidden_memory"] = "hidden_memory"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        x = frame.values[:, :, 0]
        scores = np.full(x.shape, np.nan)
        for t, s in np.argwhere(np.isfinite(x)).tolist():
            scores[t, s] = abs(x[t, s] - HIDDEN.get(frame.keys[s], 0.0))
            HIDDEN[frame.keys[s]] = x[t, s]
        return state, Scores(frame.time, frame.keys, scores)


class Clock(Planted):
    """Is stricter the later it is."""

    type: Literal["clock"] = "clock"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        return state, Scores(frame.time, frame.keys, scores.values + time.perf_counter())


class Dice(Planted):
    """Breaks ties with a die that nobody seeded."""

    type: Literal["dice"] = "dice"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        return state, Scores(frame.time, frame.keys, scores.values + random.random())


class Pickled(Planted):
    """Keeps an object that only pickle can write down."""

    type: Literal["pickled"] = "pickled"

    def init(self, series: int, features: int) -> State:
        return {"last": np.full(series, np.nan), "made": np.array([{}] * series, dtype=object)}


class Forgetful(Planted):
    """Keeps half of its memory under a name that does not survive being written down."""

    type: Literal["forgetful"] = "forgetful"

    def init(self, series: int, features: int) -> State:
        return {"a/last": np.full(series, np.nan)}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        inner, scores = super().step({"last": state["a/last"]}, frame)
        return {"a/last": inner["last"]}, scores


class Talkative(Planted):
    """Has an opinion on what it has not seen."""

    type: Literal["talkative"] = "talkative"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        return state, Scores(frame.time, frame.keys, np.nan_to_num(scores.values))


class Shaken(Planted):
    """Begins anew after a gap."""

    type: Literal["shaken"] = "shaken"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        if len(frame.time):
            state["last"][np.isnan(frame.values[-1, :, 0])] = np.nan
        return state, scores


class Communal(Planted):
    """One memory for all series, whoever comes or goes."""

    type: Literal["communal"] = "communal"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        state["last"][:] = state["last"][:1]
        return state, scores


class Brittle(Planted):
    """Trusts that no number is too large for an exponential."""

    type: Literal["brittle"] = "brittle"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step(state, frame)
        grown = [math.exp(x) for x in np.nan_to_num(frame.values[:, :, 0]).ravel().tolist()]
        scale = np.minimum(grown, 2.0).reshape(scores.values.shape)
        return state, Scores(frame.time, frame.keys, scores.values * scale)


class Poisoned(Planted):
    """A mean that one enormous number spoils for ever."""

    type: Literal["poisoned"] = "poisoned"

    def init(self, series: int, features: int) -> State:
        return {"last": np.zeros(series, np.float32)}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        x = frame.values[:, :, 0]
        scores = np.full(x.shape, np.nan)
        with np.errstate(all="ignore"):
            for t, row in enumerate(x):
                seen = np.isfinite(row)
                scores[t, seen] = np.abs(row - state["last"])[seen]
                state["last"][seen] += (0.1 * (row - state["last"]))[seen].astype(np.float32)
        scores[np.isinf(scores)] = np.nan
        return state, Scores(frame.time, frame.keys, scores)


CAUGHT_BY: dict[type[Planted], str] = {
    LookAhead: "split",
    WholeScale: "split",
    InPlace: "purity",
    Lender: "purity",
    Leak: "company",
    Numbered: "order",
    Growing: "bounded",
    Greedy: "bounded",
    HiddenMemory: "determinism",
    Clock: "determinism",
    Dice: "determinism",
    Pickled: "restart",
    Forgetful: "restart",
    Talkative: "silence",
    Shaken: "silence",
    Communal: "churn",
    Brittle: "extremes",
    Poisoned: "extremes",
}
"""Each cheat, and the law that is there to catch it."""
