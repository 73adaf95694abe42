"""Several opinions on one sample become one score.

    R = ln mean_k (1/p_k)
    R <- R - 2                              inside the usual daily envelope: the nightly job
    s = R + 5 ln(1 + (T - 10)+) clip((D - 7) / .5, 0, 1)        rank decides, size ranks
    s <- 6 + 2 ln(1 + (s - 6) / 2)          above 6, so that one nat more is dear

The harmonic mean p is valid whatever the dependence, up to a factor (Wilson, "The harmonic mean
p-value", PNAS 2019).
"""

from math import log

import numpy as np

from amiss.data import Array, Floats
from amiss.decide.size import BONUS
from amiss.kernel import borrowing, inlined

VETO = 2.0
WEIGHT = 5.0
RARITY, RAMP = 7.0, 0.5
THETA, SQUEEZE = 6.0, 2.0


def fuse(inverse: Floats, inside: Array, large: Floats, rare: Floats) -> Floats:
    """1/p of K rank views (K, T, S), inside the envelope, T and D (T, S) -> score in nats (T, S).

    A view without an opinion (NaN) is left out; NaN where none has one.
    """
    scores = np.empty(large.shape)
    flat = inverse.reshape(len(inverse), scores.size)
    _fuse(flat, inside.ravel(), large.ravel(), rare.ravel(), scores.ravel())
    return scores


def harmonic(inverse: Floats) -> Floats:
    """1/p of K views (K, N) -> R in nats (N,), NaN where none has an opinion."""
    fused = np.empty(inverse.shape[1])
    _harmonic(inverse, fused)
    return fused


def p_of(score: Floats | float) -> Floats:
    """The p of a score: exp(-score), at most 1, of any shape; NaN where there is no score."""
    return np.where(np.isfinite(score), np.exp(-np.maximum(score, 0.0)), np.nan)


@borrowing
def squeeze(s: float) -> float:
    """Compress above theta: monotone, so that no order changes."""
    return s if s <= THETA else THETA + SQUEEZE * log(1.0 + (s - THETA) / SQUEEZE)


@inlined
def _mean(inverse: Array, i: int) -> float:
    """The mean 1/p of those views that are heard, NaN where none is."""
    total, heard = 0.0, 0
    for k in range(len(inverse)):
        if inverse[k, i] == inverse[k, i]:
            total += inverse[k, i]
            heard += 1
    return total / heard if heard > 0 else np.nan


@borrowing
def _harmonic(inverse: Array, fused: Array) -> None:
    for i in range(len(fused)):
        fused[i] = log(_mean(inverse, i))


@borrowing
def _fuse(inverse: Array, inside: Array, large: Array, rare: Array, scores: Array) -> None:
    for i in range(len(scores)):
        R, T, D = log(_mean(inverse, i)), large[i], rare[i]
        if inside[i]:
            R -= VETO
        s = R
        if T > BONUS:
            s += WEIGHT * log(1.0 + T - BONUS) * min(max((D - RARITY) / RAMP, 0.0), 1.0)
        scores[i] = squeeze(s)
