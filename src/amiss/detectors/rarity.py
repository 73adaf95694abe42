"""How rare each single record is among earlier ones, whatever its fields are."""

from typing import ClassVar, Literal

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State
from amiss.decide import events
from amiss.memory import flat, nested
from amiss.subjects.conduct import is_number

TELLING = 4.0  # nats from which it is told why


class Rarity(Detector):
    """How rare the values of a record are, their combinations, and how far it is from all others.

    Judges single records (features: each), but not what their subjects do over several, which is
    left to `conduct`. What is strange is not learned as usual, so its scores are calibrated where
    they are made (decide/events.py): nats, valid as they are. No opinion on the first 64 records.
    A field that only grows or is hardly ever the same twice (an identifier, a clock) says nothing.
    Six views, fused (decide/rarity.py); a record costs about .1 ms, one that comes alone 10 ms, and
    a fit, after 64, 128, 256, .. and every 32,768 records, a second.
    """

    type: Literal["rarity"] = "rarity"
    each: ClassVar[bool] = True
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "nats"
    needs: ClassVar[tuple[str, ...]] = ()

    def init(self, series: int, features: int) -> State:
        """Nothing known; how many fields are numbers is settled by the first record."""
        return {}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """(T, 1, F) -> nats (T, 1), with blame (T, 1, F) of what is strange and NaN of the rest."""
        seen = [f for f, name in enumerate(frame.features) if not is_number(name)]
        names = np.array([frame.features[f] in frame.categories for f in seen], np.bool_)
        x, count = frame.values[:, 0, seen], len(frame.time)
        score, blame = np.full(count, np.nan), np.full((count, len(frame.features)), np.nan)
        if count and len(names):
            known = nested(state) or events.init(int((~names).sum()), int(names.sum()))
            numbers, categories = x[:, ~names], x[:, names].astype(np.int64)
            known, said = events.step(known, numbers, categories, _telling)
            state, score = flat(known), said.score
            order = np.concatenate([np.flatnonzero(~names), np.flatnonzero(names)])
            blame[:, np.array(seen)[order]] = said.blame
        scores = Scores(frame.time, frame.keys, score[:, None], blame=blame[:, None, :])
        return state, scores


def _telling(score: Floats, judged: Array) -> Array:
    return np.asarray(score >= TELLING)
