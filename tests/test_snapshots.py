"""Metrics as rows that models are fitted on: by name, standardised, and none too many."""

import numpy as np
import pytest

from amiss.data import Floats, Frame
from amiss.detecting import snapshots
from made import Chance

NAMES = ("a", "b", "c")


def frame(x: Floats, names: tuple[str, ...] = NAMES) -> Frame:
    """(T, S, F) snapshots of S systems."""
    keys = tuple(f'host="{s}"' for s in range(x.shape[1]))
    return Frame(np.arange(len(x)), keys, names, x)


def noise(n: int, systems: int = 1) -> Floats:
    return Chance(1).normal(n * systems * 3).reshape(n, systems, 3) * [1.0, 1e6, 1e-6] + [0, 5, 9]


def test_normal_metrics_have_centre_0_and_spread_1_whatever_their_unit() -> None:
    known, rows, which = snapshots.learn(frame(noise(20_000)))
    assert np.abs(rows.mean(axis=0)) == pytest.approx(0.0, abs=0.03)
    assert rows.std(axis=0) == pytest.approx(1.0, abs=0.03)
    assert known["names"].tolist() == ["a", "b", "c"]
    assert which.tolist() == list(range(20_000))


def test_rows_learned_from_are_the_rows_that_are_scored() -> None:
    x = noise(50, systems=2)
    x[::7, 0, 1] = np.nan
    x[10:20, 1] = np.nan
    known, rows, which = snapshots.learn(frame(x))
    again, seen = snapshots.rows_of(known, frame(x))
    np.testing.assert_array_equal(rows, again[which])
    np.testing.assert_array_equal(np.flatnonzero(seen), which)
    assert len(which) == 90
    assert (rows[which % 14 == 0, 1] == 0.0).all()  # what is missing counts as its median


def test_one_huge_value_does_not_hide_the_others() -> None:
    x = noise(1000)
    usual, _, _ = snapshots.learn(frame(x))
    x[500, 0, 0] = 1e150
    known, rows, _ = snapshots.learn(frame(x))
    np.testing.assert_allclose(known["spread"], usual["spread"], rtol=0.01)
    assert rows.max() == snapshots.FAR


def test_a_metric_that_is_nearly_always_the_same() -> None:
    """A counter that is 0 but for one in five hundred has the plain deviation as its unit."""
    x = noise(1000)
    x[:, 0, 0] = np.where(np.arange(1000) % 500 == 0, 4.0, 0.0)
    x[:, 0, 1] = 7e9
    known, rows, _ = snapshots.learn(frame(x))
    assert known["spread"][0] == pytest.approx(np.std(x[:, 0, 0]))
    assert known["spread"][1] == pytest.approx(7.0)
    assert (rows[:, 1] == 0.0).all()


def test_the_metric_that_is_left_out_brings_no_rows() -> None:
    x = noise(30)
    x[10:, 0, :2] = np.nan
    known, rows, which = snapshots.learn(frame(x), without="c")
    assert known["names"].tolist() == ["a", "b"]
    assert which.tolist() == list(range(10))
    assert rows.shape == (10, 2)


@pytest.mark.parametrize("rows", [0, 4])
def test_nothing_at_all(rows: int) -> None:
    known, found, which = snapshots.learn(frame(np.full((rows, 1, 3), np.nan)))
    assert len(known["names"]) == len(known["centre"]) == len(found) == len(which) == 0


def test_blame_goes_to_metrics_by_name() -> None:
    known, rows, _ = snapshots.learn(frame(noise(40)))
    other = frame(noise(40)[:, :, [2, 0, 1]], ("c", "new", "b"))
    blame = snapshots.blame_of(known, rows, other)
    np.testing.assert_array_equal(blame[:, 0, 0], rows[:, 2])
    np.testing.assert_array_equal(blame[:, 0, 2], rows[:, 1])
    assert np.isnan(blame[:, 0, 1]).all()


def test_evenly_in_time() -> None:
    assert snapshots.evenly(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert snapshots.evenly(10, 4).tolist() == [0, 2, 5, 7]
    assert snapshots.evenly(0, 4).tolist() == []
