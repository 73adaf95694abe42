"""Several single records in a row that are slightly odd, none of which would be told by itself.

Such a run (decide/cusum.py) is told like one more record beside those that it is made of: a run
among all records of a system, and among those of one subject.
"""

from collections import Counter
from dataclasses import dataclass
from math import log

import numpy as np

from amiss.data import Array, Floats, Frame, Records, State
from amiss.decide import cusum
from amiss.decide.finding import Finding
from amiss.decide.judged import LEAST
from amiss.steps import singles
from amiss.steps.judge import States
from amiss.steps.strange import Strange
from amiss.subjects import slots
from amiss.text.names import hashed

IN_A_ROW = "_in_a_row"
KEPT = 64  # odd records that are remembered, to be shown
SHOWN = 5
REASON = "\t"  # between reasons


@dataclass(frozen=True, slots=True)
class _Odd:
    """Odd records in order: the latest of those before these, then those among these."""

    number: Array  # (K,)
    stream: Array  # (K, V)
    before: State
    records: Records
    rows: list[int]  # of these
    why: dict[int, tuple[str, ...]]  # of these that are strange, by their rows

    def of(self, number: int, first: int, v: int, stream: int) -> list[int]:
        """Those that a run is made of, up to this number."""
        end = int(np.searchsorted(self.number, number, "right"))
        here = slice(max(end - KEPT, 0), end)
        mine = (self.number[here] >= first) & (self.stream[here, v] == stream)
        return (here.start + np.flatnonzero(mine)).tolist()

    def said(self, k: int) -> str:
        """As it was written."""
        t = k - len(self.before["odd.said"])
        return singles.said_of(self.records, self.rows[t]) if t >= 0 else self.before["odd.said"][k]

    def blame(self, k: int) -> str:
        """What is odd about it."""
        t = k - len(self.before["odd.blame"])
        return (
            REASON.join(self.why.get(self.rows[t], ())) if t >= 0 else self.before["odd.blame"][k]
        )

    def kept(self) -> State:
        """What to remember of them."""
        last = range(max(len(self.number) - KEPT, 0), len(self.number))
        return {
            "odd.number": self.number[-KEPT:],
            "odd.stream": self.stream[-KEPT:],
            "odd.said": np.array([self.said(k) for k in last], dtype=str),
            "odd.blame": np.array([self.blame(k) for k in last], dtype=str),
        }


def judge(
    states: States, frame: Frame, nats: Floats, those: Strange, ways: tuple[tuple[str, ...], ...],
    interval: Floats, watched: Floats, seen: Array,
) -> tuple[States, Strange, Floats]:  # fmt: skip
    """T records and the strange ones -> these with runs, in order of time, and nats (T,) of both.

    `ways` are the labels that name a system, and those that name a subject; where they are others,
    there are two ways to find a run, and each has half of the chance. The rest is as in singles.py.
    Cost: some 2 us a record.
    """
    ways, records = tuple(dict.fromkeys(ways)), singles.records_of(frame)
    state = states.get("streaks", {})
    if not state or len(state["tops"]) != len(ways):
        state = cusum.init(len(ways)) | _nothing(len(ways))
    stream = np.stack([_streams(records, way) for way in ways], axis=1)
    if len(ways) > 1:
        stream[stream[:, 1] == stream[:, 0], 1] = 0  # about nobody
    state, runs = cusum.step(state, frame.time, nats, stream)
    scores = runs.score - log(len(ways))
    odd = _odd(state, frame, runs, stream, nats, those)
    at, which = np.nonzero(scores >= LEAST)
    found = list(zip(at.tolist(), which.tolist(), strict=True))
    made = [odd.of(runs.number[t], runs.first[t, v], v, stream[t, v]) for t, v in found]
    shown = [
        [odd.said(k) for k in of[-SHOWN:]] or [singles.said_of(records, t)]
        for of, (t, _) in zip(made, found, strict=True)
    ]
    more = Strange(
        time=frame.time[at],
        key=[_key(records, t, ways[v]) for t, v in found],
        score=scores[at, which],
        interval=interval[at],
        watched=np.minimum(watched, seen * interval / 86400.0)[at],
        blame=[_most([odd.blame(k) for k in of]) for of in made],
        said=["\n".join(filter(None, texts)) for texts in shown],
        found=[_found(runs, t, v) for t, v in found],
        among=seen[at].tolist(),
    )
    states = states | {"streaks": state | odd.kept()}
    return states, those.and_also(more), np.fmax(nats, np.fmax.reduce(scores, axis=1))


def _key(records: Records, t: int, way: tuple[str, ...]) -> str:
    plural = "" if str(records.name[t]).endswith("s") else "s"
    return singles.key_of(records, t, way, plural + IN_A_ROW)


def _found(runs: cusum.Runs, t: int, v: int) -> Finding:
    """In words; where few are odd by themselves, to count those would sound like nothing."""
    odd, count = runs.odd[t, v], runs.count[t, v]
    words = f"{odd} of the last {count} as odd as one in ten"
    if 2 * odd < count:
        words = f"the last {count} all together"
    return Finding(words, since=int(runs.since[t, v]))


def _odd(
    state: State, frame: Frame, runs: cusum.Runs, stream: Array, nats: Floats, those: Strange
) -> _Odd:
    """Those that are remembered and those that came; why they are is known of the strange ones."""
    rows, hot = np.flatnonzero(runs.y >= cusum.ODD), np.flatnonzero(nats >= LEAST).tolist()
    return _Odd(
        np.concatenate([state["odd.number"], runs.number[rows]]),
        np.concatenate([state["odd.stream"], stream[rows]]),
        state,
        singles.records_of(frame),
        rows.tolist(),
        dict(zip(hot, those.blame, strict=True)),
    )


def _nothing(views: int) -> State:
    none = np.zeros(0, np.int64)
    return {
        "odd.number": none,
        "odd.stream": np.zeros((0, views), np.int64),
        "odd.said": np.zeros(0, "U1"),
        "odd.blame": np.zeros(0, "U1"),
    }


def _most(blame: list[str]) -> tuple[str, ...]:
    """What is to blame for most of them."""
    counts = Counter(reason for one in blame for reason in one.split(REASON) if reason)
    return tuple(reason for reason, _ in counts.most_common(singles.BLAMED))


def _streams(records: Records, way: tuple[str, ...]) -> Array:
    """A hash of what these labels say of each record (N,), never 0."""
    found = np.ones(len(records), np.uint64)
    for name in way:
        if name in records.labels:
            texts, where = np.unique(records.labels[name], return_inverse=True)
            said = np.where(texts == "", 0, hashed(texts.tolist())).astype(np.uint64)[where]
            found = np.where(said > 0, (found ^ said) * slots.MIX | np.uint64(1), found)
    return found.view(np.int64)
