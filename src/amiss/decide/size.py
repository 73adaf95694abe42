"""How large is a surprise against the tail of all that came before, and how rarely so large.

Ranks saturate at ln n and cannot say "a hundred times larger". From the counts of past
surprises u > 0, the quantiles q1 and q2 with 5 % and .5 % of the mass above them give an
exponential tail:

    mass = min(n, 2 n+),  n+ of n past u above 0: zeros count no more than the rest
    low = -ln(5 % of mass / n);   c = max((q2 - q1) / ln 10, q1 / 20)
    T = low + (u - q1) / c  above q1,  low u / q1  below        nats: how large
    D = -ln((number of past >= u, + .2) / (n + .2))             nats: how rarely so large, if T > 10
    V = q1 + c max(0, ln 100 - low)                             what 99 % do not exceed

T and D are 0 and V is NaN until 20 surprises were above 0. The quantiles are moderate on purpose:
deeper ones are made of the events themselves. For the same reason an episode counts little: of
samples with T > 4 that follow one another, the first counts and then each tenth; those between
weigh a twentieth.
"""

from math import exp2, isfinite, log

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide import histogram
from amiss.kernel import borrowing, inlined

BINS = 96
LATER = histogram.later(BINS)
WHOLE = 20  # what a sample weighs
AGAIN = 1  # ... as a later sample of an episode
EPISODE = 10  # samples
LARGE = 4.0  # nats of T from which a sample belongs to an episode
KEEP = 20000 * WHOLE
CARRIES = KEEP // histogram.CARRY  # at most
LEAST = 20 * WHOLE  # surprises before there is an opinion
Q1, Q2 = 0.05, 0.005  # of the mass, above q1 and q2
DECADE = log(Q1 / Q2)
LOW = -log(Q1)
BONUS = 10.0  # nats of T where the bonus of fusion starts
BAND = -log(0.01)  # nats of T at which the band ends


def init(series: int) -> State:
    """The past of `series` surprises never seen before: 215 bytes each."""
    return {
        "counts": np.zeros((series, BINS), np.uint16),
        "carried": np.zeros((series, CARRIES), np.uint8),
        "base": np.zeros(series),
        "total": np.zeros(series, np.uint32),
        "zeros": np.zeros(series, np.uint32),
        "since": np.full(series, 255, np.uint8),
    }


COLUMNS = tuple(init(0))


def step(state: State, surprise: Floats) -> tuple[State, Floats, Floats, Floats]:
    """Surprise u >= 0 (T, S) -> T, D and V, each (T, S).

    T and D are 0 where there is nothing to go by yet, V is NaN there. NaN gives NaN and is not
    remembered. Cost: O(T S), about 60 ns a point.
    """
    large, rare, width = (np.empty(surprise.shape) for _ in range(3))
    _size(surprise, large, rare, width, *(state[name] for name in COLUMNS))
    return state, large, rare, width


@inlined
def _tail(
    counts: Array, carried: Array, base: Array, total: Array, zeros: Array, s: int
) -> tuple[float, ...]:
    """low, q1 and c of row s; q1 is NaN where there is nothing to go by."""
    n = float(total[s]) + float(zeros[s])
    mass = min(n, 2.0 * total[s])  # an idle series: zeros count no more than the rest
    p2, p1 = histogram.quantiles(counts, carried, s, Q2 * mass, Q1 * mass)
    if p1 < 0.0:
        return 0.0, np.nan, np.nan
    q1 = base[s] * exp2(p1 / histogram.PER_OCTAVE)
    q2 = base[s] * exp2(p2 / histogram.PER_OCTAVE)
    low = LOW if mass == n else -log(Q1 * mass / n)
    return low, q1, max((q2 - q1) / DECADE, 0.05 * q1)


@inlined
def _remember(
    large: float, at: float, counts: Array, carried: Array, total: Array, zeros: Array,
    since: Array, s: int,
) -> None:  # fmt: skip
    """Count a sample, less if it is a later one of an episode."""
    weight = WHOLE
    if since[s] < 255:
        since[s] += 1
    if large > LARGE:
        if since[s] < EPISODE:
            weight = AGAIN
        else:
            since[s] = 0
    if at >= 0.0:
        histogram.add(counts, carried, s, at, weight)
        total[s] += weight
    else:
        zeros[s] += weight
    if total[s] + zeros[s] > KEEP:
        histogram.halve(counts, carried, s)
        total[s] >>= 1
        zeros[s] >>= 1


@borrowing
def _size(
    surprise: Array, large: Array, rare: Array, width: Array,
    counts: Array, carried: Array, base: Array, total: Array, zeros: Array, since: Array,
) -> None:  # fmt: skip
    ticks, series = surprise.shape
    for s in range(series):
        for t in range(ticks):
            u = surprise[t, s]
            if not isfinite(u):
                large[t, s] = rare[t, s] = width[t, s] = np.nan
                continue
            T = D = 0.0
            V = np.nan
            at = -1.0
            if u >= histogram.TINY:
                at = max(histogram.position(u, counts, carried, base, s, 6), 0.0)
            if total[s] > LEAST:
                low, q1, c = _tail(counts, carried, base, total, zeros, s)
                if isfinite(q1):
                    V = q1 + c * max(0.0, BAND - low)
                    T = low + (u - q1) / c if u > q1 else low * u / q1
                if T > BONUS:  # below it nobody asks
                    n = float(total[s]) + float(zeros[s])
                    tail = histogram.above_many(at, counts, carried, s, LATER)
                    D = -log((tail + 0.2 * WHOLE) / (n + 0.2 * WHOLE))
            large[t, s], rare[t, s], width[t, s] = T, D, V
            _remember(T, at, counts, carried, total, zeros, since, s)
