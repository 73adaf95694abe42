"""The distance of a system from how its metrics go together, against equations in plain numpy."""

from math import asinh, isfinite, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import SECOND, Floats, Frame, Times
from amiss.detectors.mahalanobis import Mahalanobis
from made import START, Chance

HOUR = 3600.0


class Scale:
    """asinh of the deviation from a running mean, in units of a running scale."""

    def __init__(self) -> None:
        self.n, self.mean, self.spread = 0, 0.0, 0.0

    def step(self, x: float) -> float:
        if not isfinite(x):
            return 0.0
        if self.n == 0:
            self.mean = self.low = self.high = x
        self.n += 1
        self.low, self.high = min(self.low, x), max(self.high, x)
        away, scale = x - self.mean, 1.2533 * self.spread + 0.03 * (self.high - self.low)
        y = asinh(away / scale) if scale > 0 else 0.0
        if self.n >= 64:
            away = float(np.clip(away, -4 * scale, 4 * scale))
        gain = max(1 / self.n, 1 / 50_000)
        self.mean += gain * away
        self.spread += gain * (abs(away) - self.spread)
        return y


class Profile:
    """x less what it is at this hour of the day."""

    def __init__(self) -> None:
        self.hour: dict[int, float] = {}
        self.seen: dict[int, int] = {}

    def step(self, t: float, x: float, hours: float) -> float:
        at = t % 86400 / HOUR - 0.5
        first, weight = int(np.floor(at)) % 24, at - np.floor(at)
        second, near = (first + 1) % 24, first if weight < 0.5 else (first + 1) % 24
        known = [self.hour.get(k) for k in (first, second)]
        if None not in known:
            usual = (1 - weight) * known[0] + weight * known[1]
        else:
            usual = next((k for k in known if k is not None), x)
        self.seen[near] = self.seen.get(near, 0) + 1
        before = self.hour.setdefault(near, x)
        self.hour[near] = before + max(1 / self.seen[near], 0.1 * hours) * (x - before)
        return x - usual


def naive(seconds: Times, x: Floats, seasonal: bool) -> tuple[Floats, Floats]:
    """Distances (T,) and blame (T, F)."""
    metrics = x.shape[1]
    wide = 2 * metrics if seasonal else metrics
    scales = [Scale() for _ in range(metrics)]
    profiles = [Profile() for _ in range(metrics)]
    centre, C, M = np.zeros(wide), 0.5 * np.eye(wide), np.eye(wide)
    rows, due, last = 0, 8, 0.0
    past = [np.zeros(metrics)] * 3
    scores, blame = np.full(len(x), np.nan), np.full(x.shape, np.nan)
    for t, (now, seen) in enumerate(zip(seconds.tolist(), x, strict=True)):
        row = seen
        if not np.isfinite(row).any():
            continue
        if rows >= due:
            M = np.linalg.inv(C + 0.1 * np.eye(wide))
            due = rows + min(60, max(8, rows // 4))
        if seasonal:
            hours, last = min(max(now - last, 0) / HOUR, 1), now
            row = np.array(
                [
                    p.step(now, v, hours) if isfinite(v) else np.nan
                    for p, v in zip(profiles, row.tolist(), strict=True)
                ]
            )
        for j in np.flatnonzero([isfinite(v) and not scales[j].n for j, v in enumerate(row)]):
            new = [j, metrics + j] if seasonal else [j]
            centre[new], C[new], C[:, new], M[new], M[:, new] = 0, 0, 0, 0, 0
            C[new, new], M[new, new] = 0.5, 1
        y = np.array([scales[j].step(v) for j, v in enumerate(row)])
        if seasonal:
            past = [*past, y]
            y = np.concatenate([y, past[-4]])
        v = y - centre
        scores[t] = sqrt(max(v @ M @ v, 0))
        blame[t] = (np.abs(M @ v) / np.sqrt(np.diag(M)))[:metrics]
        blame[t, [not scale.n for scale in scales]] = 0
        rows += 1
        centre = centre + v / rows
        C += (np.outer(v, v) - C) / rows
    return scores, blame


def frame(seconds: Times, x: Floats) -> Frame:
    names = tuple(f"m{j}" for j in range(x.shape[1]))
    return Frame(seconds * SECOND, ('host="a"',), names, x[:, None, :])


def made(seed: int, ticks: int, every: int = 300) -> tuple[Times, Floats]:
    """Three metrics of a day and week, two of them alike, with holes and an event."""
    chance = Chance(seed)
    t = START + every * np.arange(ticks)
    day = np.sin(2 * np.pi * t / 86400)
    noise = chance.normal(3 * ticks).reshape(ticks, 3)
    x = np.column_stack([day + 0.2 * noise[:, 0], day + 0.2 * noise[:, 1], 5e9 + 1e8 * noise[:, 2]])
    x[ticks // 2 : ticks // 2 + 5, 1] += 4
    x[chance.uniform(ticks) < 0.05, 0] = np.nan
    x[chance.uniform(ticks) < 0.02] = np.nan
    return t, x


@pytest.mark.parametrize("seasonal", [False, True])
@given(seed=st.integers(0, 10**6))
def test_it_reads_like_the_equations(seasonal: bool, seed: int) -> None:
    seconds, x = made(seed, 700)
    distance, blame = naive(seconds, x, seasonal)
    detector = Mahalanobis(seasonal=seasonal)
    _, found = detector.step(detector.init(1, 3), frame(seconds, x))
    np.testing.assert_allclose(found.values[:, 0], distance, rtol=1e-7, atol=1e-9)
    assert found.blame is not None
    np.testing.assert_allclose(found.blame[:, 0], blame, rtol=1e-6, atol=1e-7)


def test_what_breaks_with_its_like_is_blamed() -> None:
    """Inside the range of each metric, but two that always go together do not."""
    seconds, x = made(1, 3000)
    x[2900, :2] = [1.0, -1.0]
    detector = Mahalanobis()
    _, found = detector.step(detector.init(1, 3), frame(seconds, x))
    assert found.values[2900, 0] > np.nanquantile(found.values[:, 0], 0.995)
    assert found.blame is not None
    assert found.blame[2900, 0].argmin() == 2


def test_a_metric_that_comes_later_joins_the_others() -> None:
    seconds, x = made(2, 1500)
    later = x.copy()
    later[:600, 2] = np.nan
    detector = Mahalanobis(seasonal=True)
    state, _ = detector.step(detector.init(1, 2), frame(seconds[:600], later[:600, :2]))
    assert state["names"].tolist() == ["m0", "m1"]
    state, found = detector.step(state, frame(seconds[600:], later[600:]))
    assert state["names"].tolist() == ["m0", "m1", "m2"]
    _, whole = detector.step(detector.init(1, 3), frame(seconds, later))
    np.testing.assert_allclose(found.values, whole.values[600:], rtol=1e-6)


def test_there_is_a_most_of_metrics() -> None:
    seconds, x = made(3, 50)
    detector = Mahalanobis(most=2)
    state, found = detector.step(detector.init(1, 3), frame(seconds, x))
    assert state["names"].tolist() == ["m0", "m1"]
    assert np.isfinite(found.values).sum() > 40
