"""A system as a whole: several views of all its metrics, and their mean.

    H = ln mean_j exp s_j        s_j >= 0 the score of each metric by itself, 0 where it has none
    F = mean of T(H), T(L), ..   L, .. what joint detectors say (detectors/mahalanobis.py)
    blame_j = s_j / sum s + sum over L, .. of w_j / sum w        w the blame of each of them

T is the size of a surprise, each against its own past (decide/size.py); steps/judge.py asks all of
them and takes their mean. Live, what is above 6 is told as it is of single series (decide/fuse.py).
Since the whole speaks for D metrics, and each of them has its own chance to be strange, the bar of
a metric by itself is higher:

    bar <- bar + ln(D)/2
"""

from collections.abc import Sequence

import numpy as np

from amiss.data import Array, Floats, Scores

NEXT_TO_NOTHING = 1e-9


def strangest(nats: Floats, has: Array, metrics: Sequence[str]) -> Floats:
    """H (T, S), of scores (T, S, F) of the metrics that each system `has` (S, F)."""
    by_name = np.argsort(np.array(metrics, dtype=str))  # a sum depends on its order
    found = np.empty(nats.shape[:2])
    for s in range(nats.shape[1]):
        own = nats[:, s][:, by_name[has[s, by_name]]]
        most = own.max(axis=1, initial=0.0)
        found[:, s] = most + np.log(np.exp(own - most[:, None]).mean(axis=1))
    return found


def shares(x: Floats) -> Floats:
    """(T, S, F) as shares of each system at each moment."""
    total: Floats = x.sum(axis=2, keepdims=True) + NEXT_TO_NOTHING
    return x / total


def higher(has: Array) -> Floats:
    """By how much the bar of one metric of each system is higher (S,), of those it `has` (S, F)."""
    found: Floats = 0.5 * np.log(has.sum(axis=1))
    return found


def expectations(views: Sequence[Scores], shape: tuple[int, ...]) -> list[Floats]:
    """Expected, lower and upper of each metric (T, S, F), by the view that blames it most.

    NaN where none that says what it expected blames it.
    """
    most, found = np.zeros(shape), [np.full(shape, np.nan)] * 3
    for view in views:
        if view.blame is None or view.expected is None:
            continue
        share = shares(np.nan_to_num(view.blame))
        more = (share > most) & np.isfinite(view.expected)
        most = np.where(more, share, most)
        own = (view.expected, view.lower, view.upper)
        pairs = zip(own, found, strict=True)
        found = [old if new is None else np.where(more, new, old) for new, old in pairs]
    return found
