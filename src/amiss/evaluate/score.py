"""Causal scores, bands and alerts for every row of a table: the step that live takes, on files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Frame, State, Times, series_key
from amiss.decide import budget
from amiss.errors import ConfigError
from amiss.evaluate.answer import HEADER, Verdict, lines_of, writing
from amiss.evaluate.columns import Asked, Notes, Piece
from amiss.evaluate.tables import Table
from amiss.judge import WARM, Opinion, States, judge
from amiss.memory import align, grow
from amiss.settings import default

CELLS = 1 << 16  # samples judged at once: what they need fits a processor's cache
T = TypeVar("T")


@dataclass(slots=True)
class Memory:
    """All that is remembered of some series that share their times."""

    keys: tuple[str, ...] = ()
    states: States = field(default_factory=dict)
    rations: State = field(default_factory=dict)

    def copy(self) -> "Memory":
        """The same, on its own."""
        states = {
            name: {column: array.copy() for column, array in state.items()}
            for name, state in self.states.items()
        }
        return Memory(self.keys, states, {name: a.copy() for name, a in self.rations.items()})


Memories = dict[frozenset[tuple[str, str]], Memory]
"""By the labels that say whose the numbers are; one alone for a table without such."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """How to judge: the detectors for single series, and how many alerts to put up with."""

    a_week: float
    detectors: tuple[Detector, ...] = tuple(
        detector for detector in default().pipelines[0].detectors if not detector.joint
    )

    def judge(self, memory: Memory, piece: Piece, rows: Array, said: Verdict) -> None:
        """Judge some rows of a piece, then learn from them; what is thought goes to `said`."""
        most = max(1, CELLS // len(piece.names))
        for at in range(0, len(rows), most):
            self._judge(memory, piece, rows[at : at + most], said)

    def _judge(self, memory: Memory, piece: Piece, rows: Array, said: Verdict) -> None:
        values, known = piece.values[rows], dict.fromkeys(memory.keys)
        memory.keys = tuple(known | dict.fromkeys(piece.names))
        place_of = {key: s for s, key in enumerate(memory.keys)}
        columns = [place_of[name] for name in piece.names]
        whole = Frame(piece.time[rows], piece.names, ("value",), values[:, :, None])
        frame = align(whole, memory.keys)
        memory.states, opinion = judge(self.detectors, memory.states, frame)
        memory.rations = grow(memory.rations, budget.init, len(memory.keys))
        alert = self._ration(memory, frame.time, opinion)
        said.alert[rows] = alert[:, columns]
        said.score[rows] = opinion.scores.values[:, columns]
        bands = opinion.scores.expected, opinion.scores.lower, opinion.scores.upper
        for shown, band in zip((said.expected, said.lower, said.upper), bands, strict=True):
            if band is not None:
                there = np.isfinite(values) & np.isfinite(band[:, columns, 0])
                shown[rows] = np.where(there, band[:, columns, 0], np.nan)

    def _ration(self, memory: Memory, time: Times, opinion: Opinion) -> Array:
        """The alerts. As live, nobody is told of what has been seen too little.

        But it counts: who is often strange in the beginning is often strange. Only the silence
        after what would have been told ends with the warming up.
        """
        scores, interval, never = opinion.scores.values, opinion.interval, budget.init(1)["last"]
        young = opinion.before < WARM
        if young.any():
            early = np.where(young, scores, np.nan)
            memory.rations, _ = budget.ration(memory.rations, time, early, interval, self.a_week)
            scores = np.where(young, np.nan, scores)
        grown = (opinion.before == WARM).any(axis=0)
        memory.rations["last"] = np.where(grown, never, memory.rations["last"])
        memory.rations, alert = budget.ration(memory.rations, time, scores, interval, self.a_week)
        return alert


@dataclass(slots=True)
class Report:
    """What came of one table."""

    table: str
    out: Path | None
    rows: int = 0
    samples: int = 0  # rows times series
    alerts: int = 0
    series: set[str] = field(default_factory=set)
    notes: Notes = field(default_factory=Notes)


def score(
    tables: Sequence[Table],
    outs: Sequence[Path | None],
    asked: Asked,
    scorer: Scorer,
    history: Table | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Report]:
    """Score each table by itself, starting from the memory after the history.

    `tell` hears about how many bytes were done with. Reading, judging and writing go on side by
    side. Raises ConfigError for what cannot be read or written.
    """
    learned: Memories = {}
    with ThreadPoolExecutor(2) as pool:
        if history is not None:
            for piece in _ahead(pool, history.pieces(asked, Notes(), tell)):
                _learn(scorer, learned, piece)
        for table, out in zip(tables, outs, strict=True):
            report = Report(table.name, out)
            memories = {labels: memory.copy() for labels, memory in learned.items()}
            pieces = _ahead(pool, table.pieces(asked, report.notes, tell))
            with writing(out) as file:
                file.write(f"{','.join(HEADER)}\n".encode())
                written: Future[None] | None = None
                for piece in pieces:
                    said, names, which = _learn(scorer, memories, piece)
                    _count(report, said, names)
                    if written is not None:
                        written.result()
                    written = pool.submit(_write, file, piece.text, names, which, said)
                if written is not None:
                    written.result()
            yield report


def outputs(tables: Sequence[Table], out: str, history: Table | None = None) -> list[Path | None]:
    """Where the scores of each table go: a folder that is made, one file, or `-`.

    Raises ConfigError if two would go to the same file, or one to the table itself.
    """
    if out == "-":
        if len(tables) > 1:
            raise ConfigError("--out -: several inputs need a folder")
        return [None]
    path = Path(out)
    if len(tables) == 1 and path.suffix and not path.is_dir() and not out.endswith("/"):
        found = [path]
    else:
        found = [path / f"{table.stem}.csv" for table in tables]
    for n, (table, one) in enumerate(zip(tables, found, strict=True)):
        if one in found[:n]:
            raise ConfigError(f"{table.name}: another input is to be written to {one} already")
        for read in (table, *([history] if history else [])):
            if one.exists() and Path(read.path).exists() and one.samefile(read.path):
                raise ConfigError(f"{read.name}: scores would be written over it; see --out")
        try:
            one.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ConfigError(f"{one.parent}: cannot be made: {exc.strerror}") from None
    return list(found)


def _learn(scorer: Scorer, memories: Memories, piece: Piece) -> tuple[Verdict, list[str], Array]:
    """Judge each row, then learn from it; also the series there are, and whose each sample is."""
    shape = piece.values.shape
    score, expected, lower, upper = (np.full(shape, np.nan) for _ in range(4))
    alert = np.zeros(shape, np.bool_)
    said = Verdict(piece.values, score, expected, lower, upper, alert)
    names, which = list[str](), np.empty(shape, np.int32)
    for labels, rows in piece.apart():
        memory = memories.setdefault(frozenset(labels.items()), Memory())
        scorer.judge(memory, piece, rows, said)
        which[rows] = len(names) + np.arange(shape[1])
        names += [series_key(name, labels) for name in piece.names]
    return said, names, which


def _write(file: BinaryIO, text: Any, names: Sequence[str], which: Array, said: Verdict) -> None:
    for lines in lines_of(text, names, which, said):
        file.write(lines)


def _count(report: Report, said: Verdict, names: Iterable[str]) -> None:
    report.rows += len(said.value)
    report.samples += said.value.size
    report.alerts += int(said.alert.sum())
    report.series.update(names)


def _ahead(pool: ThreadPoolExecutor, items: Iterator[T]) -> Iterator[T]:
    """The same, the next one being fetched while the last one is worked on."""
    coming = pool.submit(next, items, None)
    while (item := coming.result()) is not None:
        coming = pool.submit(next, items, None)
        yield item
