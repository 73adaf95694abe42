"""`amiss.Stream`: samples as they come, judged as `amiss.score` judges all of them."""

from pathlib import Path

import numpy as np
import pytest

import amiss
from amiss import memory
from amiss.data import Array, Floats
from amiss.errors import ConfigError, StateError
from made import KINDS, START, Chance

ROWS = 2500
FIELDS = ("score", "p", "expected", "lower", "upper", "alert")


@pytest.fixture(scope="module")
def values() -> Floats:
    """A column of each kind, with holes, a spike and what is no measurement."""
    time = START + 300 * np.arange(ROWS)
    x = np.column_stack([KINDS[kind][0](ROWS, time, Chance(7)) for kind in sorted(KINDS)])
    x[90:97] = np.nan
    x[1500:1504, 0] = [np.inf, -np.inf, 1e200, np.nan]
    x[2000] += 1000.0
    return x


def times() -> Floats:
    """Five minutes apart, then one minute, with a gap and a step back."""
    time = START + np.concatenate([300.0 * np.arange(1200), 360_000 + 60.0 * np.arange(1300)])
    time[700:] += 86_400.0
    time[900] = time[899]
    return time


def test_it_says_what_is_said_of_the_whole(values: Floats) -> None:
    time, alerts = times(), 0
    for column in values.T:
        whole = amiss.score(column, time=time, budget="1/day")
        stream = amiss.Stream(budget="1/day")
        said = [stream.observe(*row) for row in zip(time.tolist(), column.tolist(), strict=True)]
        assert said[0]._fields == FIELDS
        for name in FIELDS:
            found = np.array([getattr(opinion, name) for opinion in said])
            np.testing.assert_array_equal(found, whole[name])
        alerts += int(whole["alert"].sum())
    assert alerts > 0


def test_several_series_at_once(values: Floats) -> None:
    time = times()
    whole = amiss.score(values, time=time)
    stream = amiss.Stream(values.shape[1])
    rows: list[Array] = [stream.observe_all(t, row) for t, row in zip(time, values, strict=True)]
    np.testing.assert_array_equal(np.array(rows)["alert"], whole["alert"])
    for name in FIELDS:
        np.testing.assert_array_equal(np.array(rows)[name], whole[name])


def test_it_goes_on_where_it_was(values: Floats, tmp_path: Path) -> None:
    rows = list(zip(times().tolist(), values[:, 0].tolist(), strict=True))
    never = amiss.Stream()
    for row in rows[:1000]:
        never.observe(*row)
    (tmp_path / "stream.npz").write_bytes(never.dump())
    again = amiss.Stream.load((tmp_path / "stream.npz").read_bytes())
    for row in rows[1000:]:
        np.testing.assert_array_equal(again.observe(*row), never.observe(*row))
    assert again.dump() == never.dump()


def test_a_missing_sample_is_no_sample() -> None:
    stream = amiss.Stream()
    for k in range(300):
        stream.observe(START + 60 * k, float(k % 7))
    before = stream.dump()
    assert not np.isfinite(stream.observe(START + 60 * 300, np.nan)[:5]).any()
    assert stream.dump() == before


def test_memory_that_is_of_another_is_refused() -> None:
    for snapshot in (b"", amiss.Stream().dump()[:-50], memory.dump({"ration": {}})):
        with pytest.raises(StateError):
            amiss.Stream.load(snapshot)


@pytest.mark.parametrize("time", [np.nan, np.inf, 1e10, -1e10])
def test_a_time_that_is_none_is_refused_and_nothing_learned(time: float) -> None:
    stream = amiss.Stream()
    before = stream.dump()
    with pytest.raises(ValueError, match="is not between the years 1678 and 2261"):
        stream.observe(time, 1.0)
    assert stream.dump() == before


def test_mistakes_are_said_in_words() -> None:
    with pytest.raises(ConfigError, match="budget: 'often' is not a rate"):
        amiss.Stream(budget="often")
    with pytest.raises(ConfigError, match="series: at least one is wanted, not 0"):
        amiss.Stream(0)
    with pytest.raises(ValueError, match="there are 2 series: call observe_all"):
        amiss.Stream(2).observe(START, 1.0)
    with pytest.raises(ValueError, match=r"2 values are wanted, not shape \(3,\)"):
        amiss.Stream(2).observe_all(START, np.zeros(3))
