"""Silence after an incident and the price of the next one, against a plain version."""

from math import exp, nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amiss.data import DAY, HOUR, MINUTE, Member
from amiss.decide import told
from amiss.decide.opened import Opened, Told

BAR = 5.0
NOW = 1_772_452_800 * 10**9


def over(score: float) -> Opened:
    """An incident with one member."""
    member = Member("a", NOW, NOW, score, nan, nan, nan, nan)
    return Opened("1", NOW, NOW, BAR, 60.0, 9.0, NOW, members={"a": member})


@given(
    st.lists(
        st.tuples(
            st.sampled_from([MINUTE, HOUR, HOUR + 1, DAY, 40 * DAY]),
            st.integers(6, 24).map(lambda halves: halves / 2),
            st.sampled_from([0, 10 * MINUTE, DAY]),
        ),
        max_size=30,
    )
)
@example([(DAY, 6.0, 0), (MINUTE, 7.5, 0), (MINUTE, 8.0, 0), (HOUR + 1, 6.5, DAY), (HOUR, 7.0, 0)])
def test_reads_like_the_equations(seen: list[tuple[int, float, int]]) -> None:
    """One series, strange again and again: how long after the last time, how much, for how long."""
    memory = dict[str, Told]()
    now, at, last, price = NOW, -(10**19), 0.0, 0.0
    for gap, s, lasts in seen:
        now += gap
        dear = price * exp(-(now - at) / (14 * DAY))
        opens = s >= BAR + dear and (now - at > HOUR or s >= last + 2)
        assert told.may_open(memory.get("a"), now, s, BAR, HOUR) == opens
        if opens:
            told.pay(memory, "a", now, s)
            price, now = dear + 1, now + lasts
            price *= exp(-lasts / (14 * DAY))
            told.quieten(memory, over(s), now, HOUR)
            at, last = now, s
            assert told.price(memory["a"], now) == pytest.approx(price)
