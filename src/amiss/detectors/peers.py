"""Unlike the others of its kind at the same moment."""

from math import isfinite
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State, parse_key
from amiss.detecting.chosen import chosen, groups
from amiss.kernel import kernel
from amiss.words.units import write_number

NORMAL = 1.4826  # median of distances to standard deviation, if they are normal
SLIGHT = 0.01  # of the median: a distance that is none
MOST = 1e6


class Peers(Detector):
    """One series against its group: the same name and labels, but for those of `among`.

        d_i = |x_i - m| / max(1.4826 s, .01 |m|),   m = median_j x_j,  s = median_j |x_j - m|

    over the members that have a sample in the same tick; no opinion where there are less than
    four. Each distance is ranked in the past of its own series, and sized against it, so one that
    always differs is not told for it. Medians of a group are worked out before (`beside`); no
    memory of its own. NaN in, NaN out. Told in words, not fused with others. Cost: O(M log M) a
    tick for M members.
    """

    apart: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("value", "median", "spread", "count")
    state_bytes: ClassVar[int] = 0

    type: Literal["peers"] = "peers"
    metric: str = Field("*", min_length=1)
    """The series that it is about, by name; * stands for anything."""
    where: dict[str, str] = Field({})
    """Labels that the series has; * stands for anything."""
    among: tuple[str, ...] = Field(("host",), min_length=1)
    """The labels by which the members of a group differ."""
    least: int = Field(4, ge=4)
    """Members that a group must have in a tick, the one that is judged included."""

    def chosen(self, keys: tuple[str, ...]) -> tuple[int, ...]:
        """Those that are called so."""
        return chosen(self.metric, self.where, keys)

    def beside(self, frame: Frame, keys: tuple[str, ...]) -> dict[str, Floats]:
        """Median, spread and number of the group of each series at each tick."""
        column = {key: s for s, key in enumerate(frame.keys)}
        value = np.ascontiguousarray(frame.values[:, [column[key] for key in keys], 0])
        median, spread, count = (np.full(value.shape, np.nan) for _ in range(3))
        for members in groups(keys, self.among):
            _group(value, np.array(members), median, spread, count)
        return {"median": median, "spread": spread, "count": count}

    def init(self, series: int, features: int) -> State:
        """Nothing to remember."""
        return {}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """How many spreads each is away from its group."""
        value, median = frame.column("value"), frame.column("median")
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            room = np.maximum(NORMAL * frame.column("spread"), SLIGHT * np.abs(median))
            away = np.abs(value - median)
            scores = np.where(away > 0, np.minimum(away / room, MOST), 0.0)
        judged = np.isfinite(value) & np.isfinite(room) & (frame.column("count") >= self.least)
        return state, Scores(frame.time, frame.keys, np.where(judged, scores, np.nan))

    def tell(self, frame: Frame, scores: Scores, t: int, s: int) -> str:
        """at 1.6 s where 7 others are at 200 ms (half of them 190 to 210 ms)."""
        name = parse_key(frame.keys[s])[0]
        value, median, spread, count = (
            float(frame.column(feature)[t, s]) for feature in self.needs
        )
        half = [write_number(median + sign * spread, name) for sign in (-1, 1)]
        within = f" (half of them {half[0]} to {half[1]})" if half[0] != half[1] else ""
        return (
            f"at {write_number(value, name)} where {count - 1:.0f} others are at "
            f"{write_number(median, name)}{within}"
        )


@kernel
def _group(value: Array, members: Array, median: Array, spread: Array, count: Array) -> None:
    """Medians of one group, for each of its members that is there."""
    there = np.empty(len(members))
    for t in range(len(value)):
        n = 0
        for s in members:
            if isfinite(value[t, s]):
                there[n] = value[t, s]
                n += 1
        if n == 0:
            continue
        middle = _median(there[:n])
        distance = _median(np.abs(there[:n] - middle))
        for s in members:
            if isfinite(value[t, s]):
                median[t, s], spread[t, s], count[t, s] = middle, distance, n


@kernel
def _median(x: Array) -> float:
    order = np.sort(x)
    half = len(order) // 2
    if len(order) % 2:
        return float(order[half])
    return float(0.5 * order[half - 1] + 0.5 * order[half])
