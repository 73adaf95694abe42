"""-ln p of a score among past ones, with a heavy tail beyond the strangest 2 % of them.

    s = -ln((number of past scores >= x, + 1)/(n + 1))                    up to u
    s = ln((n + 1)/t) + 4 ln(1 + (x - u)/(4 b))                           above u

u is the t-th largest past score, t = max(4, n/50), b the mean excess over u: a generalised Pareto
tail of shape 1/4 (Pickands 1975), so that what is far beyond all that was seen is still told
apart, and none of it decides alone; s is 30 at most.
"""

import numpy as np

from amiss.data import Array, Floats

SHARE, FEWEST = 50, 4
HEAVY = 4.0
LARGEST = 30.0  # nats
FLAT = 1e-9


def nats(past: Floats, x: Floats) -> Floats:
    """Scores (N,) against sorted past ones (n,) -> nats, at most 30. Cost: O(N log n)."""
    n = len(past)
    t = min(max(FEWEST, n // SHARE), n)
    u = past[-t]
    b = max(float((past[-t:] - u).mean()), FLAT)
    found: Floats = np.minimum(heavy(x, np.searchsorted(past, x, "left"), n, t, u, b), LARGEST)
    return found


def heavy(
    x: Floats, less: Array, n: Array | int, t: Array | int, u: Array | float, b: Array | float
) -> Floats:
    """The equation, for numbers with so many `less` of n past ones below them; all (N,) or one."""
    rank = -np.log((n - less + 1) / (n + 1))
    size = np.log((n + 1) / t) + HEAVY * np.log1p(np.maximum(x - u, 0.0) / (HEAVY * b))
    return np.where(x > u, size, rank)
