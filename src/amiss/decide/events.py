"""Events judged one by one: scored by what is known of earlier ones, then learned.

    score = -ln p of F, the rarity of the event (decide/rarity.py), among past F (decide/bulk.py)

Events are learned in blocks of 256 by their number; within a block the model is the one before
it, and what is computed of an event is computed in its place of a whole block. So scores are the
same to the last digit however the events come in pieces.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide import bulk, rarity, sample
from amiss.detecting.trees import TREES
from amiss.detectors import burst

BLOCK = 256
SEED = 0
LEAST = 0.0
"""What is learned of a strange event at least. To an event the nearest one that was kept is its
like, and one in a hundred of the attacks of a day is enough to make all others usual."""

States = dict[str, State]
Telling: TypeAlias = Callable[[Floats, Floats], Array]
"""Score and judged, both (N,), of events in their order -> of which it is to be told why (N,)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is thought of N events; NaN before there is a model."""

    score: Floats  # (N,) nats
    p: Floats  # (N,)
    told: Array  # (N,) bool
    blame: Floats  # (N, columns) nats, of those that are told; NaN for the others


def init(numbers: int, categories: int) -> States:
    """The memory before the first event with so many columns."""
    columns: State = {
        "numbers": np.zeros((0, numbers)),
        "categories": np.zeros((0, categories), np.int64),
    }
    return {
        "sample": sample.init(columns),
        "waiting": columns
        | {
            "fused": np.zeros(0),
            "score": np.zeros(0),
            "leaves": np.zeros((0, TREES), np.int16),
        },
        "latest": columns,
        "fitted": {"rows": np.zeros(1, np.int64)},
        "bulk": bulk.init(),
    }


def step(
    states: States, numbers: Floats, categories: Array, telling: Telling, past: bool = False
) -> tuple[States, Judged]:
    """Judge events (N, A), (N, B) in their order, then learn from them.

    `past`: they are a history: learned whole, and nothing is told.
    Cost: about 30 us an event of 42 columns, and .7 s for each fit.
    """
    states, count = dict(states), len(numbers)
    said = Judged(
        score=np.full(count, np.nan),
        p=np.full(count, np.nan),
        told=np.zeros(count, np.bool_),
        blame=np.full((count, numbers.shape[1] + categories.shape[1]), np.nan),
    )
    at = 0
    while at < count:
        part = slice(at, at + _room(states))
        _judge(states, numbers[part], categories[part], past, telling, said, at)
        at = part.stop
    return states, said


def settle(states: States) -> States:
    """All of a history is learned before it is put to use."""
    states = dict(states)
    _learn(states, past=True)
    if states["sample"]["rows"][0] >= sample.FIRST:
        _fit(states)
    return states


def _judge(
    states: States,
    numbers: Floats,
    categories: Array,
    past: bool,
    telling: Telling,
    said: Judged,
    at: int,
) -> None:
    """Events that do not go beyond their block."""
    count, waiting = len(numbers), states["waiting"]
    place, fused = len(waiting["numbers"]), np.full(count, np.nan)
    leaves = np.zeros((count, TREES), np.int16)
    mine = slice(at, at + count)
    if "encoding" in states and not past:
        here = slice(place, place + count)
        opinion = rarity.judge(states, _whole(numbers, here), _whole(categories, here))
        fused, leaves = opinion.fused[here], opinion.leaves[here]
        said.p[mine], judged = bulk.rank(states["bulk"], fused)
        said.score[mine] = -np.log(said.p[mine])
        said.told[mine] = telling(said.score[mine], judged)
        told = np.flatnonzero(said.told[mine])
        if len(told):
            said.blame[at + told] = rarity.blame(states, opinion, place + told)
    rows = {
        "numbers": numbers,
        "categories": categories,
        "fused": fused,
        "score": said.score[mine],
        "leaves": leaves,
    }
    states["waiting"] = {k: np.concatenate([waiting[k], rows[k]]) for k in waiting}
    if _room(states) == 0:
        _learn(states, past)


def _room(states: States) -> int:
    """How many events can still be judged by the present model."""
    learned = int(states["sample"]["rows"][0])
    end = sample.FIRST if learned < sample.FIRST else (learned // BLOCK + 1) * BLOCK
    return end - learned - len(states["waiting"]["numbers"])


def _whole(rows: Array, here: slice) -> Array:
    """A block with these events in their place and nothing in all others."""
    block = np.zeros((BLOCK, rows.shape[1]), rows.dtype)
    block[here] = rows
    return block


def _learn(states: States, past: bool) -> None:
    """A whole block; and a new model if one is due. That of a history comes at its end."""
    waiting = states["waiting"]
    states["bulk"], weight = bulk.weights(states["bulk"], waiting["score"], past, LEAST)
    columns: State = {name: waiting[name] for name in ("numbers", "categories")}
    states["latest"] = {
        name: np.concatenate([rows, columns[name]])[-burst.WINDOW :]
        for name, rows in states["latest"].items()
    }
    if "encoding" in states and not past:
        states["bulk"] = bulk.learn(states["bulk"], waiting["fused"], weight)
        states |= rarity.learn(states, waiting["leaves"])
    states["sample"] = sample.add(states["sample"], columns, weight, SEED)
    states["waiting"] = {name: rows[:0] for name, rows in waiting.items()}
    if not past and sample.due(int(states["fitted"]["rows"][0]), int(states["sample"]["rows"][0])):
        _fit(states)


def _fit(states: States) -> None:
    """A new model, and what it says of its own sample as the past."""
    kept = states["sample"]
    model, past = rarity.fit(kept["numbers"], kept["categories"], states["latest"], SEED)
    states |= model | {"fitted": {"rows": kept["rows"]}}
    states["bulk"] = bulk.refill(states["bulk"], past)
