"""Two models on the same moments, in figures beside each other."""

from dataclasses import dataclass
from math import log

import numpy as np

from amiss.data import DAY, Array, Floats
from amiss.errors import ConfigError
from amiss.run.shadow import Shadow

TOLD = log(1000.0)  # nats from which on a moment counts as told of: p <= .001
OFTEN = log(100.0)  # p <= .01
APART = 5  # moments


@dataclass(frozen=True, slots=True)
class Side:
    """One of two models, on the moments that both have an opinion on."""

    told: int  # moments with p <= .001
    often: int  # moments with p <= .01
    middle: float  # nats, the median
    high: float  # nats, the 99th percentile
    known: int  # moments in the span that it was fitted on
    off: float  # error of its forecast by that of the value before, the mean over metrics; or NaN
    found: int  # moments labelled suspicious with p <= .001
    area: float  # share of pairs, one labelled and one not, that it ranks right (ROC); or NaN


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same moments."""

    samples: int
    first: int  # ns
    last: int
    told: tuple[int, int]  # moments with p <= .001, by each
    both: int  # by both of them
    agreement: float  # rank correlation of their scores, -1 to 1; NaN if too few
    apart: tuple[tuple[int, float, float], ...]  # moments they differ most on: ns, nats, nats
    sides: tuple[Side, Side]
    labelled: int  # moments that were called suspicious


def compare(one: Shadow, other: Shadow) -> Comparison:
    """Two models of the same systems on the moments that both have an opinion on.

    Raises ConfigError if there is no such moment.
    """
    time = one.time
    at = also = np.arange(len(time))
    if not np.array_equal(one.time, other.time):
        time, at, also = np.intersect1d(one.time, other.time, return_indices=True)
    shared = [s for s in one.card.systems if s in other.card.systems]
    mine = [one.card.systems.index(s) for s in shared]
    a = one.nats[at][:, mine]
    b = other.nats[also][:, [other.card.systems.index(s) for s in shared]]
    known = np.isfinite(a) & np.isfinite(b)
    if not known.any():
        raise ConfigError(
            f"there is no moment that both {one.card.id} and {other.card.id} have an opinion on; "
            "of what is recorded those count that came after both were fitted: compare them "
            "later, or name a file with --data"
        )
    when = np.broadcast_to(time[:, None], known.shape)[known]
    a, b = a[known], b[known]
    label = np.zeros(len(a), np.bool_)
    if one.label is not None:
        label = one.label[at][:, mine][known] > 0
    most = np.argsort(-np.abs(a - b), kind="stable")[:APART]
    return Comparison(
        samples=len(a),
        first=int(when.min()),
        last=int(when.max()),
        told=(int((a >= TOLD).sum()), int((b >= TOLD).sum())),
        both=int(((a >= TOLD) & (b >= TOLD)).sum()),
        agreement=_rank_correlation(a, b),
        apart=tuple((int(when[i]), float(a[i]), float(b[i])) for i in most),
        sides=(_side(one, a, when, label), _side(other, b, when, label)),
        labelled=int(label.sum()),
    )


def rate(told: int, comparison: Comparison) -> float:
    """Moments told of a day."""
    return told / max((comparison.last - comparison.first) / DAY, 1e-9)


def _side(of: Shadow, nats: Floats, when: Array, label: Array) -> Side:
    pairs = [(error, of.naive.get(name)) for name, error in of.error.items()]
    off = [error / naive for error, naive in pairs if error is not None and naive]
    return Side(
        told=int((nats >= TOLD).sum()),
        often=int((nats >= OFTEN).sum()),
        middle=float(np.median(nats)),
        high=float(np.quantile(nats, 0.99)),
        known=int(((when >= of.card.first) & (when <= of.card.last)).sum()),
        off=float(np.mean(off)) if off else float("nan"),
        found=int((label & (nats >= TOLD)).sum()),
        area=_area(nats, label),
    )


def _area(nats: Floats, label: Array) -> float:
    """Mann and Whitney's, ties counting half; NaN if all are labelled alike."""
    n, m = int(label.sum()), int((~label).sum())
    if not n * m:
        return float("nan")
    return float((_ranks(nats)[label].sum() - n * (n + 1) / 2.0) / (n * m))


def _rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's, equal values sharing their mean rank; NaN if one of them never changes."""
    x, y = _ranks(a), _ranks(b)
    if len(a) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _ranks(x: Floats) -> Array:
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    mean: Array = (ends - (count - 1) / 2.0)[place]
    return mean
