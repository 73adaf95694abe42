"""The laws of `amiss score` and `amiss.score`: whatever the table, each row comes back judged.

Shapes, holes, magnitudes from 1e-300 to 1e300, infinities, equal and backward times, names and
texts of any characters.
"""

import csv
import io
from collections.abc import Sequence
from contextlib import ExitStack
from math import exp, isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import amiss
from amiss.data import Array, Floats
from amiss.evaluate import answer, joint, log, metrics, sessions, text
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.events import Events
from amiss.evaluate.frames import FIELDS
from amiss.evaluate.joint import Joint
from amiss.evaluate.lines import score_lines
from amiss.evaluate.log import Log
from amiss.evaluate.metrics import Metrics
from amiss.evaluate.score import score
from amiss.evaluate.scorer import Memories, Scorer
from amiss.evaluate.sessions import pattern, score_sessions
from amiss.evaluate.tables import Table
from amiss.memory import dump, load
from made import START, Chance

Columns = dict[str, list[str]]
SCORERS: dict[str, Scorer[Any]] = {
    "metrics": Metrics(7.0),
    "joint": Joint(7.0),
    "events": Events(),
    "events, rationed": Events(0.05),
}
ROWS = (0, 1, 2, 63, 64, 65, 130, 300)
WORST = (
    "",
    "nan",
    "1e-300",
    "-1e300",
    "1e300",
    "1.7e308",
    "-1.7e308",
    "5e-324",
    "1e999",
    "0",
    "-0",
)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name == name.strip() and name != "time"
)


@st.composite
def times(draw: st.DrawFn, rows: int) -> Floats:
    """Unix seconds (rows,): regular, all the same, backward, with jumps of years, or at random."""
    step = draw(st.sampled_from([0.0, 60.0, -60.0, 0.001, 86400.0 * 30]))
    found = START + step * np.arange(rows)
    if draw(st.booleans()):
        found = np.round(found + 4e8 * (Chance(rows).uniform(rows) - 0.5), 3)
    return found


@st.composite
def curve(draw: st.DrawFn, rows: int) -> Floats:
    """Numbers (rows,) of any magnitude, or all the same, with holes and what is worst."""
    size = 10.0 ** draw(st.sampled_from([-300, -160, -30, 0, 9, 140, 160, 300]))
    x = size * Chance(draw(st.integers(0, 10**6))).normal(rows)
    if draw(st.booleans()):
        x = np.full(rows, size)
    x[Chance(rows).uniform(rows) < draw(st.sampled_from([0.0, 0.1, 0.9, 1.0]))] = np.nan
    if rows:
        for at in draw(st.lists(st.integers(0, rows - 1), max_size=6)):
            x[at] = float(draw(st.sampled_from(WORST)) or "nan")
    return x


@st.composite
def tables(draw: st.DrawFn, words: bool = False) -> Columns:
    """A table as text."""
    rows = draw(st.sampled_from(ROWS))
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    table = {"time": [repr(t) for t in draw(times(rows)).tolist()]}
    for name in names:
        x = draw(curve(rows))
        table[name] = ["" if v != v else repr(v).replace("inf", "1e999") for v in x.tolist()]
    if words:
        some = draw(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
        table["word"] = [some[n * n % len(some)] for n in range(rows)]
    return table


def written(columns: Columns, rows: int | None = None) -> bytes:
    said = io.StringIO(newline="")
    writer = csv.writer(said, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(list(zip(*columns.values(), strict=True))[:rows])
    return said.getvalue().encode()


def scored(content: bytes, scorer: Scorer[Any]) -> bytes:
    with TemporaryDirectory() as folder:
        path, out = Path(folder, "a.csv"), Path(folder, "o.csv")
        path.write_bytes(content)
        asked = Asked(None if isinstance(scorer, Events) else "time")
        list(score([Table(str(path))], [out], asked, scorer))
        return out.read_bytes()


def rows_of(said: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(said.decode(), newline="")))


def sound(rows: Sequence[dict[str, str]]) -> None:
    """Scores are numbers or nothing, p are chances, and nothing alerts that has no score."""
    for row in rows:
        assert row["alert"] in ("0", "1")
        if row["score"] == "":
            assert (row["p"], row["alert"]) == ("", "0")
            continue
        s, p = float(row["score"]), float(row["p"])
        assert isfinite(s)
        assert 0 < p <= 1
        assert p == pytest.approx(exp(-max(s, 0.0)), rel=1e-4, abs=1e-12)


def in_small_pieces() -> ExitStack:
    """Until it is closed, all that is read, judged and written at once is little."""
    stack = ExitStack()
    for module, name, size in (
        (text, "BLOCK", 1024),
        (metrics, "BLOCK", 7),
        (metrics, "LEAST", 1),
        (joint, "ROWS", 13),
        (answer, "LINES", 5),
    ):
        stack.enter_context(patch.object(module, name, size))
    return stack


@pytest.mark.parametrize("kind", SCORERS)
@settings(max_examples=12)
@given(data=st.data(), at=st.integers(0, 300))
def test_each_row_comes_back_in_order_and_nothing_is_looked_at_before_its_turn(
    kind: str, data: st.DataObject, at: int
) -> None:
    scorer = SCORERS[kind]
    columns = data.draw(tables(words=kind.startswith("events")))
    content, names = written(columns), [name for name in columns if name != "time"]
    said = scored(content, scorer)
    rows, count = rows_of(said), len(columns["time"])
    sound(rows)
    if kind == "metrics":
        assert [row["series"] for row in rows] == names * count
        assert [row["time"] for row in rows] == np.repeat(columns["time"], len(names)).tolist()
        cells = [columns[name][n] for n in range(count) for name in names]
        for row, cell in zip(rows, cells, strict=True):
            value = float(cell or "nan")
            assert (row["value"] != "") == isfinite(value)
            assert not isfinite(value) or float(row["value"]) == pytest.approx(value, rel=1e-13)
    elif kind == "joint":
        assert [row["time"] for row in rows] == columns["time"]
    else:
        assert [row["row"] for row in rows] == [str(n + 1) for n in range(count)]
    assert said.startswith(scored(written(columns, at), scorer))
    with in_small_pieces():
        assert scored(content, scorer) == said
    with in_small_pieces():
        assert resumed(content, scorer) == said


def resumed(content: bytes, scorer: Scorer[Any]) -> bytes:
    """The same, with the memory written down and read again between the pieces."""
    memories, out = Memories(), [",".join(scorer.header).encode() + b"\n"]
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        path.write_bytes(content)
        asked = Asked(None if isinstance(scorer, Events) else "time")
        for piece in scorer.pieces(Table(str(path)), asked, Notes(), lambda _: None):
            for memory in memories.values():
                known = memory.states
                memory.states = {name: {} for name in known} | load(dump(known))
            out += scorer.learn(memories, piece).lines
    return b"".join(out)


LINES = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.text(max_size=60).map(lambda line: line.encode("utf-8", "replace")),
        st.sampled_from(
            [b"GET /a?id=1 HTTP/1.1", b"user ann logged in", b"x" * 70_000, b"\0", b""]
        ),
    ).map(lambda line: line.replace(b"\n", b"")),
    max_size=40,
)


@settings(max_examples=10)
@given(LINES, st.integers(1, 7), st.sampled_from([61, 4096]))
def test_lines_of_any_bytes(some: list[bytes], times: int, block: int) -> None:
    content = b"".join(line + b"\n" for line in some * times)
    with TemporaryDirectory() as folder:
        path, outs = Path(folder, "a.log"), [Path(folder, "o.csv"), Path(folder, "p.csv")]
        path.write_bytes(content)
        list(score_lines([Log(str(path))], outs[:1]))
        with patch.object(log, "BLOCK", block):
            list(score_lines([Log(str(path))], outs[1:]))
        said, pieces = (out.read_bytes() for out in outs)
    assert said == pieces
    rows = rows_of(said)
    assert [row["line"] for row in rows] == [str(n + 1) for n in range(len(some) * times)]
    sound(rows)


@settings(max_examples=10)
@given(LINES, st.integers(1, 7), st.sampled_from(["(.)", "^(.*)$", "id=([0-9]+)|(.)", "(x*)"]))
def test_sessions_of_any_bytes(some: list[bytes], times: int, name: str) -> None:
    content = b"".join(line + b"\n" for line in some * times)
    with TemporaryDirectory() as folder:
        path, outs = Path(folder, "a.log"), [Path(folder, "o.csv"), Path(folder, "p.csv")]
        path.write_bytes(content)
        list(score_sessions([Log(str(path))], outs[:1], pattern(name)))
        with patch.object(log, "BLOCK", 61), patch.object(sessions, "PART", 1):
            list(score_sessions([Log(str(path))], outs[1:], pattern(name)))
        said, pieces = (out.read_bytes() for out in outs)
    assert said == pieces
    rows = rows_of(said)
    sound(rows)
    assert len({row["session"] for row in rows}) == len(rows)
    assert sum(int(row["lines"]) for row in rows) <= len(some) * times
    last = [int(row["last"]) for row in rows]
    assert last == sorted(last)


def as_arrow(time: Floats, x: Floats) -> pa.Table:
    return pa.table({"time": time} | {str(c): pa.array(x[:, c]) for c in range(x.shape[1])})


FRAMES = {
    "pandas": lambda time, x: as_arrow(time, x).to_pandas(),
    "polars": lambda time, x: pl.DataFrame(as_arrow(time, x)),
    "pyarrow": as_arrow,
}


@pytest.mark.parametrize("library", ["numpy", *FRAMES])
@given(data=st.data(), at=st.integers(0, 300))
def test_frames_of_any_library(library: str, data: st.DataObject, at: int) -> None:
    rows = data.draw(st.sampled_from(ROWS))
    time, width = data.draw(times(rows)), data.draw(st.integers(1, 3))
    x = np.stack([data.draw(curve(rows)) for _ in range(width)], axis=1).reshape(rows, width)
    said = judged(library, time, x)
    assert said.shape == (rows, width)
    there = np.isfinite(said["score"])
    assert not np.isinf(said["score"]).any()
    assert not there[~np.isfinite(x)].any()
    assert np.isnan(said["p"][~there]).all()
    assert ((said["p"][there] > 0) & (said["p"][there] <= 1)).all()
    assert not said["alert"][~there].any()
    cut = judged(library, time[:at], x[:at])
    other = judged("numpy", time, x)
    for name, _ in FIELDS:
        np.testing.assert_array_equal(said[name][:at], cut[name])
        np.testing.assert_array_equal(said[name], other[name])


def judged(library: str, time: Floats, x: Floats) -> Array:
    """As fields (T, C), whatever the library; what was handed in is as it was."""
    if library == "numpy":
        mine, when = np.asfortranarray(x), time.copy()
        mine.flags.writeable = when.flags.writeable = False
        return amiss.score(mine, time=when)
    frame = FRAMES[library](time, x)
    before = pa.table(frame).to_pydict()
    found = pa.table(amiss.score(frame))
    np.testing.assert_equal(pa.table(frame).to_pydict(), before)
    assert found.num_rows == x.size
    names = [str(c) for c in range(x.shape[1])]
    if x.size:
        assert found["series"].to_pylist() == names * len(x)
        assert found["time"].to_pylist() == np.repeat(time, x.shape[1]).tolist()
    said = np.zeros(x.shape, FIELDS)
    for name in said.dtype.names if x.size else ():
        values = found[name].to_pylist()
        said[name] = np.array([np.nan if v is None else v for v in values]).reshape(x.shape)
    return said
