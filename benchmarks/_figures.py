"""How good are scores and alerts on labelled data.

nab      Numenta's benchmark: what an early alert in a window earns, what a miss and a false alert
         cost, as per cent of the perfect (Lavin and Ahmad, "Evaluating real-time anomaly detection
         algorithms", 2015). Alerts where the score reaches 6, then 12 h of silence unless it rises
         by 2.
recall   events found at one false alert a series and week: with the threshold that keeps to it on
         one half of the curves, on the other half; the mean of ten halvings, both ways. False rows
         within ten of one another are one alert; no threshold that 2 % of the rows reach.
budget   alerts told for one asked; the share of series within half and double; events with one.
vus_pr   precision over recall for labels with soft edges, the mean over their widths (Paparrizos
         and others, "Volume under the surface", 2022), 250 thresholds.
"""

from collections.abc import Sequence

import numpy as np
from _labelled import Curve, runs

from amiss.data import Array, Floats

THETA, RISE, SILENCE = 6.0, 2.0, 12 * 3600
STANDARD = (1.0, 0.11, 1.0)  # window found, false alert, window missed
MERGE, MOST, HALVINGS = 10, 0.02, 10
THRESHOLDS = 250


def nab(
    curves: Sequence[Curve],
    scores: Sequence[Floats],
    theta: float = THETA,
    profile: tuple[float, float, float] = STANDARD,
) -> float:
    """NAB's score of one threshold, 100 at best, 0 for silence."""
    found, false, missed = profile
    total, windows = 0.0, 0
    for curve, score in zip(curves, scores, strict=True):
        alert = np.flatnonzero(_alerts(curve, score, theta))
        alert = alert[alert >= curve.start]
        windows += len(curve.judged)
        total -= false * float((alert < min((a for a, _ in curve.events), default=1 << 60)).sum())
        for k, (a, b) in enumerate(curve.events):
            end = curve.events[k + 1][0] if k + 1 < len(curve.events) else len(score)
            inside = alert[(alert >= a) & (alert < b)]
            if b > curve.start:
                earned = _sigmoid((inside[:1] - b) / (b - a)) / _sigmoid(np.array([-1.0]))
                total += found * float(earned[0]) if len(inside) else -missed
            after = alert[(alert >= b) & (alert < end)]
            total += false * float(_sigmoid((after - b + 1) / max(b - a - 1, 1)).sum())
    return 100.0 * (total + missed * windows) / ((found + missed) * windows)


def recall(curves: Sequence[Curve], scores: Sequence[Floats]) -> tuple[float, float]:
    """The share of events found, and false alerts a series and week that it came with."""
    late = [np.nan_to_num(s[c.start :], nan=-np.inf) for c, s in zip(curves, scores, strict=True)]
    every = np.sort(np.concatenate(late))
    tail = np.quantile(every, 1.0 - np.geomspace(1e-6, MOST, 200), method="higher")
    tail = np.unique(tail[np.isfinite(tail)])
    theta = tail[1.0 - np.searchsorted(every, tail) / len(every) <= 1.01 * MOST]
    found, false = np.zeros((2, len(curves), len(theta)))
    for n, (curve, score) in enumerate(zip(curves, late, strict=True)):
        for a, b in curve.judged:
            found[n] += score[a - curve.start : b - curve.start].max() >= theta
        outside = np.flatnonzero(~curve.inside[curve.start :] & (score >= theta[0]))
        for k, least in enumerate(theta):
            rows = outside[score[outside] >= least]
            false[n, k] = len(rows[:1]) + (np.diff(rows) > MERGE).sum()
    weeks, events = (np.array([f(c) for c in curves]) for f in (lambda c: c.weeks, _events))
    chance, told = np.random.default_rng(0), []
    for _ in range(HALVINGS):
        half = np.zeros(len(curves), np.bool_)
        half[chance.permutation(len(curves))[: len(curves) // 2]] = True
        for known in (half, ~half):
            kept = np.flatnonzero(false[known].sum(axis=0) <= weeks[known].sum())
            if not len(kept):
                told.append((0.0, 0.0))
                continue
            hits, wrong = found[~known, kept[0]].sum(), false[~known, kept[0]].sum()
            told.append((hits / events[~known].sum(), wrong / weeks[~known].sum()))
    share, rate = np.mean(told, axis=0)
    return float(share), float(rate)


def budget(curves: Sequence[Curve], alerts: Sequence[Array]) -> tuple[float, float, float]:
    """Told for one asked, share of series within half and double, share of events found."""
    told, weeks, hits = np.zeros(len(curves)), np.array([c.weeks for c in curves]), 0
    for n, (curve, alert) in enumerate(zip(curves, alerts, strict=True)):
        told[n] = alert[curve.start :].sum()
        hits += sum(bool(alert[a:b].any()) for a, b in curve.judged)
    each = told / weeks
    within = float(((each >= 0.5) & (each <= 2.0)).mean())
    return float(told.sum() / weeks.sum()), within, hits / sum(map(_events, curves))


def vus_pr(score: Floats, label: Array, width: int) -> float:
    """The volume under the precision-recall surface for edges of 0 to `width` rows."""
    events, rows = runs(label), len(label)
    order = np.argsort(-score, kind="stable")
    theta = score[order][np.linspace(0, rows - 1, THRESHOLDS).astype(int)]
    flagged = np.searchsorted(-score[order], -theta, side="right")
    near = np.zeros(rows, np.bool_)
    for a, b in _wider(events, width, rows):
        near[a:b] = True
    distance = _distance(events, rows)
    areas = []
    for edge in range(width + 1):
        soft = label.astype(float)
        if edge:
            reach = (distance > 0) & (distance <= edge // 2) & near
            soft[reach] += np.sqrt(1.0 - distance[reach] / edge)
        caught = np.concatenate([[0.0], np.cumsum(soft[order])])[flagged]
        extra = np.concatenate([[0.0], np.cumsum((soft * ~label)[order])])[flagged]
        tops = np.sort([score[a:b].max() for a, b in _wider(events, edge, rows)])
        exist = 1.0 - np.searchsorted(tops, theta, side="left") / len(tops)
        share = np.minimum(caught / (label.sum() + 0.5 * extra), 1.0) * exist
        areas.append(float(np.diff(share, prepend=0.0) @ (caught / flagged)))
    return float(np.mean(areas))


def period(values: Floats) -> int:
    """How wide edges may be: the lag of the highest peak of the autocorrelation, 6 to 303 rows."""
    x = values[:20000] - values[:20000].mean()
    if not x.any():
        return 125
    spectrum = np.fft.rfft(x, 2 * len(x))
    late = np.fft.irfft(np.abs(spectrum) ** 2)[3:401]
    peaks = 1 + np.flatnonzero((late[1:-1] > late[:-2]) & (late[1:-1] > late[2:]))
    best = int(peaks[np.argmax(late[peaks])]) if len(peaks) else 0
    return best + 3 if 3 <= best <= 300 else 125


def _events(curve: Curve) -> int:
    return len(curve.judged)


def _alerts(curve: Curve, score: Floats, theta: float) -> Array:
    alert, last, level = np.zeros(len(score), np.bool_), -np.inf, -np.inf
    for i in np.flatnonzero(np.nan_to_num(score, nan=-np.inf) >= theta).tolist():
        if curve.time[i] - last > SILENCE or score[i] > level + RISE:
            alert[i], last, level = True, curve.time[i], score[i]
    return alert


def _sigmoid(position: Array) -> Floats:
    value = 2.0 / (1.0 + np.exp(5.0 * np.minimum(position, 3.0))) - 1.0
    return np.where(position >= 3.0, -1.0, value)


def _wider(events: list[tuple[int, int]], width: int, rows: int) -> list[tuple[int, int]]:
    """Events with half the width on both sides; those that then touch are one."""
    found: list[tuple[int, int]] = []
    for a, b in events:
        first, last = max(a - width // 2, 0), min(b + width // 2, rows)
        if found and first <= found[-1][1] - 1:
            first = found.pop()[0]
        found.append((first, last))
    return found


def _distance(events: list[tuple[int, int]], rows: int) -> Floats:
    """Rows to the nearest event, 0 within one."""
    at, away = np.arange(rows), np.full(rows, np.inf)
    for a, b in events:
        away = np.minimum(away, np.maximum(np.maximum(a - at, at - b + 1), 0))
    return away
