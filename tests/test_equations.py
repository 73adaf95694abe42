"""From a sample to a score, as docs/concepts.md tells it: all steps together, in plain Python.

Each step has a plain version of its own in its own test; here they are put together as the
chapter puts them together, and compared with what the program says.
"""

from math import inf, isfinite, log, nan, sqrt

import numpy as np
import pyarrow as pa
import pytest

from amiss.data import SECOND, Floats, Frame
from amiss.decide import portion, sessions
from amiss.detectors.mahalanobis import Mahalanobis
from amiss.evaluate import joint
from amiss.evaluate.columns import Piece
from amiss.evaluate.joint import Joint
from amiss.evaluate.metrics import SINGLE
from amiss.steps.judge import judge
from made import KINDS, START, Chance
from test_expect import Expect
from test_fuse import naive as fused
from test_rank import Rank
from test_size import Size


class Series:
    """Expect, detect, calibrate, fuse: a sample at a time."""

    def __init__(self) -> None:
        self.expect, self.size = Expect(), Size()
        self.ranks = [Rank() for _ in range(3)]
        self.mu, self.last, self.d, self.n = 0.0, nan, 0.0, 0

    def step(self, time: int, x: float) -> tuple[float, float, float, float]:
        """Score, expected, lower and upper."""
        m, b, dt, error, inside = self.expect.step(time, x)
        self.n += 1
        # three distances from what was before, each as a rank in its own past
        self.mu = x if self.n == 1 else self.mu
        level = abs(x - self.mu)
        self.mu += min(max(1 / self.n, dt / (30 * 86400)), 1) * (x - self.mu)
        step = abs(x - self.last) if self.n > 1 else 0.0
        self.last = x
        self.d += 2 / (60 + 1) * (x - b - self.d)
        scores = [level, step, abs(self.d)]
        inverse = [rank.step(score) for rank, score in zip(self.ranks, scores, strict=True)]
        # the surprise, by its size
        e, r = x - m, x - b
        u = min(abs(e), abs(r)) if e * r >= 0 else 0.0
        T, D, V = self.size.step(u)
        near = min(max(b, m - V), m + V) if error > V else b
        return fused(inverse, inside, T, D), m, min(m, near) - V, max(m, near) + V


@pytest.mark.parametrize("kind", ["white", "bursty", "seasonal", "switching"])
def test_a_score_is_what_the_chapter_says(kind: str) -> None:
    n, every = 900, 1200
    time = START + every * np.arange(n)
    x = KINDS[kind][0](n, time, Chance(1))
    x[600] += 400
    x[300:310] = nan
    frame = Frame(time * SECOND, ("a",), ("value",), x[:, None, None])
    _, opinion = judge(SINGLE, {}, frame)
    plain = Series()
    wanted = np.array(
        [
            plain.step(*row) if isfinite(row[1]) else (nan,) * 4
            for row in zip(time.tolist(), x.tolist(), strict=True)
        ]
    )
    scores = opinion.scores
    assert scores.values[600, 0] > 7
    np.testing.assert_allclose(scores.values[:, 0], wanted[:, 0], rtol=1e-4, atol=1e-4)
    bands = scores.expected, scores.lower, scores.upper
    for k, band in enumerate(bands, 1):
        assert band is not None
        here = np.isfinite(x)
        np.testing.assert_allclose(band[here, 0, 0], wanted[here, k], rtol=1e-5, atol=1e-5)


def test_a_system_is_the_mean_of_three_views_and_half_its_running_mean() -> None:
    x = Chance(2).normal(1500).reshape(500, 3)
    x[400:405] += 6
    time = (START + 300 * np.arange(500)) * SECOND
    names = ("a", "b", "c")
    said = Joint(1.0).learn({}, Piece(pa.array([""] * 500), time, names, x))
    found = [line.split(",")[1] for line in b"".join(said.lines).decode().splitlines()]
    _, opinion = judge(SINGLE, {}, Frame(time, names, ("value",), x[:, :, None]))
    whole = Frame(time, ("system",), names, x[:, None, :])
    views = [[log(np.mean(np.exp(np.maximum(s, 0)))) for s in opinion.scores.values]]
    for detector in (Mahalanobis(), Mahalanobis(seasonal=True)):
        views.append(detector.step(detector.init(1, 3), whole)[1].values[:, 0].tolist())
    sizes, mean = [Size() for _ in views], nan
    for t, row in enumerate(zip(*views, strict=True)):
        F = np.mean([size.step(view)[0] for size, view in zip(sizes, row, strict=True)])
        mean = F if t == 0 else mean + 2 / 11 * (F - mean)
        assert float(found[t]) == pytest.approx((F + mean) / 2, rel=1e-4, abs=1e-4)
    assert float(found[402]) > 5


def test_a_gap_changes_no_running_mean() -> None:
    _, score = joint.smooth({}, np.array([nan, 4.0, nan, 15.0]))
    np.testing.assert_allclose(score, [nan, 4.0, nan, (15 + 6) / 2])


def test_a_portion_is_its_equation() -> None:
    scores, b, theta = 3 * Chance(3).exponential(3000), 0.01, -inf
    scores[::7] = nan
    _, alert = portion.step({}, scores, b)
    for s, fire in zip(scores.tolist(), alert.tolist(), strict=True):
        if s != s:
            assert not fire
            continue
        theta = max(log(1 / b) - 2, theta)
        assert fire == (s >= theta)
        theta += fire - b
    assert alert.any()


def nats(x: float, past: Floats) -> float:
    """ln 2 + (x - q50) / beta, at least 0."""
    low, high = np.quantile(past, [0.5, 0.9])
    return min(max(log(2) + (x - low) / ((high - low) / log(5)), 0.0), 30.0)


@pytest.mark.parametrize("seed", range(3))
def test_a_session_is_as_strange_as_both_find_it_or_half_its_order(seed: int) -> None:
    chance = Chance(seed)
    past = {name: chance.exponential(200) for name in ("rare", "mass", "order")}
    rare, mass, moved = (5 * chance.exponential(50) for _ in range(3))
    found = sessions.fuse(past, rare, mass, moved)
    for k, F in enumerate(found.tolist()):
        r, s = nats(rare[k], past["rare"]), nats(mass[k], past["mass"])
        o = -log((np.sum(past["order"] >= moved[k] - 0.1) + 1) / 201)
        assert max(sqrt(r * s), o / 2) == pytest.approx(F)
