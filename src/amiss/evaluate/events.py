"""Each row of a table as an event: scored by what is known of earlier ones, then learned.

    score = -ln p of F, the rarity of the row (rarity.py), among past F (decide/bulk.py)
    alert   where F is no part of the bulk; with a budget, where the score is worth it

Rows are learned in blocks of 256 by their number; within a block the model is the one before it,
and what is computed of a row is computed in its place of a whole block. So scores are the same to
the last digit however the rows come in pieces.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from amiss import rarity
from amiss.data import Array, Floats, State
from amiss.decide import bulk, portion, sample
from amiss.evaluate.answer import blamed_lines
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.rows import Rows, rows_of
from amiss.evaluate.scorer import Memories, Memory, Told
from amiss.evaluate.tables import Table
from amiss.judge import States

BLOCK = 256
BLAMED = 5
SEED = 0
LEAST = 0.0
"""What is learned of a strange row at least. To an event the nearest row that was kept is its
like, and one in a hundred of the attacks of a day is enough to make all others usual."""


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
            memory.states = _nothing(len(number), len(text))
        width = memory.states["sample"]["numbers"].shape[1]
        numbers, categories = piece.read(memory.keys[:width], memory.keys[width:])
        score, p = np.full(len(piece), np.nan), np.full(len(piece), np.nan)
        alert, blamed = np.zeros(len(piece), np.bool_), list[list[str]]()
        at = 0
        while at < len(piece):
            part = slice(at, at + _room(memory.states))
            said = self._judge(memory, numbers[part], categories[part], past)
            score[part], p[part], alert[part] = said[:3]
            blamed += said[3]
            at = part.stop
        numbered = range(piece.first, piece.first + len(piece))
        lines = blamed_lines(numbered, score, p, alert, iter(blamed))
        return Told(len(piece), int(alert.sum()), ("events",), lines)

    def settle(self, memories: Memories) -> None:
        """All of the history is learned before it is put to use."""
        for memory in memories.values():
            _learn(memory.states, past=True)
            if memory.states["sample"]["rows"][0] >= sample.FIRST:
                _fit(memory.states)

    def _judge(
        self, memory: Memory, numbers: Floats, categories: Array, past: bool
    ) -> tuple[Floats, Floats, Array, list[list[str]]]:
        """Rows that do not go beyond their block: score, p, alert, and who is to blame for it."""
        states, count = memory.states, len(numbers)
        waiting = states["waiting"]
        place = len(waiting["numbers"])
        fused, score, p = (np.full(count, np.nan) for _ in range(3))
        alert, blamed = np.zeros(count, np.bool_), list[list[str]]()
        if "encoding" in states:
            here = slice(place, place + count)
            opinion = rarity.judge(states, _whole(numbers, here), _whole(categories, here))
            fused = opinion.fused[here]
            p, judged = bulk.rank(states["bulk"], fused)
            score = -np.log(p)
            alert = judged >= bulk.ALERT
            if self.a_row is not None:
                states["portion"], alert = portion.step(states["portion"], score, self.a_row)
            told = np.flatnonzero(alert) if not past else np.zeros(0, np.int64)
            worst = np.argsort(-rarity.blame(states, opinion, place + told), axis=1, kind="stable")
            blamed = [[memory.keys[c] for c in row] for row in worst[:, :BLAMED].tolist()]
        rows = {
            "numbers": numbers,
            "categories": categories,
            "fused": fused,
            "score": score,
        }
        states["waiting"] = {k: np.concatenate([waiting[k], rows[k]]) for k in waiting}
        if _room(states) == 0:
            _learn(states, past)
        return score, p, alert, blamed


def _nothing(numbers: int, categories: int) -> States:
    """The memory before the first row of a table with so many columns."""
    columns = {
        "numbers": np.zeros((0, numbers)),
        "categories": np.zeros((0, categories), np.int64),
    }
    return {
        "sample": sample.init(columns),
        "waiting": columns | {"fused": np.zeros(0), "score": np.zeros(0)},
        "bulk": bulk.init(),
        "portion": {},
    }


def _room(states: States) -> int:
    """How many rows can still be judged by the present model."""
    learned = int(states["sample"]["rows"][0])
    end = sample.FIRST if learned < sample.FIRST else (learned // BLOCK + 1) * BLOCK
    return end - learned - len(states["waiting"]["numbers"])


def _whole(rows: Array, here: slice) -> Array:
    """A block with these rows in their place and nothing in all others."""
    block = np.zeros((BLOCK, rows.shape[1]), rows.dtype)
    block[here] = rows
    return block


def _learn(states: States, past: bool) -> None:
    """A whole block; and a new model if one is due."""
    waiting, before = states["waiting"], int(states["sample"]["rows"][0])
    weight = np.ones(len(waiting["numbers"]))
    if "encoding" in states:
        judged, weight = bulk.weights(states["bulk"], waiting["score"], past, LEAST)
        states["bulk"] = bulk.learn(judged, waiting["fused"], weight)
    columns: State = {name: waiting[name] for name in ("numbers", "categories")}
    states["sample"] = sample.add(states["sample"], columns, weight, SEED)
    states["waiting"] = {name: rows[:0] for name, rows in waiting.items()}
    if sample.due(before, int(states["sample"]["rows"][0])):
        _fit(states)


def _fit(states: States) -> None:
    """A new model, and what it says of its own sample as the past."""
    kept = states["sample"]
    model, past = rarity.fit(kept["numbers"], kept["categories"], SEED)
    states |= model
    states["bulk"] = bulk.refill(states["bulk"], past)
