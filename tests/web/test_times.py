import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.web.times import LATEST, iso, parse_time

SECOND = 10**9
AT = 1_772_892_130 * SECOND


@pytest.mark.parametrize(
    "said",
    [
        "2026-03-07T14:02:10Z",
        "2026-03-07T14:02:10.000Z",
        "2026-03-07T15:02:10+01:00",
        "2026-03-07T15:02:10 01:00",  # a + in an address
        "2026-03-07T14:02:10",
        "2026-03-07 14:02:10",
        "1772892130",
        "1772892130.0",
        1772892130,
        " 1772892130 ",
    ],
)
def test_a_time_is_written_in_many_ways(said: object) -> None:
    assert parse_time(said) == AT


def test_fractions_are_kept() -> None:
    assert parse_time("1772892130.123456789") == AT + 123456789
    assert parse_time("2026-03-07T14:02:10.25Z") == AT + SECOND // 4
    assert parse_time("2026-03-07") == parse_time("2026-03-07T00:00:00Z")


@pytest.mark.parametrize(
    "said",
    ["", "yesterday", "nan", "inf", "-1", "1e30", "9" * 400, "2026-13-01", "0x10", "1960-01-01"],
)
def test_what_is_no_time_is_refused_with_an_example(said: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time; write 2026-03-07T14:02:10.000Z or"):
        parse_time(said)


@given(st.integers(0, LATEST))
def test_what_is_told_can_be_asked_for(ns: int) -> None:
    assert parse_time(iso(ns)) == ns // 10**6 * 10**6
    assert len(iso(ns)) == len("2026-03-07T14:02:10.000Z")
