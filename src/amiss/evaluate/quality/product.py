"""Amiss itself under test: inputs go in as tables and logs, as with `amiss score`.

The same code reads, judges and writes; only the process is ours. What was written is read back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

import numpy as np
import pyarrow as pa
from pyarrow import csv

from amiss.data import Array, Floats
from amiss.evaluate import arrow
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.events import Events
from amiss.evaluate.joint import Joint
from amiss.evaluate.lines import score_lines
from amiss.evaluate.log import Log
from amiss.evaluate.metrics import Metrics
from amiss.evaluate.quality.inputs import Curve, Host
from amiss.evaluate.quality.said import Cost, Said
from amiss.evaluate.score import score
from amiss.evaluate.scorer import Memories, P, Scorer, Told, a_week
from amiss.evaluate.sessions import pattern, score_sessions
from amiss.evaluate.tables import Table
from amiss.evaluate.templates import write_templates

BEGIN = 1_577_836_800  # 1 January 2020: hosts carry no times
NUMBERS = ("score", "lower", "upper")


@dataclass(frozen=True, slots=True)
class Weighed(Generic[P]):
    """A scorer, and the bytes that it remembers of a series or system at most."""

    scorer: Scorer[P]
    cost: Cost

    @property
    def header(self) -> tuple[str, ...]:
        """Its own."""
        return self.scorer.header

    def pieces(
        self, table: Table, asked: Asked, notes: Notes, tell: Callable[[int], None]
    ) -> Iterator[P]:
        """Its own."""
        return self.scorer.pieces(table, asked, notes, tell)

    def learn(self, memories: Memories, piece: P, past: bool = False) -> Told:
        """Its own; then what is remembered is weighed."""
        told = self.scorer.learn(memories, piece, past)
        for memory in memories.values():
            arrays = (array for state in memory.states.values() for array in state.values())
            held = sum(array.nbytes for array in arrays)
            series = len(memory.keys) if isinstance(self.scorer, Metrics) else 1
            self.cost.state_bytes = max(self.cost.state_bytes or 0, round(held / max(series, 1)))
        return told

    def settle(self, memories: Memories) -> None:
        """Its own."""
        self.scorer.settle(memories)


def curve(it: Curve, place: Path, cost: Cost, budget: str = "1/week") -> Said:
    """Each sample of a curve by itself."""
    source = _write(place / "curve.csv", {"time": it.time, "value": it.value})
    scorer = Metrics(a_week(budget, "budget"))
    return _scored(source, Asked(), Weighed(scorer, cost))


def host(it: Host, every: int, place: Path, cost: Cost, budget: str = "1/day") -> Said:
    """The test part of a host as one system, after its training part; rows `every` seconds."""
    past, now = (place / name for name in ("past.csv", "host.csv"))
    rows = len(it.train)
    times = BEGIN + every * np.arange(rows + len(it.test))
    names = metrics_of(it)
    _write(past, {"time": times[:rows], **dict(zip(names, it.train.T, strict=True))})
    _write(now, {"time": times[rows:], **dict(zip(names, it.test.T, strict=True))})
    return _scored(now, Asked(), Weighed(Joint(a_week(budget, "budget")), cost), past)


def bands(it: Host, every: int, place: Path) -> tuple[Floats, Floats, Floats]:
    """Value, lower and upper (T, F) of each metric of the test part by itself, after the other.

    From the tables that `host` left in that place.
    """
    scorer, memories, found = Metrics(a_week("1/week", "budget")), Memories(), []
    for name in ("past.csv", "host.csv"):
        found = [
            scorer.judge(memories, piece)[0]
            for piece in Table(str(place / name)).pieces(Asked(), Notes())
        ]
    value, lower, upper = (
        np.concatenate([getattr(said, which) for said in found])
        for which in ("value", "lower", "upper")
    )
    return value, lower, upper


def metrics_of(it: Host) -> list[str]:
    """What the metrics of a host are called in its table."""
    return [f"metric{n + 1:02d}" for n in range(it.test.shape[1])]


def rows(tables: Sequence[Path], history: Path, cost: Cost) -> Iterator[Said]:
    """Each row of tables as an event, after a history."""
    for table in tables:
        yield _scored(table, Asked(None), Weighed(Events(), cost), history)


def lines(logs: Sequence[Path], history: Path) -> Iterator[Said]:
    """Each line of logs, after a history."""
    for log in logs:
        out = log.with_suffix(".said")
        list(score_lines([Log(str(log))], [out], Log(str(history))))
        yield _said(out)


def sessions(log: Path, history: Path, named: str) -> tuple[list[str], Said]:
    """The sessions of a log by name, in the order of their last lines, after a history."""
    out = log.with_suffix(".said")
    list(score_sessions([Log(str(log))], [out], pattern(named), Log(str(history))))
    names = _read(out)["session"].to_pylist()
    return names, _said(out)


def templates(log: Path) -> list[str]:
    """The template of each line of a log."""
    out = log.with_suffix(".said")
    write_templates(Log(str(log)), out)
    found: list[str] = _read(out)["template_id"].to_pylist()
    return found


def write_text(path: Path, texts: Sequence[str]) -> Path:
    """Lines of a log."""
    path.write_bytes("".join(f"{text}\n" for text in texts).encode())
    return path


def _scored(source: Path, asked: Asked, scorer: Weighed[P], history: Path | None = None) -> Said:
    out = source.with_suffix(".said")
    past = None if history is None else Table(str(history))
    list(score([Table(str(source))], [out], asked, scorer, past))
    return _said(out)


def _said(out: Path) -> Said:
    table = _read(out)
    out.unlink()
    there = table.column_names
    number = {name: arrow.floats(table[name].combine_chunks()) for name in NUMBERS if name in there}
    blame = table["blame"].to_pylist() if "blame" in there else []
    return Said(
        number["score"],
        arrow.ints(table["alert"].combine_chunks()) != 0,
        number.get("lower"),
        number.get("upper"),
        tuple(tuple(text.split(";")) if text else () for text in blame),
    )


def _read(out: Path) -> Any:
    texts = dict.fromkeys(("session", "template_id", "template", "blame", "series"), pa.string())
    kinds = texts | dict.fromkeys(NUMBERS, pa.float64()) | {"alert": pa.int64()}
    options = csv.ConvertOptions(column_types=kinds, strings_can_be_null=False)
    parse = csv.ParseOptions(newlines_in_values=True)
    return csv.read_csv(out, parse_options=parse, convert_options=options)


def _write(path: Path, columns: Mapping[str, Array]) -> Path:
    arrays = [_array(np.ascontiguousarray(values)) for values in columns.values()]
    csv.write_csv(pa.Table.from_arrays(arrays, names=list(columns)), path)
    return path


def _array(values: Array) -> Any:
    """Numbers for Arrow, NaN as null: each is written with as few digits as tell it apart."""
    kind = pa.from_numpy_dtype(values.dtype)
    there = pa.py_buffer(np.packbits(~np.isnan(values), bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [there, pa.py_buffer(values)])
