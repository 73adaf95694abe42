"""The codec of the history: what it keeps, how exactly, and in how few bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amiss.data import SECOND
from amiss.errors import StateError
from amiss.store import columns
from amiss.store.chunks import POINTS, Points, decode, empty, encode, encode_all, merge

LARGEST = float(np.finfo(np.float32).max)
START = 1_700_000_000 * SECOND


def hour(n=POINTS, **given_columns):
    """An hour at 5 s; what is not given is NaN."""
    time = START + np.arange(n, dtype=np.int64) * 5 * SECOND
    names = ("value", "score", "expected", "lower", "upper")
    return Points(time, *(np.asarray(given_columns.get(c, np.full(n, np.nan))) for c in names))


@st.composite
def points(draw, numbers=None):
    """Any points, on any clock."""
    n = draw(st.integers(0, 30))
    if numbers is None:
        whole = st.integers(-1000, 1000).map(float)
        numbers = st.one_of(st.floats(), st.floats(-200, 200), whole, st.just(np.nan))
    gaps = draw(arrays(np.int64, n, elements=st.integers(1, 10**15)))
    if n and draw(st.booleans()):
        gaps[:] = gaps[0]
    time = draw(st.integers(-(10**18), 2 * 10**18)) + np.cumsum(gaps)
    return Points(time, *(draw(arrays(np.float64, n, elements=numbers)) for _ in range(5)))


def promised(x):
    """How far a column of the band may be off: the words at the head of chunks.py, as they are."""
    three = np.array([x.expected, x.lower, x.upper])
    three = np.clip(np.where(np.isfinite(three), three, np.nan), -LARGEST, LARGEST)
    widths = [w for w in three[2] - three[1] if w > 0]
    sizes = [size for size in np.abs(three).ravel() if size > 0]
    if not sizes:
        return 0.0
    finest = min(widths) / 512 if widths else min(sizes) / 2**23
    return max(finest, max(sizes) * 1e-12) / 2


@given(points())
def test_comes_back_as_exactly_as_promised(x):
    y = decode(encode(x))
    np.testing.assert_array_equal(y.time, x.time)
    for before, after in zip(x.columns()[1:], y.columns()[1:], strict=True):
        np.testing.assert_array_equal(np.isnan(after), ~np.isfinite(before))
    seen = np.isfinite(x.value)
    single = np.clip(x.value[seen], -LARGEST, LARGEST).astype(np.float32)
    np.testing.assert_array_equal(y.value[seen], single.astype(np.float64))
    seen = np.isfinite(x.score)
    off = np.abs(y.score[seen] - np.clip(x.score[seen], -327, 327))
    assert (off <= 0.005 + 1e-9).all()
    for name in ("expected", "lower", "upper"):
        before, after = getattr(x, name), getattr(y, name)
        seen = np.isfinite(before)
        off = np.abs(after[seen] - np.clip(before[seen], -LARGEST, LARGEST))
        assert (off <= promised(x) * (1 + 1e-9)).all(), name


@given(points(st.floats(1, 1e6)), st.integers(2, 12))
def test_being_written_again_wears_nothing_away(x, times):
    """A chunk that fills up is decoded and encoded at every checkpoint."""
    x = Points(x.time, x.value, x.score, x.expected, x.expected - x.lower, x.expected + x.upper)
    y = z = decode(encode(x))
    for _ in range(times):
        z = decode(encode(z))
    for name in ("time", "value", "score"):
        np.testing.assert_array_equal(getattr(y, name), getattr(z, name))
    for name in ("expected", "lower", "upper"):
        np.testing.assert_allclose(getattr(z, name), getattr(y, name), atol=2 * promised(x))


@given(points(st.floats(-1e6, 1e6)))
def test_a_band_stays_a_band(x):
    """Rounding is to one step for all three, so what was in order stays in order."""
    lower, expected, upper = np.sort([x.lower, x.expected, x.upper], axis=0)
    y = decode(encode(Points(x.time, x.value, x.score, expected, lower, upper)))
    assert (y.lower <= y.expected).all()
    assert (y.expected <= y.upper).all()


@given(st.lists(points(), max_size=8), st.integers(1, 4))
def test_together_as_each_by_itself(chunks, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("amiss.store.chunks.TOGETHER", most)
        assert encode_all(chunks) == [encode(x) for x in chunks]


@given(points())
def test_values_alone(x):
    """For training the bands are not even looked at."""
    whole, values = decode(encode(x)), decode(encode(x), bands=False)
    np.testing.assert_array_equal(values.time, whole.time)
    np.testing.assert_array_equal(values.value, whole.value)
    assert np.isnan(values.upper).all()


@given(points(), st.data())
def test_damage_is_seen(x, data):
    blob = encode(x)
    at = data.draw(st.integers(0, len(blob) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    flipped = blob[:at] + bytes([blob[at] ^ bit]) + blob[at + 1 :]
    for damaged in (blob[:at], flipped):
        with pytest.raises(StateError):
            decode(damaged)


@given(st.lists(points(st.integers(0, 9).map(float)), max_size=4), st.integers(1, 10**16))
def test_merge_is_a_dictionary_that_is_written_in_order(parts, grid):
    parts = [Points(p.time // grid, *p.columns()[1:]) for p in parts]
    naive = {}
    for part in parts:
        naive |= {int(t): v for t, v in zip(part.time, part.value, strict=True)}
    merged = merge(parts)
    np.testing.assert_array_equal(merged.time, sorted(naive))
    np.testing.assert_array_equal(merged.value, [naive[t] for t in sorted(naive)])


def test_what_never_changes_costs_next_to_nothing():
    zeros = np.zeros(POINTS)
    blob = encode(hour(value=zeros + 1234567168.0, score=zeros, expected=zeros + 1234567168.0))
    assert len(blob) < 0.2 * POINTS
    assert len(encode(empty())) < 100


def test_whole_numbers_and_decimals_cost_what_they_change_by():
    """A percentage with one decimal is whole numbers in another guise."""
    walk = np.random.default_rng(1).integers(-2, 3, POINTS).cumsum() + 500
    noise = np.random.default_rng(1).normal(500, 10, POINTS)
    for scale in (1.0, 0.1, 0.01, 0.001):
        assert len(encode(hour(value=walk * scale))) < 0.5 * POINTS
    assert len(encode(hour(value=noise))) > 2.5 * POINTS


def test_a_median_of_the_last_three_costs_nothing():
    """What the default detectors expect can be read off the values."""
    value = np.random.default_rng(2).normal(50, 10, POINTS)
    expected = columns.recent(columns.single(value))
    with_it = encode(hour(value=value, expected=expected))
    other = encode(hour(value=value, expected=np.roll(expected, 7)))
    assert len(with_it) - len(encode(hour(value=value))) < 0.1 * POINTS
    assert len(other) - len(encode(hour(value=value))) > POINTS


def test_a_narrow_band_on_a_large_number_is_not_crushed():
    """A disk of 500 GB that grows by 4 kB: rounding by its size would lose the band."""
    value = 500e9 + 4096.0 * np.arange(POINTS)
    x = hour(value=value, expected=value, lower=value - 65536, upper=value + 65536)
    y = decode(encode(x))
    assert np.abs(y.lower - x.lower).max() <= 131072 / 1024
    assert np.abs(y.upper - x.upper).max() <= 131072 / 1024


def test_a_quiet_band_survives_a_loud_quarter_of_an_hour():
    """Bytes a second from 100 to 10^9 within a chunk: the band before it stays readable."""
    loud = np.arange(POINTS) >= 540
    value = np.where(loud, 1e9, 100.0)
    x = hour(
        value=value,
        expected=value,
        lower=np.where(loud, 0.0, 80.0),
        upper=np.where(loud, 3e9, 120.0),
    )
    y = decode(encode(x))
    np.testing.assert_allclose(y.lower[~loud], 80.0, atol=0.05)
    np.testing.assert_allclose(y.upper[~loud], 120.0, atol=0.05)


def test_another_version_is_named():
    with pytest.raises(StateError, match="version 9"):
        decode(b"\x09" + encode(empty())[1:])
