"""How bad: the formula in the docs, and what follows from it."""

from math import log2, log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.decide.severity import ORDER, severity


@given(st.floats(4, 15), st.floats(0, 12), st.integers(1, 500), st.floats(0, 10_000))
def test_reads_like_the_formula(peak: float, bar: float, breadth: int, minutes: float) -> None:
    points = (peak - bar) / 2 + log2(breadth) / 2 + log10(1 + minutes / 5)
    expected = "low" if points < 1.5 else "medium" if points < 3 else "high"
    assert severity(peak, bar, breadth, minutes) == expected


@given(st.floats(4, 15), st.floats(0, 12), st.integers(1, 500), st.floats(0, 10_000))
def test_stranger_broader_and_longer_are_never_less_severe(
    peak: float, bar: float, breadth: int, minutes: float
) -> None:
    level = ORDER[severity(peak, bar, breadth, minutes)]
    assert ORDER[severity(peak + 1, bar, breadth, minutes)] >= level
    assert ORDER[severity(peak, bar, breadth + 1, minutes)] >= level
    assert ORDER[severity(peak, bar, breadth, minutes + 1)] >= level


@pytest.mark.parametrize(
    ("peak", "breadth", "minutes", "level"),
    [
        (6.5, 1, 1, "low"),  # one series just above the bar
        (6.5, 1, 24 * 60, "medium"),  # for a day
        (10, 1, 5, "medium"),
        (10, 10, 30, "high"),  # ten series, four nats above it, for half an hour
        (6.5, 64, 1, "high"),  # everything at once
    ],
)
def test_examples(peak: float, breadth: int, minutes: float, level: str) -> None:
    assert severity(peak, 6.0, breadth, minutes) == level


def test_time_that_went_back_counts_as_none() -> None:
    assert severity(6.5, 6.0, 1, -60.0) == severity(6.5, 6.0, 1, 0.0)
