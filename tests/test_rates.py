"""Counters into rates, against what a person would work out by hand."""

from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.rates import growth, rates, shares

BITS32 = 2**32
counts = st.integers(0, 2**63 - 1)


@pytest.mark.parametrize(
    ("before", "after", "grown"),
    [
        (100, 350, 250),
        (100, 100, 0),
        (BITS32 - 10, 5, 15),  # 32 bits are full and it begins again
        (BITS32 - 1, 0, 1),
        (BITS32, 7, nan),  # more than 32 bits hold: this one cannot wrap
        (3_000_000_000, 10, nan),  # far from full: it was reset
        (BITS32 - 10, BITS32 - 20, nan),  # near the end, but it would have gone all the way round
        (2**40, 3, nan),
    ],
)
def test_growth_by_hand(before: int, after: int, grown: float) -> None:
    assert growth(before, after) == pytest.approx(grown, nan_ok=True)


@given(counts, st.integers(0, 2**40))
def test_a_counter_that_never_wraps_grows_by_the_difference(start: int, by: int) -> None:
    assert growth(start, start + by) == by


@given(st.integers(0, BITS32 - 1), st.integers(0, BITS32 // 8 - 1))
def test_a_counter_of_32_bits_grows_by_the_difference_too(start: int, by: int) -> None:
    assert growth(start, (start + by) % BITS32) == by


def test_rates_are_per_second() -> None:
    assert rates({"a": 100, "b": 0.5}, {"a": 150, "b": 1.5}, 5.0) == ({"a": 10.0, "b": 0.2}, {})


def test_the_new_have_no_rate_yet_and_the_gone_are_forgotten() -> None:
    assert rates({"gone": 1, "stays": 1}, {"stays": 2, "new": 9}, 1) == ({"stays": 1.0}, {})


def test_what_gives_no_rate_is_counted_with_its_reason() -> None:
    before = {"fine": 1, "reset": 10, "also": 11, "nan": 3, "inf": 4}
    after = {"fine": 2, "reset": 1, "also": 1, "nan": nan, "inf": inf}
    assert rates(before, after, 1) == ({"fine": 1.0}, {"counter reset": 2, "not a number": 2})


@pytest.mark.parametrize("elapsed", [0, -5])
def test_without_time_there_is_no_rate(elapsed: float) -> None:
    assert rates({"a": 1, "b": 1}, {"a": 2, "c": 1}, elapsed) == ({}, {"no time passed": 1})


@given(
    st.dictionaries(st.sampled_from("abcd"), st.floats(width=64) | counts),
    st.dictionaries(st.sampled_from("abcd"), st.floats(width=64) | counts),
    st.floats(1e-3, 1e6),
)
def test_rates_are_never_negative_and_nothing_goes_uncounted(
    before: dict[str, float], after: dict[str, float], elapsed: float
) -> None:
    before = {key: abs(value) for key, value in before.items()}
    after = {key: abs(value) for key, value in after.items()}
    found, lost = rates(before, after, elapsed)
    assert all(value >= 0 for value in found.values())
    assert len(found) + sum(lost.values()) == len(before.keys() & after.keys())


def test_shares_are_percent_of_what_all_grew() -> None:
    before, after = {"user": 10.0, "idle": 100.0}, {"user": 11.0, "idle": 103.0}
    assert shares(before, after) == ({"user": 25.0, "idle": 75.0}, {})


def test_a_mode_that_falls_a_little_did_not_grow() -> None:
    before = {"user": 10.0, "iowait": 5.0, "idle": 100.0}
    after = {"user": 11.0, "iowait": 4.9, "idle": 103.0}
    assert shares(before, after) == ({"user": 25.0, "iowait": 0.0, "idle": 75.0}, {})


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ({}, {"user": 1.0}, {}),
        ({"user": 9.0, "idle": 9.0}, {"user": 1.0, "idle": 1.0}, {"counter reset": 1}),
        ({"user": 9.0}, {"user": 9.0}, {"no time passed": 1}),
        ({"user": 9.0}, {"user": inf}, {"not a number": 1}),
        ({"user": nan}, {"user": 1.0}, {"not a number": 1}),
        ({"user": inf, "idle": 1.0}, {"user": 1.0, "idle": 2.0}, {"not a number": 1}),
    ],
)
def test_no_shares(before: dict[str, float], after: dict[str, float], lost: dict[str, int]) -> None:
    assert shares(before, after) == ({}, lost)


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e6)), min_size=1, max_size=9))
def test_shares_add_up_to_the_whole(modes: list[tuple[float, float]]) -> None:
    before = {str(i): start for i, (start, _) in enumerate(modes)}
    after = {str(i): start + by for i, (start, by) in enumerate(modes)}
    found, _ = shares(before, after)
    assert not found or sum(found.values()) == pytest.approx(100)
    assert all(isfinite(share) and 0 <= share <= 100.000001 for share in found.values())
