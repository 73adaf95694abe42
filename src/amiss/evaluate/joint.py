"""All numeric columns of a table as one system, judged as a whole, as live does (decide/whole.py).

    mean <- mean + 2/11 (F - mean)
    score = (F + mean) / 2

of some ten rows, as events last. Alerts are by F itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, State
from amiss.decide.fuse import p_of
from amiss.detectors.mahalanobis import Mahalanobis
from amiss.evaluate.answer import blamed_lines
from amiss.evaluate.columns import Asked, Notes, Piece
from amiss.evaluate.metrics import SINGLE
from amiss.evaluate.scorer import Memories, Memory, Told, alerts
from amiss.evaluate.tables import Table
from amiss.kernel import kernel
from amiss.memory import align
from amiss.steps.judge import judge, judge_whole

ROWS = 4096  # judged at once
GAIN = 2.0 / 11.0  # of the running mean
BLAMED = 5
CONTROL = 0.5, 0.25
"""Price and gain of the controller: a system is watched for many times the span between two
alerts, so the integral may do more and the price less (docs/decisions/0007)."""


@dataclass(frozen=True, slots=True)
class Joint:
    """The views of a system, and how many alerts of it to put up with."""

    a_week: float
    single: tuple[Detector, ...] = SINGLE
    together: tuple[Detector, ...] = (Mahalanobis(), Mahalanobis(seasonal=True))

    @property
    def header(self) -> tuple[str, ...]:
        """A row for each row."""
        return ("time", "score", "p", "alert", "blame")

    def pieces(
        self, table: Table, asked: Asked, notes: Notes, tell: Callable[[int], None]
    ) -> Iterator[Piece]:
        """Its numeric columns."""
        return table.pieces(asked, notes, tell)

    def learn(self, memories: Memories, piece: Piece, past: bool = False) -> Told:
        """Judge each row, then learn from it."""
        score, alert, blame = self.judge(memories, piece)
        order = np.argsort(-np.nan_to_num(blame[alert]), axis=1, kind="stable")[:, :BLAMED]
        worst = ([piece.names[f] for f in row] for row in order.tolist())
        lines = blamed_lines(piece.text.to_pylist(), score, p_of(score), alert, worst)
        return Told(len(score), int(alert.sum()), ("system",), lines)

    def judge(self, memories: Memories, piece: Piece) -> tuple[Floats, Array, Floats]:
        """Score (T,), alert (T,) and blame (T, C) of T rows of C columns."""
        rows, (count, metrics) = np.arange(len(piece.time)), piece.values.shape
        score, alert = np.full(count, np.nan), np.zeros(count, np.bool_)
        blame = np.full((count, metrics), np.nan)
        memory = memories.setdefault(frozenset(), Memory())
        for at in range(0, count, ROWS):
            part = rows[at : at + ROWS]
            score[part], alert[part], blame[part] = self._judge(memory, piece, part)
        return score, alert, blame

    def settle(self, memories: Memories) -> None:
        """Nothing: all of it was learned as it came."""

    def _judge(self, memory: Memory, piece: Piece, rows: Array) -> tuple[Floats, Array, Floats]:
        time, values = piece.time[rows], piece.values[rows]
        memory.keys = tuple(dict.fromkeys((*memory.keys, *piece.names)))
        frame = align(Frame(time, piece.names, ("value",), values[:, :, None]), memory.keys)
        states, opinion = judge(self.single, memory.states, frame)
        whole = Frame(time, ("system",), memory.keys, frame.values[:, :, 0][:, None, :])
        nats = opinion.scores.values[:, None, :]
        has = np.ones((1, len(memory.keys)), np.bool_)
        states, found, *_ = judge_whole(self.together, states, whole, nats, has)
        fused = found.values[:, 0]
        states["smooth"], score = smooth(states.get("smooth", {}), fused)
        interval = np.fmin.reduce(opinion.interval, axis=1, initial=np.inf)
        before = opinion.before.max(axis=1)
        alert = alerts(
            states,
            time,
            fused[:, None],
            interval[:, None],
            before[:, None],
            self.a_week,
            CONTROL,
        )
        memory.states = states
        place_of = {key: s for s, key in enumerate(memory.keys)}
        blame = np.zeros(frame.values.shape[:2]) if found.blame is None else found.blame[:, 0]
        return score, alert[:, 0], blame[:, [place_of[name] for name in piece.names]]


def smooth(state: State, fused: Floats) -> tuple[State, Floats]:
    """Half of F (T,) and half of its running mean. NaN gives NaN and changes nothing."""
    mean, score = state.get("mean", np.full(1, np.nan)), np.empty(len(fused))
    _smooth(fused, score, mean)
    return {"mean": mean}, score


@kernel
def _smooth(fused: Array, score: Array, mean: Array) -> None:
    for t in range(len(fused)):
        score[t] = np.nan
        if fused[t] == fused[t]:
            before = mean[0] if mean[0] == mean[0] else fused[t]
            mean[0] = before + GAIN * (fused[t] - before)
            score[t] = 0.5 * (fused[t] + mean[0])
