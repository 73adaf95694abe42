"""How rare is a score among its own past: the conformal p-value, with a heavy-tailed prior.

    p = (number of past scores >= v, linear in the bin, + 20 p0) / (n + 20)
    p0 = max(two-sided Student t3 tail of v / (1.2533 mean v), .01)

so that a young series is judged by the prior and an old one by what it has seen. Where past
and present are exchangeable, P(p <= a) <= a whatever the detector, but for the prior and the
bins: scores within 9 % of one another are taken to be spread evenly
(Vovk, Gammerman and Shafer, "Algorithmic learning in a random world", 2005).
"""

from math import isfinite

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide import histogram
from amiss.kernel import borrowing, inlined

BINS = 64
LATER = histogram.later(BINS)
PRIOR = 20.0  # samples the prior is worth
FLOOR = 0.01  # least prior p
KEEP = 20000  # counts after which half is forgotten
STEPS = 1024  # of the table of the t3 tail, up to where it meets the floor
REACH = 6.0
SCALE = (STEPS + 1) / REACH

_y = np.linspace(0.0, REACH, STEPS + 2) / np.sqrt(3.0)
T3 = np.maximum(1.0 - (2.0 / np.pi) * (np.arctan(_y) + _y / (1.0 + _y * _y)), FLOOR)


def init(series: int) -> State:
    """The past of `series` scores never seen before: 146 bytes each."""
    return {
        "counts": np.zeros((series, BINS), np.uint16),
        "base": np.zeros(series),
        "total": np.zeros(series, np.uint16),
        "mean": np.zeros(series),
    }


COLUMNS = tuple(init(0))


def step(state: State, scores: Floats, out: Floats | None = None) -> tuple[State, Floats]:
    """Scores (T, S), at least 0 -> 1/p (T, S), at least 1.

    The score is judged by what came before it and then remembered. NaN gives NaN and is not
    remembered. Written to `out` if it is given. Cost: O(T S), about 40 ns a point.
    """
    inverse = np.empty(scores.shape) if out is None else out
    _rank(scores, inverse, *(state[name] for name in COLUMNS))
    return state, inverse


@inlined
def prior(z: float) -> float:
    """max(t3 tail, floor), from a table: within 4e-6 of the exact one."""
    at = z * SCALE
    if not at < STEPS:
        return FLOOR
    k = np.uint64(at)  # a signed index would be looked at once more
    p: float = T3[k] + (at - k) * (T3[k + np.uint64(1)] - T3[k])
    return p


@borrowing
def _rank(
    scores: Array,
    inverse: Array,
    counts: Array,
    base: Array,
    total: Array,
    mean: Array,
) -> None:
    ticks, series = scores.shape
    none = counts[:0, :0]  # the counts of a row together stay below KEEP
    for s in range(series):
        for t in range(ticks):
            v = scores[t, s]
            if not isfinite(v):
                inverse[t, s] = np.nan
                continue
            at = -1.0
            if v >= histogram.TINY:
                at = histogram.position(v, counts, none, base, s, BINS // 16)
            n = float(total[s])
            inverse[t, s] = 1.0
            if n > 0.0:
                tail = n
                if at >= 0.0:
                    tail = histogram.above(at, counts, s, LATER)
                p0 = prior(v / (1.2533 * mean[s] + 1e-300))
                inverse[t, s] = max((n + PRIOR) / (tail + PRIOR * p0), 1.0)
            # remember
            if at >= 0.0:
                counts[s, np.uint64(at)] += 1
            total[s] += 1
            mean[s] += (v - mean[s]) / total[s]
            if total[s] >= KEEP:
                histogram.halve(counts, none, s)
                total[s] >>= 1
