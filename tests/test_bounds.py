"""The band around what is expected, and how much had been seen, against plain versions."""

from math import isfinite, nan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amiss.decide import bounds
from made import Chance


def plain(m: float, b: float, E: float, V: float) -> tuple[float, float]:
    """From the lower of what is recent and what is usual, less the width, to the higher, and it."""
    near = b
    if E > V:  # no further than V from m
        near = m - V if b < m - V else m + V if b > m + V else b
    return min(m, near) - V, max(m, near) + V


@given(st.integers(0, 10**6))
def test_reads_like_the_equations(seed: int) -> None:
    chance, shape = Chance(seed), (40, 3)
    value, m, b = (chance.normal(120).reshape(shape) for _ in range(3))
    E, V = (chance.exponential(120).reshape(shape) for _ in range(2))
    for some in (value, m, b, V):
        some[chance.uniform(120).reshape(shape) < 0.1] = nan
    already = np.array([0, 7, 90])
    lower, upper, before = bounds.bounds(value, m, b, E, V, already.copy())
    for s in range(3):
        seen = int(already[s])
        rows = zip(*(column[:, s].tolist() for column in (value, m, b, E, V)), strict=True)
        for t, (x, *of) in enumerate(rows):
            wanted = plain(*of) if all(isfinite(one) for one in of) else (nan, nan)
            np.testing.assert_array_equal((lower[t, s], upper[t, s]), wanted)
            assert before[t, s] == seen
            seen += isfinite(x)


def test_the_band_reaches_from_what_is_recent_to_what_is_usual() -> None:
    assert bounds.band(5.0, 5.5, error=0.5, width=1.0) == (4.0, 6.5)
    assert bounds.band(5.0, 90.0, error=0.5, width=1.0) == (4.0, 91.0)  # at this hour it goes up
    assert np.isnan(bounds.band(5.0, nan, error=0.5, width=1.0)).all()


def test_a_level_that_was_left_for_good_is_soon_out_of_the_band() -> None:
    assert bounds.band(5.0, 90.0, error=80.0, width=1.0) == (4.0, 7.0)
    assert bounds.band(5.0, -90.0, error=80.0, width=1.0) == (3.0, 6.0)


@given(*[st.floats(-1e9, 1e9) for _ in range(2)], *[st.floats(0, 1e9) for _ in range(2)])
def test_the_band_is_never_inverted(recent: float, usual: float, error: float, w: float) -> None:
    lower, upper = bounds.band(recent, usual, error, w)
    assert lower <= recent <= upper
