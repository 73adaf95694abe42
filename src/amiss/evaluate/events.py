"""Each row of a table as an event: judged by what is known of earlier ones (decide/events.py).

alert   where F is no part of the bulk; with a budget, where the score is worth it
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import compress

import numpy as np

from amiss.data import Array, Floats
from amiss.decide import bulk, events, portion
from amiss.evaluate.answer import blamed_lines
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.rows import Rows, rows_of
from amiss.evaluate.scorer import Memories, Memory, Told
from amiss.evaluate.tables import Table
from amiss.features import encoding

BLAMED = 5


@dataclass(frozen=True, slots=True)
class Events:
    """How many alerts of each row to put up with; without that, it is the product's to judge."""

    a_row: float | None = None

    @property
    def header(self) -> tuple[str, ...]:
        """A row for each row."""
        return ("row", "score", "p", "alert", "blame")

    def pieces(
        self, table: Table, asked: Asked, notes: Notes, tell: Callable[[int], None]
    ) -> Iterator[Rows]:
        """All columns."""
        return rows_of(table, asked, notes, tell)

    def learn(self, memories: Memories, piece: Rows, past: bool = False) -> Told:
        """Judge each row, then learn from it."""
        memory = memories.setdefault(frozenset(), Memory())
        if not memory.states:
            number, text = piece.kinds()
            memory.keys = (*number, *text)
            memory.states = events.init(len(number), len(text)) | {"portion": {}}
        width = memory.states["sample"]["numbers"].shape[1]
        numbers, categories = piece.read(memory.keys[:width], memory.keys[width:])
        rations = memory.states["portion"]

        def telling(score: Floats, judged: Array) -> Array:
            nonlocal rations
            if self.a_row is None:
                return np.asarray(judged >= bulk.ALERT)
            rations, alert = portion.step(rations, score, self.a_row)
            return alert

        states, said = events.step(memory.states, numbers, categories, telling, past)
        memory.states = states | {"portion": rations}
        if "encoding" in states:
            silent = encoding.silent(states["encoding"])
            piece.notes.silent = tuple(compress(memory.keys, silent))
        worst = np.argsort(-said.blame[said.told], axis=1, kind="stable")[:, :BLAMED]
        blamed = ([memory.keys[c] for c in row] for row in worst.tolist())
        numbered = range(piece.first, piece.first + len(piece))
        lines = blamed_lines(numbered, said.score, said.p, said.told, blamed)
        return Told(len(piece), int(said.told.sum()), ("events",), lines)

    def settle(self, memories: Memories) -> None:
        """All of the history is learned before it is put to use."""
        for memory in memories.values():
            memory.states = events.settle(memory.states)
