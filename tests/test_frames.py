"""`amiss.score`: frames in memory, whatever library they are of, as the command scores files."""

import csv
import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import amiss
from amiss.errors import ConfigError
from amiss.evaluate.columns import Asked
from amiss.evaluate.metrics import Metrics
from amiss.evaluate.score import score
from amiss.evaluate.tables import Table
from made import START, series

ROWS = 1200
FIELDS = ("score", "p", "expected", "lower", "upper", "alert")


@pytest.fixture(scope="module")
def columns() -> dict[str, Any]:
    """Two series of two hosts, with holes."""
    x = np.column_stack([series(kind)[1][:ROWS] for kind in ("seasonal", "bursty")])
    x[100:103, 0] = np.nan
    x[900, 1] += 1000
    time = START + 300 * np.arange(ROWS)
    return {"time": time, "a": x[:, 0], "b": x[:, 1], "host": ["x", "y"] * (ROWS // 2)}


def as_arrow(columns: dict[str, Any]) -> pa.Table:
    return pa.table({k: pa.array(v, from_pandas=True) for k, v in columns.items()})


KINDS = {
    "pandas": pd.DataFrame,
    "polars": lambda columns: pl.DataFrame(columns, nan_to_null=True),
    "pyarrow": as_arrow,
}


def of_command(columns: dict[str, Any], folder: Path, by: tuple[str, ...] = ()) -> list[dict]:
    """The same by way of files."""
    said = {k: v for k, v in columns.items() if k != "host" or by}
    rows = zip(*(np.asarray(column).tolist() for column in said.values()), strict=True)
    text = [",".join("" if v != v else str(v) for v in row) for row in rows]
    (folder / "a.csv").write_text("\n".join([",".join(said), *text]) + "\n")
    list(score([Table(str(folder / "a.csv"))], [folder / "o.csv"], Asked(by=by), Metrics(1.0)))
    return list(csv.DictReader(io.StringIO((folder / "o.csv").read_text())))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", [(), ("host",)])
def test_a_table_gives_a_table_that_says_what_the_command_says(
    kind: str, by: tuple[str, ...], columns: dict[str, Any], tmp_path: Path
) -> None:
    frame = KINDS[kind](columns)
    found = amiss.score(frame, by=by)
    assert type(found) is type(frame)
    wanted = of_command(columns, tmp_path, by)
    rows = pa.table(found).to_pylist()
    assert len(rows) == len(wanted) == 2 * ROWS
    assert {row["series"] for row in rows} == {row["series"] for row in wanted}
    for row, other in zip(rows, wanted, strict=True):
        assert (str(row["time"]), row["series"]) == (other["time"], other["series"])
        assert row["alert"] == (other["alert"] == "1")
        for name in ("value", "score", "expected", "upper"):
            number = float(other[name]) if other[name] else None
            assert row[name] == (None if number is None else pytest.approx(number, rel=1e-5))
        if by:
            assert f'host="{row["host"]}"' in row["series"]


def test_an_array_gives_fields_of_its_shape(columns: dict[str, Any], tmp_path: Path) -> None:
    x = np.column_stack([columns["a"], columns["b"]])
    found = amiss.score(x, time=columns["time"])
    assert found.shape == x.shape
    assert found.dtype.names == FIELDS
    wanted = of_command(columns, tmp_path)
    said = [float(row["score"] or "nan") for row in wanted if row["series"] == "b"]
    np.testing.assert_allclose(found["score"][:, 1], said, rtol=1e-5)
    alone = amiss.score(x[:, 1], time=columns["time"].astype("M8[s]"))
    assert alone.shape == (ROWS,)
    np.testing.assert_array_equal(alone["score"], found["score"][:, 1])
    assert np.isnan(found["score"][100:103, 0]).all()
    assert found["score"][900, 1] == np.nanmax(found["score"][:, 1])


def test_rows_without_times_are_five_minutes_apart(columns: dict[str, Any]) -> None:
    fallen = amiss.score(columns["b"])
    timed = amiss.score(columns["b"], time=300 * np.arange(ROWS))
    for name in FIELDS:
        np.testing.assert_array_equal(fallen[name], timed[name])


@pytest.mark.parametrize("name", ["time", None])
def test_the_index_of_pandas_is_a_time(columns: dict[str, Any], name: str | None) -> None:
    begin = datetime.fromtimestamp(START, UTC)
    times = pd.Index([begin + timedelta(seconds=300 * n) for n in range(ROWS)], name=name)
    found = amiss.score(pd.DataFrame({"b": columns["b"]}, index=times))
    assert found["time"].iloc[0] == begin
    np.testing.assert_allclose(
        found["score"], amiss.score(columns["b"], time=columns["time"])["score"]
    )


def test_history_is_learned_and_not_reported(columns: dict[str, Any]) -> None:
    frame = pd.DataFrame(columns).drop(columns="host")
    whole = amiss.score(frame)
    later = amiss.score(frame[700:], history=frame[:700])
    np.testing.assert_array_equal(later["score"], whole["score"][1400:])


@pytest.mark.parametrize("by", [(), ("host",)])
def test_threads_change_nothing(by: tuple[str, ...], columns: dict[str, Any], monkeypatch) -> None:
    monkeypatch.setattr("amiss.steps.judge.BLOCK", 100)
    frame = pd.DataFrame(columns)
    alone = amiss.score(frame, by=by, threads=1)
    pd.testing.assert_frame_equal(amiss.score(frame, by=by, threads=3), alone, check_exact=True)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_nothing_gives_nothing(shape: tuple[int, ...]) -> None:
    found = amiss.score(np.zeros(shape))
    assert found.shape == shape
    assert found.dtype.names == FIELDS


def test_what_is_masked_is_missing() -> None:
    x = np.ma.masked_greater(np.arange(9.0), 5.0)
    np.testing.assert_array_equal(np.isnan(amiss.score(x)["score"]), x.mask)


def test_categories_of_polars_say_whose_the_numbers_are() -> None:
    hosts = pl.Series(["a", "b", None], dtype=pl.Categorical)
    found = amiss.score(pl.DataFrame({"time": [1, 2, 3], "x": [1.0] * 3, "h": hosts}), by=("h",))
    assert found["series"].to_list() == ['x{h="a"}', 'x{h="b"}', "x"]


def test_no_library_is_imported_that_was_not_handed_in() -> None:
    code = (
        "import sys, numpy, amiss; amiss.score(numpy.arange(50.0));"
        "print(*sorted({'pandas', 'polars', 'sklearn', 'scipy', 'streamlit'} & {*sys.modules}))"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    assert said == b"\n"


@pytest.mark.parametrize(
    ("frame", "asked", "said"),
    [
        ("x", {}, "a table of pandas, polars or pyarrow or a numpy array is wanted, not str"),
        (np.array(["a"]), {}, r"numbers \(T,\) or \(T, C\) are wanted, not <U1 of shape \(1,\)"),
        (np.ones((2, 2, 2)), {}, r"not float64 of shape \(2, 2, 2\)"),
        (np.ones(3), {"time": [1, 2]}, "3 times are wanted, one for each row"),
        (np.ones(3), {"by": ("host",)}, "an array has no columns"),
        (np.ones(3), {"budget": "many"}, "budget: 'many' is not a rate"),
        (np.ones(3), {"budget": "0/day"}, "budget: '0/day' is not above 0"),
        (pd.DataFrame({"x": [1.0]}), {}, "there is no column 'time'"),
        (pd.DataFrame({"time": ["soon"], "x": [1.0]}), {}, "row 1: the time 'soon' is neither"),
        (np.ones(2), {"time": [1, np.nan]}, "row 2: the time is empty"),
        (np.ones(2), {"time": np.array(["2026", "NaT"], "M8[D]")}, "row 2: the time is empty"),
        (np.ones(2), {"time": [1, np.inf]}, "row 2: the time inf is not between"),
        (np.ones(2), {"time": [1, 2**62]}, r"row 2: the time 4.6\d+e\+18 is not between"),
        (np.ones(2), {"time": np.array(["2026", "9026"], "M8[s]")}, "times that are not between"),
        (np.ones(2), {"time": ["soon", "later"]}, "seconds or datetime64 are wanted, not <U5"),
        (
            pa.table({"time": pa.array([2**60], pa.timestamp("ms")), "x": [1.0]}),
            {},
            "'time' has times that are not between the years 1678 and 2261",
        ),
        (
            pa.table({"time": pa.array([1], pa.duration("s")), "x": [1.0]}),
            {},
            r"'time' is no time, but duration\[s\]",
        ),
        (
            pa.table({"time": [1], "x": [1.0], "h": [[1]]}),
            {"by": ("h",)},
            "'h' is of type list<item: int64>, which cannot be read as text",
        ),
        (pd.DataFrame({"time": [1], "x": [2**70]}), {}, "a table of pandas, polars or pyarrow"),
        (pd.DataFrame({"time": [1], "x": [1j]}), {}, "a table of pandas, polars or pyarrow"),
        ({"time": [1], "x": [1.0]}, {}, "a table of pandas, polars or pyarrow .*, not dict"),
        (np.ones(3), {"budget": 5}, "budget: '5' is not above 0"),
    ],
)
def test_a_mistake_is_said_in_words(frame: Any, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        amiss.score(frame, **asked)


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="'amiss' has no attribute 'scores'"):
        _ = amiss.scores
