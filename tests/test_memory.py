"""State: kept in step with the series, and saved without code."""

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.data import Frame, State
from amiss.errors import StateError
from amiss.memory import MAGIC, VERSION, align, dump, grow, keep, load, place, rows
from made import Chance


def frame(keys: tuple[str, ...], x: Any) -> Frame:
    values = np.array(x, float).reshape(-1, len(keys), 1)
    return Frame(np.arange(len(values)), keys, ("value",), values)


def test_new_series_come_at_the_end_as_they_are_first_seen() -> None:
    nan = np.nan
    shown = frame(
        ("a", "b", "c", "d", "e"), [[nan, nan, 1, 1, nan], [nan, 1, 1, 1, nan], [1] * 4 + [nan]]
    )
    assert rows((), shown) == ("c", "d", "b", "a")
    assert rows(("d", "x"), shown) == ("d", "x", "c", "b", "a")
    assert rows(shown.keys, shown) == shown.keys


@given(st.integers(0, 10**6), st.integers(0, 8))
def test_rows_are_the_same_however_ticks_are_batched(seed: int, at: int) -> None:
    x = np.where(Chance(seed).uniform(48).reshape(8, 6) < 0.3, 1.0, np.nan)
    shown = frame(tuple("fbdace"), x)
    assert rows(rows((), shown[:at]), shown[at:]) == rows((), shown)


def test_align_and_place() -> None:
    shown = frame(("a", "b"), [[1, 2], [3, 4]])
    found = align(shown, ("b", "x", "a"))
    np.testing.assert_array_equal(found.values[:, :, 0], [[2, np.nan, 1], [4, np.nan, 3]])
    assert align(shown, shown.keys) is shown
    assert place(shown.values, shown.keys, ("b",))[:, :, 0].tolist() == [[2], [4]]


def state(series: int) -> State:
    return {"mean": np.zeros(series), "trees": np.ones(7), "past": np.zeros((series, 3), np.uint8)}


def test_grow_adds_rows_that_are_new_and_leaves_what_is_shared() -> None:
    old = state(2)
    old["mean"][:] = 5.0
    grown = grow(old, state, 4, frozenset({"trees"}))
    assert grown["mean"].tolist() == [5, 5, 0, 0]
    assert grown["past"].shape == (4, 3)
    assert grown["trees"].shape == (7,)
    assert grow(old, state, 2, frozenset({"trees"})) is old
    assert grow({}, state, 3).keys() == old.keys()


def test_what_an_older_version_kept_besides_is_dropped_as_rows_are_added() -> None:
    old = state(2) | {"gone": np.zeros((2, 5))}
    assert grow(old, state, 3, frozenset({"trees"})).keys() == state(3).keys()


def test_keep_by_mask_or_by_number() -> None:
    old = state(3)
    old["mean"][:] = [1, 2, 3]
    shared = frozenset({"trees"})
    assert keep(old, np.array([True, False, True]), shared)["mean"].tolist() == [1, 3]
    assert keep(old, np.array([2, 0]), shared)["mean"].tolist() == [3, 1]
    assert keep(old, np.array([2, 0]), shared)["trees"].shape == (7,)


arrays = st.sampled_from(
    [
        np.arange(5, dtype=np.uint16),
        np.array([[1.5, np.nan], [np.inf, -0.0]], np.float32),
        np.array(['m{host="é/\\"}', ""]),
        np.zeros((0, 3), np.int64),
        np.array(7),
        np.array([True, False]),
    ]
)
columns = st.dictionaries(st.text("abc_", min_size=1, max_size=3), arrays, min_size=1, max_size=3)
names = st.text("abc-./", min_size=1, max_size=5)


@given(st.dictionaries(names, columns, max_size=4))
def test_a_snapshot_brings_back_the_very_same(states: dict[str, State]) -> None:
    again = load(dump(states))
    assert again.keys() == states.keys()
    for name, of in states.items():
        assert again[name].keys() == of.keys()
        for column, array in of.items():
            np.testing.assert_array_equal(again[name][column], array)
            assert again[name][column].dtype == array.dtype


SNAPSHOT = dump({"detector": state(20), "keys": {"keys": np.array(["a", "b"])}})


@settings(max_examples=300)
@given(st.integers(0, len(SNAPSHOT) - 1), st.integers(1, 255))
def test_a_damaged_snapshot_is_a_state_error_or_the_same(at: int, flip: int) -> None:
    """One byte wrong anywhere: said in a sentence, or of no consequence."""
    damaged = bytearray(SNAPSHOT)
    damaged[at] ^= flip
    try:
        found = load(bytes(damaged))
    except StateError as exc:
        assert "\n" not in str(exc)
    else:
        assert dump(found) == SNAPSHOT


@given(st.integers(0, len(SNAPSHOT) - 1))
def test_a_torn_snapshot_is_a_state_error(at: int) -> None:
    missing = "it does not begin as one" if at < len(MAGIC) else "its end is missing"
    with pytest.raises(StateError, match=f"damaged: {missing}"):
        load(SNAPSHOT[:at])


def test_a_snapshot_of_another_version() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, version=np.array(VERSION + 1))
    with pytest.raises(StateError, match=rf"has version {VERSION + 1}; this Amiss reads {VERSION}"):
        load(buffer.getvalue())


def test_what_pickle_would_run_is_not_run() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return (pytest.fail, ("code ran",))

    buffer = io.BytesIO()
    bomb = np.array([Bomb()], dtype=object)
    said = {"version": np.array(VERSION), "contents": np.array(["a/b"])}
    np.savez(buffer, allow_pickle=True, **said, **{"a/b": bomb})
    with pytest.raises(StateError, match="damaged"):
        load(buffer.getvalue())
    with pytest.raises(ValueError, match="pickle"):
        dump({"a": {"b": bomb}})
