"""How well scores rank what is labelled above what is not; and how good alerts are."""

import numpy as np

from amiss.data import Array, Floats


def average_precision(label: Array, score: Floats) -> float:
    """The sum over thresholds of precision times what it adds to recall; NaN without a label.

    label, score (N,), no NaN. Equal scores are one threshold.
    """
    order = np.argsort(-score, kind="stable")
    right = np.cumsum(label[order] != 0)
    last = np.flatnonzero(np.diff(score[order], append=-np.inf))
    hits = right[last]
    gained = np.diff(hits, prepend=0) / right[-1] if right[-1] else np.full(len(hits), np.nan)
    return float(gained @ (hits / (last + 1)))


def roc_auc(label: Array, score: Floats) -> float:
    """The share of pairs, one with a label and one without, that are ranked right; ties half.

    label, score (N,), no NaN. NaN if all are labelled alike.
    """
    _, place, size = np.unique(score, return_inverse=True, return_counts=True)
    middle = np.cumsum(size) - (size - 1) / 2.0
    chosen = np.asarray(label) != 0
    n, m = int(chosen.sum()), int((~chosen).sum())
    if not n * m:
        return np.nan
    return float((middle[place][chosen].sum() - n * (n + 1) / 2.0) / (n * m))


def f1(label: Array, alert: Array) -> tuple[float, float, float]:
    """F1, precision and recall of alerts (N,); 0 where there is nothing to divide by."""
    both = int(((label != 0) & alert).sum())
    precision = both / max(int(alert.sum()), 1)
    recall = both / max(int((label != 0).sum()), 1)
    return 2.0 * precision * recall / max(precision + recall, 1e-12), precision, recall


def ranked(score: Floats) -> Floats:
    """Scores (N,) with those that are missing as low as the lowest."""
    missing = np.isnan(score)
    return np.where(missing, 0.0 if missing.all() else np.nanmin(score), score)
