"""VUS-PR: average precision with soft edges of the labels, averaged over the width of the edges.

Paparrizos et al., "Volume under the surface", PVLDB 2022, as TSB-AD 1.5 computes it: 250
thresholds, and a recall that is multiplied by the share of events that are met at all. For K
thresholds, which descend, everything is a running sum over the first threshold that a row meets.
"""

import numpy as np

from amiss.data import Array, Floats
from amiss.evaluate.quality.inputs import Span, spans

THRESHOLDS = 250
ROWS, LAGS, FIRST = 20_000, 400, 3
SHORTEST, WIDEST, OTHERWISE = 3, 300, 125


def width_of(values: Array) -> int:
    """How wide edges get: the lag at which the autocorrelation (T,) has its highest peak.

    125 where there is no peak between 6 and 303 rows.
    """
    x = np.asarray(values[:ROWS], np.float64)
    x = x - x.mean()
    if not x.any():
        return OTHERWISE
    lags = range(FIRST, min(LAGS, len(x) - 1) + 1)
    similar = np.array([x[: len(x) - lag] @ x[lag:] for lag in lags])
    inner = similar[1:-1]
    peaks = np.flatnonzero((inner > similar[:-2]) & (inner > similar[2:])) + 1
    if not len(peaks):
        return OTHERWISE
    best = int(peaks[similar[peaks].argmax()])
    return best + FIRST if SHORTEST <= best <= WIDEST else OTHERWISE


def vus_pr(score: Floats, label: Array, width: int) -> float:
    """VUS-PR of scores (T,) without NaN against labels (T,), for edges of 0 to `width` rows."""
    events, rows = spans(label), len(score)
    falling = np.sort(score)[::-1]
    theta = falling[np.linspace(0, rows - 1, THRESHOLDS).astype(int)]
    met = np.searchsorted(-theta, -score)  # the first threshold that each row meets
    flagged = _running(met)
    near = np.zeros(rows, np.bool_)
    for a, b in _merged(events, width // 2, rows):
        near[a:b] = True
    some = np.flatnonzero(near)
    met_near, inside = met[some], label[some] != 0
    volume = 0.0
    for edge in range(width + 1):
        soft = _soft(label, events, edge)[some]
        caught = _running(met_near, soft)
        extra = _running(met_near, np.where(inside, 0.0, soft))
        wide = _merged(events, edge // 2, rows)
        existing = _running(np.array([met[a:b].min() for a, b in wide])) / len(wide)
        recall = np.minimum(caught / (label.sum() + extra / 2.0), 1.0) * existing
        volume += float(np.diff(recall, prepend=0.0) @ (caught / flagged))
    return volume / (width + 1)


def _running(met: Array, weight: Floats | None = None) -> Floats:
    """(K,) what of it meets each threshold."""
    counts = np.bincount(met, weight, THRESHOLDS + 1)[:THRESHOLDS]
    running: Floats = np.cumsum(counts, dtype=np.float64)
    return running


def _merged(events: list[Span], half: int, rows: int) -> list[Span]:
    """Events with this much more on both sides; those that meet then are one."""
    wide: list[Span] = []
    for a, b in events:
        if wide and a - half <= wide[-1][1] - 1:
            wide[-1] = (wide[-1][0], b + half)
        else:
            wide.append((a - half, b + half))
    return [(max(a, 0), min(b, rows)) for a, b in wide]


def _soft(label: Array, events: list[Span], edge: int) -> Floats:
    """Labels (T,) that fall off as a square root over half the edge on both sides."""
    soft, rows = (label != 0).astype(np.float64), len(label)
    fall = np.sqrt(1.0 - np.arange(1, edge // 2 + 1) / edge) if edge else np.zeros(0)
    for a, b in events:
        after, before = fall[: rows - b], fall[:a]
        soft[b : b + len(after)] += after
        soft[a - len(before) : a] += before[::-1]
    capped: Floats = np.minimum(soft, 1.0)
    return capped
