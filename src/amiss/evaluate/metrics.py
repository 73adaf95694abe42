"""Each numeric column of a table by itself: the step that live takes, on files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Frame, series_key
from amiss.evaluate.answer import HEADER, Verdict, lines_of
from amiss.evaluate.columns import Asked, Notes, Piece
from amiss.evaluate.scorer import Memories, Memory, Told, alerts
from amiss.evaluate.tables import Table
from amiss.memory import align
from amiss.settings import default
from amiss.steps.judge import BLOCK, Each, judge
from amiss.threads import each
from amiss.zones import local

LEAST = 8  # rows judged at once: what is remembered of a series is to be fetched for several
SINGLE: tuple[Detector, ...] = tuple(d for d in default().pipelines[0].detectors if not d.joint)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The detectors for single series, and how many alerts of each to put up with."""

    a_week: float
    detectors: tuple[Detector, ...] = SINGLE
    threads: int = 1
    zone: str = "UTC"

    @property
    def header(self) -> tuple[str, ...]:
        """A row for each sample."""
        return HEADER

    def pieces(
        self, table: Table, asked: Asked, notes: Notes, tell: Callable[[int], None]
    ) -> Iterator[Piece]:
        """Its numeric columns."""
        return table.pieces(asked, notes, tell)

    def learn(self, memories: Memories, piece: Piece, past: bool = False) -> Told:
        """Judge each row, then learn from it."""
        said, names, which = self.judge(memories, piece)
        lines = lines_of(piece.text, names, which, said)
        return Told(said.value.size, int(said.alert.sum()), names, lines)

    def judge(self, memories: Memories, piece: Piece) -> tuple[Verdict, list[str], Array]:
        """What is thought of T rows of C columns; the series, and whose each sample is (T, C)."""
        shape = piece.values.shape
        score, expected, lower, upper = (np.full(shape, np.nan) for _ in range(4))
        alert = np.zeros(shape, np.bool_)
        said = Verdict(piece.values, score, expected, lower, upper, alert)
        names, which = list[str](), np.empty(shape, np.int32)
        groups = []
        for labels, rows in piece.apart():
            groups.append((memories.setdefault(frozenset(labels.items()), Memory()), rows))
            which[rows] = len(names) + np.arange(shape[1])
            names += [series_key(name, labels) for name in piece.names]
        inner, outer = each(self.threads), map
        if len(groups) > 1:
            inner, outer = outer, inner

        def judged(group: tuple[Memory, Array]) -> None:
            memory, rows = group
            most = max(LEAST, self.threads * BLOCK // shape[1])  # a block for each thread
            for at in range(0, len(rows), most):
                self._judge(memory, piece, rows[at : at + most], said, inner)

        for _ in outer(judged, groups):
            pass
        return said, names, which

    def settle(self, memories: Memories) -> None:
        """Nothing: all of it was learned as it came."""

    def _judge(self, memory: Memory, piece: Piece, rows: Any, said: Verdict, inner: Each) -> None:
        known = dict.fromkeys(memory.keys)
        memory.keys = tuple(known | dict.fromkeys(piece.names))
        columns: Any = slice(None)  # slices spare copies
        if memory.keys != piece.names:
            place_of = {key: s for s, key in enumerate(memory.keys)}
            columns = [place_of[name] for name in piece.names]
        if rows[-1] - rows[0] == len(rows) - 1:
            rows = slice(int(rows[0]), int(rows[-1]) + 1)
        values = piece.values[rows]
        whole = Frame(piece.time[rows], piece.names, ("value",), values[:, :, None])
        clock = None if self.zone == "UTC" else local(whole.time, self.zone)
        frame = replace(align(whole, memory.keys), clock=clock)
        memory.states, opinion = judge(self.detectors, memory.states, frame, inner)
        scores = opinion.scores
        alert = alerts(
            memory.states, frame.time, scores.values, opinion.interval, opinion.before, self.a_week
        )
        said.alert[rows] = alert[:, columns]
        said.score[rows] = scores.values[:, columns]
        bands = scores.expected, scores.lower, scores.upper
        for shown, band in zip((said.expected, said.lower, said.upper), bands, strict=True):
            if band is not None:
                shown[rows] = band[:, columns, 0]
