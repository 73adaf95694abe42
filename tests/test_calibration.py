"""P(p <= a) <= a where nothing is amiss, as far as docs/concepts.md says so, for all that says p.

Runs are independent of one another, samples of a run are not: so the bound is exact (binomial)
where each run is asked once, and over runs (Student's t) where it is asked often. If all that is
stated holds, chance fails one of these tests once in ten thousand seeds.
"""

from math import exp, log

import numpy as np
import pytest
from scipy.stats import binom, t

from amiss.data import Floats
from amiss.decide import rank
from measured import benchmark

calibration = benchmark("calibration")

ALARM = 1e-4
LEVELS = calibration.LEVELS
PAST = 1000
DRAWS = ("heavy-tailed", "bursty", "white", "quantised")


def of_rank(a: float) -> float:
    """What the prior adds to a: the rarest of n + 1 may be 1/.2 times too rare, the next 1/1.2."""
    return a + (19 * a + 0.8) / (PAST + 1)


STATED: dict[str, tuple[float | None, ...]] = {
    **{f"rank, {draw}": tuple(of_rank(a) / a for a in LEVELS[:3]) for draw in DRAWS},
    **{f"series before its third day, {draw}": (1.2, 1.1, 1.7, 11) for draw in DRAWS},
    **{f"series from then on, {draw}": (0.5, 0.7, 1.2, 8) for draw in DRAWS},
    "joint, white": (1, 1, 1),
    "joint, heavy-tailed": (1, 1, 1),
    "events, rows 257 to 1,024": (2.5, 4, 6),
    "lines 2,049 to 6,000": (1, 1, 1),
    "sessions 513 to 2,048": (1.3, 1.5, None),
}
"""P(p <= a) / a at most, for a of .1, .01, .001 and .0001, as docs/concepts.md says."""

RUNS = {"rank": 10_000, "series": 800, "joint": 24, "events": 8, "lines": 12, "sessions": 8}
TESTS = sum(bound is not None for bounds in STATED.values() for bound in bounds)


def beyond(p: Floats, a: float, bound: float) -> bool:
    """Whether p <= a is seen more often than a promise allows, and not by chance."""
    hits, (runs, asked) = np.sum(p <= a, axis=1), p.shape
    if asked == 1:
        return bool(binom.sf(hits.sum() - 1, runs, bound * a) < ALARM / TESTS)
    error = hits.std(ddof=1) / runs**0.5
    return bool(hits.mean() - t.isf(ALARM / TESTS, runs - 1) * error > bound * a * asked)


@pytest.mark.parametrize("name", STATED)
def test_p_keeps_what_is_stated_and_a_smaller_one_would_not(name: str) -> None:
    """Planted: a p of half the size; a smaller one where more than a is stated."""
    ask, _ = calibration.ASKED[name]
    p = ask(7, RUNS[name.split(maxsplit=1)[0].rstrip(",")])
    assert np.isfinite(p).all()
    assert ((p > 0) & (p <= 1)).all()
    stated = [(a, bound) for a, bound in zip(LEVELS, STATED[name], strict=False) if bound]
    assert not [a for a, bound in stated if beyond(p, a, bound)]
    # p of lines is larger than it need be at .2, and so is that of a series whose day is known
    less = 4 if name.startswith(("lines", "series from")) else 2
    assert any(beyond(p / (less * bound), a, bound) for a, bound in stated)


def test_scores_that_repeat_are_as_rare_as_their_place_in_a_bin() -> None:
    """What concepts.md warns of: half of the scores are the same, and p says one in a hundred."""
    edge, coin = 2 ** (1 / 8), np.random.default_rng(1).random((3000, 1)) < 0.5
    _, inverse = rank.step(rank.init(1), np.where(coin, 0.999 * edge, 0.5))
    asked = inverse[-1000:, 0][coin[-1000:, 0]]
    assert np.all(1 / asked < 0.02)


@pytest.mark.parametrize("gap", [0.0, 1.0])
def test_the_bounds_of_a_binomial_see_what_is_just_too_much(gap: float) -> None:
    """As many as allowed is not too many; half as many again, of ten thousand, is."""
    p = np.ones((10_000, 1))
    p[: int(100 * (1 + gap))] = exp(-log(1000))
    assert beyond(p, 0.01, 1.0) == (gap > 0)
