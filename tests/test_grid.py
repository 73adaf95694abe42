"""Records into ticks of equal length, against what a person would work out by hand."""

from collections import defaultdict
from math import inf, isfinite, nan
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from amiss.data import HOUR, MINUTE, SECOND, Frame, Records, State
from amiss.features.grid import Grid, keys_of

NOON = 1_772_452_800 * SECOND  # a whole multiple of every interval here

Row = tuple[float, str, float]


def records(rows: list[Row], watermark: float | None = None) -> Records:
    """(seconds after noon, name, value); the watermark in seconds after noon too."""
    return Records(
        np.array([NOON + round(t * SECOND) for t, _, _ in rows], np.int64),
        np.array([name for _, name, _ in rows], "U9"),
        np.array([value for _, _, value in rows], float),
        watermark=None if watermark is None else NOON + round(watermark * SECOND),
    )


def cells(frame: Frame) -> dict[tuple[float, str], float]:
    """{(seconds after noon, key): value}, without the NaN."""
    return {
        ((t - NOON) / SECOND, key): v
        for t, row in zip(frame.time.tolist(), frame.values[:, :, 0].tolist(), strict=True)
        for key, v in zip(frame.keys, row, strict=True)
        if isfinite(v)
    }


def step(
    state: State, rows: list[Row], watermark: float | None = None, **said: str
) -> tuple[State, dict]:
    grid = Grid.model_validate({"every": "5s"} | said)
    state, frame = grid.step(state or grid.init(), records(rows, watermark))
    return state, cells(frame)


moments = st.tuples(
    st.integers(0, 300).map(lambda t: t / 10),
    st.sampled_from(["a", "b", "c"]),
    st.floats(-1e6, 1e6) | st.sampled_from([nan, inf]),
)


@given(st.lists(moments, max_size=40))
def test_means_of_ticks_by_hand(rows: list[Row]) -> None:
    """(t - every, t] is called t."""
    ticks = defaultdict(list)
    for t, name, value in rows:
        if isfinite(value):
            ticks[(5 * np.ceil(t / 5), name)].append(value)
    _, found = step({}, rows, watermark=30)
    expected = {at: fmean(values) for at, values in ticks.items() if at[0] <= 30}
    assert found == pytest.approx(expected)


def test_a_tick_leaves_with_the_watermark() -> None:
    state, found = step({}, [(1, "a", 1), (5, "a", 3), (6, "a", 9)], watermark=5)
    assert found == {(5, "a"): 2}
    state, found = step(state, [], watermark=9.9)
    assert found == {}
    state, found = step(state, [(10, "a", 11)], watermark=10)
    assert found == {(10, "a"): 10}


def test_without_a_promise_a_tick_leaves_once_a_later_one_begins() -> None:
    state, found = step({}, [(1, "a", 1), (5, "a", 3)])
    assert found == {}
    state, found = step(state, [(5.1, "a", 9)])
    assert found == {(5, "a"): 2}


def test_how_long_to_wait_for_the_late() -> None:
    """`late` after the end of a tick, to the nanosecond."""
    state, found = step({}, [(1, "a", 1), (12, "b", 5)], late="7s")
    assert found == {}
    state, found = step(state, [(4, "a", 3)], late="7s")
    state, found = step(state, [(12.1, "b", 5)], late="7s")
    assert found == {(5, "a"): 2}
    state, found = step(state, [(4, "a", 9)], late="7s")
    assert found == {}
    assert state["late"].tolist() == [1]


def test_what_comes_too_late_is_counted() -> None:
    state, _ = step({}, [(1, "a", 1)], watermark=10)
    state, found = step(state, [(3, "a", 1), (10, "b", 2), (11, "a", 7)], watermark=15)
    assert found == {(15, "a"): 7}
    assert state["late"].tolist() == [2]


def test_text_is_no_number() -> None:
    rows = records([(1, "cpu", 1), (2, "top", 97)], watermark=5)
    said = Records(rows.time, rows.name, rows.value, {}, np.array(["", "stress"]), rows.watermark)
    _, frame = Grid().step(Grid().init(), said)
    assert cells(frame) == {(5, "cpu"): 1}


def test_enormous_numbers_are_no_measurement() -> None:
    _, found = step({}, [(1, "a", 1.7e308), (2, "a", 1.7e308), (3, "a", 4), (4, "b", -1e200)], 5)
    assert found == {(5, "a"): 4}


class TestClockSetBack:
    """The grid begins anew where the clock now stands."""

    @pytest.mark.parametrize("watermark", [True, False])
    @pytest.mark.parametrize("back", [HOUR, 26 * HOUR])
    def test_far(self, watermark: bool, back: int) -> None:
        seconds = back / SECOND
        state, _ = step({}, [(t, "a", 1) for t in range(100)], 99 if watermark else None)
        assert len(state["time"])  # a tick is open, of a time that is to come again
        rows = [(100 - seconds + t, "a", 2.0) for t in range(11)]
        state, found = step(state, rows, rows[-1][0] if watermark else None)
        assert set(found.values()) == {2.0}
        assert min(at for at, _ in found) == 100 - seconds
        assert 0 < int(state["late"][0]) <= 5  # of the tick that was open

    def test_a_little(self) -> None:
        """Where the source promises, its promise tells; else the records may just be late."""
        state, _ = step({}, [(t, "a", 1) for t in range(100)], 99)
        state, found = step(state, [(t, "a", 2) for t in range(41, 61)], 60)
        assert found == {(45, "a"): 2, (50, "a"): 2, (55, "a"): 2, (60, "a"): 2}
        state, _ = step({}, [(t, "a", 1) for t in range(100)])
        state, found = step(state, [(t, "a", 2) for t in range(41, 61)])
        assert found == {}
        assert state["late"].tolist() == [20]

    def test_one_record_from_the_far_future_stops_nothing_for_long(self) -> None:
        state, _ = step({}, [(1, "a", 1), (10**8, "a", 1)])
        state, _ = step(state, [(6, "a", 2), (11, "a", 2), (16, "a", 2)])
        state, found = step(state, [(21, "a", 2)])
        assert found == {(20, "a"): 2}


def test_keys_carry_the_labels_that_are_there() -> None:
    rows = Records(
        np.zeros(3, np.int64),
        np.array(["cpu", "cpu", "disk"]),
        np.ones(3),
        {"mount": np.array(["", "", "/"]), "host": np.array(["a", 'b"', "a"])},
    )
    keys, which = keys_of(rows)
    assert keys[which].tolist() == [
        'cpu{host="a"}',
        'cpu{host="b\\""}',
        'disk{host="a",mount="/"}',
    ]


def test_nothing_comes_of_nothing() -> None:
    state, found = step({}, [])
    state, found = step(state, [], watermark=50)
    assert found == {}
    _, found = step(state, [(49, "a", 1), (51, "a", 2)], watermark=55)
    assert found == {(55, "a"): 2}


def test_settings() -> None:
    assert Grid.model_validate({"every": "1m"}).every == MINUTE
    with pytest.raises(ValidationError, match="greater than 0"):
        Grid.model_validate({"every": "0s"})


def test_what_only_grows_becomes_its_growth_a_second() -> None:
    rows = [(5, "n_total", 100), (5, "g", 100), (10, "n_total", 150), (10, "g", 150)]
    state, found = step({}, rows, 10)
    assert found == {(5, "g"): 100, (10, "g"): 150, (10, "n_total"): 10}
    state, found = step(state, [(20, "n_total", 170)], 20)  # over the tick that had none
    assert found == {(20, "n_total"): 2}
    state, found = step(state, [(25, "n_total", 3)], 25)
    assert found == {}
    state, found = step(state, [(27, "n_total", 13), (29, "n_total", 23)], 30)
    assert found == {(30, "n_total"): 5}  # by the mean time of its readings, 28


def test_other_names_can_be_said_to_grow() -> None:
    rows = [(5, "n_count", 1), (10, "n_count", 11), (5, "n_total", 1), (10, "n_total", 11)]
    _, found = step({}, rows, 10, counters=["n_c*"])
    assert found == {(10, "n_count"): 2, (5, "n_total"): 1, (10, "n_total"): 11}


def test_a_counter_that_was_away_for_long_begins_anew() -> None:
    state, _ = step({}, [(5, "n_total", 1)], 5)
    _, found = step(state, [(4000, "n_total", 2), (4005, "n_total", 7)], 4005)
    assert found == {(4005, "n_total"): 1}
    state, _ = step(state, [(4000, "m_total", 2)], 4000)
    assert state["counter"].tolist() == ["m_total"]


def test_a_counter_is_forgotten_though_no_other_comes() -> None:
    rows = [(5, "n_total", 1), (4000, "g", 1)]
    whole, _ = step({}, rows, 4000)
    state, _ = step({}, rows[:1], 5)
    state, _ = step(state, rows[1:], 4000)
    assert state["counter"].tolist() == whole["counter"].tolist() == []


def test_memory_that_knows_no_counters_goes_on() -> None:
    state, _ = step({}, [(5, "n", 1), (7, "n", 3)], 5)
    old = {name: of for name, of in state.items() if name not in ("counter", "counted", "when")}
    _, found = step(old, [(8, "n", 5)], 10)
    assert found == {(10, "n"): 4}


readings = st.lists(
    st.tuples(st.integers(0, 300), st.sampled_from(["a_total", "b_total"]), st.integers(0, 99)),
    max_size=40,
)


@given(readings, st.integers(0, 300))
def test_growth_is_the_same_in_one_piece_and_in_two(rows: list[Row], cut: int) -> None:
    whole, found = step({}, rows, 305)
    state, first = step({}, [row for row in rows if row[0] <= cut], cut)
    state, second = step(state, [row for row in rows if row[0] > cut], 305)
    assert first | second == found
    assert whole["counter"].tolist() == state["counter"].tolist()
    assert whole["when"].tolist() == state["when"].tolist()


def test_a_batch_of_nothing_that_promises_nothing_changes_nothing() -> None:
    """The memory is tried by one at each start."""
    state, found = step({}, [(5, "a", 1), (12, "a", 2), (17, "a", 3)], 6)
    assert found == {(5, "a"): 1}
    state, found = step(state, [])
    assert found == {}
    state, found = step(state, [], 20)
    assert found == {(15, "a"): 2, (20, "a"): 3}
