"""How strange is a line of text: its skeleton, its keys, its values and their characters.

The numbers of a line (decide/measures.py) become nats by their rank among those of a sample of
past lines, each as if it had not been learned, of its own field where that has enough
(decide/tails.py):

    F = ln mean exp(nats)   over all numbers of the line

A line is anomalous where both the bulk and the rank say so (decide/bulk.py). Lines are judged in
blocks, each by what was before the block; after it they are learned, the strange ones with little
weight. Their F count in full, so that p is right: what is strange too often is learned after all.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide import bulk, tails
from amiss.decide.measures import (
    ALL,
    CHARACTER,
    LEAST,
    SHORT,
    Measures,
    States,
    characters_of,
    inverse,
    learn,
    measure,
)
from amiss.features import grams
from amiss.features.parts import LONGEST, Parts, parts
from amiss.kernel import borrowing
from amiss.text.characters import Characters
from amiss.text.hashes import full, halve
from amiss.text.lines import Lines, joined

CELLS = {"forms": 17, "values": 19, "words": 18}  # of the tables: 2^so many
SAMPLE, MEMORY = 4096, 50_000  # lines, drawn evenly from the last so many
FIRST, BLOCK = 64, 256
REFIT = 32768  # lines between calibrations; at first at each doubling from FIRST
DOUBLINGS = tuple(FIRST << k for k in range(10))
SEED = 0
NOT_JUDGED = {"fused": np.zeros(0), "score": np.zeros(0)}
Known = tuple[Parts, Characters]
ALIKE = np.zeros(SHORT + 1)
ALIKE[[CHARACTER, ALL]] = 0.1
"""Nats that are no difference: what characters say moves with each line, and the past does not."""


class Block(NamedTuple):
    """N lines that were judged and are not learned yet."""

    first: int  # which of all lines
    lines: Lines
    cells: Array  # of the words known
    found: Parts
    known: Measures
    each: Floats  # 1/p of all their numbers
    nats: Floats  # (N,)


def init() -> States:
    """No line yet: 15 MB. It grows by the text of a sample of 4,096 lines and of a block."""
    tables: States = {
        name: {"cells": np.zeros(1 << bits, np.uint64), "used": np.zeros(1, np.int64)}
        for name, bits in CELLS.items()
    }
    return tables | {
        "grams": grams.init(),
        "past": {},
        "bulk": bulk.init(),
        "sample": _nothing(),
        "waiting": _nothing() | NOT_JUDGED,  # not yet learned
        "learned": {"lines": np.zeros(1, np.int64)},
    }


def step(
    states: States,
    lines: Lines,
    history: bool = False,
    tell: Callable[[Block], None] | None = None,
) -> tuple[States, Floats, Array]:
    """Lines -> p (N,), NaN for no opinion, and which are anomalous; then they are learned.

    `tell` is handed what was judged before it is learned. Where a block begins does not go by
    how many lines come at once, so what it is told does not either.
    Cost: 12 us a line of 130 characters, 19 us one of 8 long values.
    """
    count, at = len(lines.begin), 0
    p, judged = np.full(count, np.nan), np.full(count, np.nan)
    lines = Lines(lines.text, lines.begin, np.minimum(lines.end, lines.begin + LONGEST))
    while at < count:
        learned, waiting = int(states["learned"]["lines"][0]), states["waiting"]
        here = learned + len(waiting["fused"])
        end = FIRST if here < FIRST else (here // BLOCK + 1) * BLOCK
        some = lines.part(at, at + end - here)
        part = slice(at, at + len(some.begin))
        fused = np.full(len(some.begin), np.nan)
        found = parts(some, states["words"]["cells"])
        known = found, characters_of(found)
        if states["past"]:
            measured = measure(states, *known)
            fused, each = mean(states, measured)
            p[part], judged[part] = bulk.rank(states["bulk"], fused)
            if tell is not None:
                nats = -np.log(p[part])
                tell(Block(at, some, states["words"]["cells"], found, measured, each, nats))
        at = part.stop
        if here == learned and len(fused) == end - here:
            states = _learned(states, some, fused, -np.log(p[part]), history, known)
            continue
        states["waiting"] = _state(joined(_lines(waiting), some)) | {
            "fused": np.append(waiting["fused"], fused),
            "score": np.append(waiting["score"], -np.log(p[part])),
        }
        if here + len(fused) == end:
            states = settle(states, history)
    return states, p, (judged >= bulk.ALERT) & (-np.log(p) > bulk.STRANGE)


def settle(states: States, history: bool = False) -> States:
    """Learn from all that waits; to be called at the end of a history."""
    waiting = states["waiting"]
    lines, states["waiting"] = _lines(waiting), _nothing() | NOT_JUDGED
    found = parts(lines, states["words"]["cells"])
    known = found, characters_of(found)
    return _learned(states, lines, waiting["fused"], waiting["score"], history, known)


def mean(states: States, known: Measures) -> tuple[Floats, Floats]:
    """F of some lines (N,), and 1/p of all their numbers."""
    each, total = inverse(states["past"], known, ALIKE)
    return np.log(total / known.many), each


def _learned(
    states: States, lines: Lines, fused: Floats, score: Floats, history: bool, known: Known
) -> States:
    """Learn from lines with their F and scores, taken apart already."""
    before = int(states["learned"]["lines"][0])
    weight = np.ones(len(fused))
    if np.isfinite(fused).all():
        states["bulk"], weight = bulk.weights(states["bulk"], score, history)
        states["bulk"] = bulk.learn(states["bulk"], fused, np.ones(len(fused)))
    after = before + len(fused)
    rng = np.random.default_rng((SEED, before))
    taken = rng.random(len(fused)) < weight
    kept = rng.random(len(fused)) < SAMPLE / min(max(after, 1), MEMORY)
    places = rng.integers(0, SAMPLE, len(fused))
    learn(states, *known, taken)
    states["sample"] = _sampled(states["sample"], lines, taken, kept, places)
    states["learned"] = {"lines": np.full(1, after, np.int64)}
    due = before // REFIT != after // REFIT or any(before < n <= after for n in DOUBLINGS)
    states, aged = _aged(states)
    return _calibrated(states) if (due or aged) and len(states["sample"]["begin"]) else states


def _aged(states: States) -> tuple[States, bool]:
    """The same, tables that are half full with all their counts halved; whether any was."""
    aged = [name for name in CELLS if full(states[name]["used"], states[name]["cells"])]
    for name in aged:
        halve(states[name]["cells"], states[name]["used"])
    if grams.full(states["grams"]):
        states["grams"] = grams.halved(states["grams"])
        return states, True
    return states, bool(aged)


def _calibrated(states: States) -> States:
    """The past that each line of the sample would have had among the others."""
    lines = _lines(states["sample"])
    found = parts(lines, states["words"]["cells"])
    known = measure(states, found, characters_of(found), True)
    states["past"] = tails.past(*known.kinds(), known.number, LEAST)
    states["bulk"] = bulk.refill(states["bulk"], mean(states, known)[0])
    return states


def _sampled(sample: State, lines: Lines, taken: Array, kept: Array, places: Array) -> State:
    """The sample with the lines that were taken, while it is small; then with those kept."""
    text, begin, end = sample["text"], sample["begin"], sample["end"]
    free = SAMPLE - len(begin)
    known = np.flatnonzero(taken)
    new = min(len(known), free)
    late = known[free:]
    chosen = np.concatenate([known[:free], late[kept[late]]])
    if not len(chosen):
        return sample
    if new:
        begin, end = (np.concatenate([some, np.zeros(new, np.int64)]) for some in (begin, end))
    size, used = int((lines.end - lines.begin)[chosen].sum()), int(end.max(initial=0))
    grown = used + size > len(text)
    if grown:
        text = np.concatenate([text[:used], np.empty(size, np.uint8)])
    _put(lines.frozen(), lines.begin, lines.end, chosen, places, new, text, used, begin, end)
    if grown:
        left = _some(Lines(text, begin, end), np.arange(len(begin)))  # those that went take no room
        text, begin, end = np.zeros(2 * len(left.text) + LONGEST, np.uint8), left.begin, left.end
        text[: len(left.text)] = left.text
    return {"text": text, "begin": begin, "end": end}


@borrowing
def _put(
    source: Array, first: Array, last: Array, chosen: Array, places: Array, new: int,
    text: Array, used: int, begin: Array, end: Array,
) -> None:  # fmt: skip
    """Copy chosen lines behind the text in use: the new ones first, then those in place of old."""
    for k in range(len(chosen)):
        n = chosen[k]
        at = len(begin) - new + k if k < new else places[n]
        begin[at] = used
        for j in range(first[n], last[n]):
            text[used] = source[j]
            used += 1
        end[at] = used


def _some(lines: Lines, which: Array) -> Lines:
    """Some of the lines, in an array of their own."""
    none = np.zeros(0, np.int64)
    chosen = Lines(lines.text, lines.begin[which], lines.end[which])
    return joined(chosen, Lines(lines.text, none, none))


def _nothing() -> State:
    none = np.zeros(0, np.int64)
    return {"text": np.zeros(0, np.uint8), "begin": none, "end": none}


def _lines(state: State) -> Lines:
    return Lines(state["text"], state["begin"], state["end"])


def _state(lines: Lines) -> State:
    return {"text": lines.text, "begin": lines.begin, "end": lines.end}
