"""Scans, guessed passwords, impossible travel: what a subject does beyond what is usual."""

from math import exp, log, log1p
from typing import ClassVar, Literal

import numpy as np

from amiss.component import Detector
from amiss.data import DAY, HOUR, Array, Frame, Scores, State
from amiss.kernel import kernel
from amiss.subjects.conduct import BEYOND

HOURS = 32  # that are kept, about one a day
FORGET = 30 * DAY
PRIOR = 4  # hours before the first, in which a number was twice the usual
FIRST = 64  # records before there is an opinion
HEAVY = 4.0
LEAST = 0.25  # nats: a mean excess that is none
ITS_HOUR = "hour for "


class Conduct(Detector):
    """How far what a subject does over several records is beyond the usual, by number.

    Judges single records (features: each, with `roles`): the ports of one host that a source
    contacted in a minute, failures of a user, speed between two logins, and others
    (subjects/conduct.py has them), and the hour of the day if there is a `subject`.

        s_j = (ln((n + 1)/(m/2)))+ + 4 ln(1 + (z - u)/(4 b)),  0 where z <= u
        score = ln of the mean of exp(s_j)

    z is how far a number is beyond the usual of its subject, n how many records there were in the
    last 30 days. Of the 32 hours of these with the largest z, without this hour but with four in
    which a number was twice the usual, m are there, u is their median, and b the median excess of
    those above it over ln 2, at least 1/4. A scan of a thousand records is one hour, so it does
    not hide the next; higher is stranger, lower never. The tail is that of decide/tail.py. No
    opinion on the first 64 records. Blame: s_j. Cost: 1 us a record.
    """

    type: Literal["conduct"] = "conduct"
    each: ClassVar[bool] = True
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "nats"
    needs: ClassVar[tuple[str, ...]] = ()

    def init(self, series: int, features: int) -> State:
        """Nothing known; which numbers there are is settled by the first record."""
        return {}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """(T, 1, F) -> nats (T, 1), with blame (T, 1, F) of each number."""
        names = frame.features
        count, judged = len(frame.time), [f for f, name in enumerate(names) if _judged(name)]
        blame, score = np.full((count, 1, len(names)), np.nan), np.full((count, 1), np.nan)
        if not count or not judged:
            return state, Scores(frame.time, frame.keys, score, blame=blame)
        if not state or len(state["now"]) != len(judged):  # other roles than before
            state = _init(len(judged))
        scale = np.array([log(2.0) if names[f].startswith(ITS_HOUR) else 1.0 for f in judged])
        z = frame.values[:, 0, judged] * scale
        nats = np.zeros(z.shape)
        _step(frame.time, z, nats, score[:, 0], *(state[name] for name in _init(1)))
        told = [names.index(names[f].removesuffix(BEYOND)) for f in judged]
        blame[:, 0, told] = nats
        return state, Scores(frame.time, frame.keys, score, blame=blame)


def _judged(name: str) -> bool:
    return name.endswith(BEYOND) or name.startswith(ITS_HOUR)


def _init(numbers: int) -> State:
    return {
        "n": np.zeros(1),
        "count": np.zeros(1, np.int64),
        "last": np.zeros(1, np.int64),
        "largest": np.zeros((numbers, HOURS)),
        "hour": np.full((numbers, HOURS), -1),
        "now": np.full(numbers, -1),
        "kept": np.zeros(numbers, np.int64),
        "u": np.zeros(numbers),
        "b": np.zeros(numbers),
    }


@kernel
def _middle(top: Array, first: int, end: int) -> float:
    """The median of sorted numbers from `first` to before `end`."""
    return 0.5 * float(top[(first + end - 1) // 2] + top[(first + end) // 2])


@kernel
def _settle(j: int, now: int, largest: Array, hour: Array, kept: Array, u: Array, b: Array) -> None:
    """What an hour is judged by: the largest of those before it."""
    top = np.empty(HOURS + PRIOR)
    m = PRIOR
    top[:m] = log(2.0)
    for k in range(HOURS):
        if hour[j, k] >= 0 and now - hour[j, k] > FORGET // HOUR:
            hour[j, k] = -1
        if hour[j, k] >= 0:
            top[m] = largest[j, k]
            m += 1
    for i in range(1, m):  # np.sort and np.median take seconds to compile
        k = i
        while k > 0 and top[k - 1] > top[k]:
            top[k - 1], top[k] = top[k], top[k - 1]
            k -= 1
    u[j] = _middle(top, 0, m)
    kept[j], b[j] = m, max((_middle(top, m // 2, m) - u[j]) / log(2.0), LEAST)


@kernel
def _remember(j: int, now: int, z: float, largest: Array, hour: Array) -> None:
    """The largest of this hour, in place of the least if need be."""
    at = 0
    for k in range(HOURS):
        if hour[j, k] == now:
            largest[j, k] = max(largest[j, k], z)
            return
        if hour[j, k] < 0:
            if hour[j, at] >= 0:
                at = k
        elif hour[j, at] >= 0 and largest[j, k] < largest[j, at]:
            at = k
    if hour[j, at] < 0 or largest[j, at] < z:
        largest[j, at], hour[j, at] = z, now


@kernel
def _step(
    time: Array, z: Array, nats: Array, score: Array,
    n: Array, count: Array, last: Array, largest: Array, hour: Array,
    hours: Array, kept: Array, u: Array, b: Array,
) -> None:  # fmt: skip
    numbers = z.shape[1]
    for t in range(len(time)):
        now, total = time[t] // HOUR, 0.0
        n[0] *= exp(-max(time[t] - last[0], 0) / FORGET)
        last[0] = max(time[t], last[0])
        for j in range(numbers):
            if z[t, j] > 0.0:
                if hours[j] != now:
                    _settle(j, now, largest, hour, kept, u, b)
                    hours[j] = now
                if z[t, j] > u[j]:
                    rare = max(log((n[0] + 1.0) / (0.5 * kept[j])), 0.0)
                    nats[t, j] = rare + HEAVY * log1p((z[t, j] - u[j]) / (HEAVY * b[j]))
                _remember(j, now, z[t, j], largest, hour)
            total += exp(nats[t, j])
        if count[0] >= FIRST:
            score[t] = log(total / numbers)
        n[0] += 1.0
        count[0] += 1
