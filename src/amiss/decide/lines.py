"""How strange is a line of text: its skeleton, its keys, its values and their characters.

0 skeleton   1 rarest pair of neighbouring words   2 sequence of keys   3 rarest key
4 largest surprise of a character   5 all surprise of a value, over the root of its length
6 the value itself   7, 8 its length, both ways

0 to 3 and 6 are -ln(count + .5). Each becomes nats by its rank among those of a sample of past
lines, each as if it had not been learned, of its own field where that has enough (decide/tails.py).
    F = ln mean exp(nats)   over all parts of the line
A line is anomalous where both the bulk and the rank say so (decide/bulk.py). Lines are judged in
blocks, each by what was before the block; after it they are learned, the strange ones with little
weight. Their F count in full, so that p is right: what is strange too often is learned after all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide import bulk, tails
from amiss.features import grams
from amiss.features.parts import Form, Hashes, Parts, parts, vocabulary

LEAST = np.array([1, 1, 1, 1, 1, 0.5, 1, 0.2, 0.2])  # beta of each kind at least, nats
SKELETON, PAIR, SEQUENCE, KEY, CHARACTER, ALL, VALUE, LONG, SHORT = range(9)
BITS = 20  # cells of the counts: 2^BITS; if half of them are in use, all are halved
WORDS = 200_000  # remembered; if there are more, their counts are halved
SAMPLE, MEMORY = 4096, 50_000  # lines, drawn evenly from the last so many
FIRST, BLOCK = 64, 256
REFIT = 32768  # lines between calibrations; at first at each doubling from FIRST
NEVER = -20.0  # the rarity of what is not to be judged
SEED = 0
SALTS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0, 0, 0x165667B1], np.uint64)

Statistics = tuple[Array, Array, Array, Floats]
"""Of some parts: line, kind, field and number."""


@dataclass(slots=True)
class Lines:
    """What is remembered of lines: 17 MB of counts, 4,096 lines, the words met."""

    counts: Array = field(default_factory=lambda: np.zeros(1 << BITS, np.int32))
    characters: State = field(default_factory=grams.init)
    words: dict[str, int] = field(default_factory=dict)
    sample: list[str] = field(default_factory=list)
    past: State = field(default_factory=dict)
    bulk: State = field(default_factory=bulk.init)
    learned: int = 0
    forms: dict[Form, Hashes] = field(default_factory=dict)
    waiting: list[tuple[str, Parts]] = field(default_factory=list)  # not yet learned
    fused: list[float] = field(default_factory=list)  # their F
    scores: list[float] = field(default_factory=list)

    def step(self, lines: Sequence[str], history: bool = False) -> tuple[Floats, Array]:
        """Lines -> p (N,), NaN for no opinion, and which are anomalous; then they are learned."""
        p, judged, at = np.full(len(lines), np.nan), np.full(len(lines), np.nan), 0
        while at < len(lines):
            here = self.learned + len(self.waiting)
            end = FIRST if here < FIRST else (here // BLOCK + 1) * BLOCK
            some = lines[at : at + end - here]
            part = slice(at, at + len(some))
            fused, known = np.full(len(some), np.nan), [self._parts(line) for line in some]
            if self.past:
                fused = self._mean(self._statistics(known), len(known))
                p[part], judged[part] = bulk.rank(self.bulk, fused)
            self.waiting.extend(zip(some, known, strict=True))
            self.fused.extend(fused.tolist())
            self.scores.extend((-np.log(p[part])).tolist())
            at += len(some)
            if here + len(some) == end:
                self.learn(history)
        return p, (judged >= bulk.ALERT) & (-np.log(p) > bulk.STRANGE)

    def learn(self, history: bool = False) -> None:
        """Learn from all that waits; to be called at the end of a history."""
        lines, fused, scores = self.waiting, np.array(self.fused), np.array(self.scores)
        self.waiting, self.fused, self.scores = [], [], []
        weight = np.ones(len(lines))
        if np.isfinite(fused).all():
            self.bulk, weight = bulk.weights(self.bulk, scores, history)
            self.bulk = bulk.learn(self.bulk, fused, np.ones(len(fused)))
        before = self.learned
        self.learned += len(lines)
        rng = np.random.default_rng((SEED, before))
        taken = rng.random(len(lines)) < weight
        kept = rng.random(len(lines)) < SAMPLE / min(self.learned, MEMORY)
        places = rng.integers(0, SAMPLE, len(lines))
        known = []
        for k in np.flatnonzero(taken).tolist():
            line, taken_apart = lines[k]
            known.append(taken_apart)
            self._remember(line)
            if len(self.sample) < SAMPLE:
                self.sample.append(line)
            elif kept[k]:
                self.sample[places[k]] = line
        self._count(known)
        doublings = (FIRST << k for k in range(10))
        if before // REFIT != self.learned // REFIT or any(
            before < n <= self.learned for n in doublings
        ):
            self._calibrate()

    def _remember(self, line: str) -> None:
        for word in vocabulary(line):
            self.words[word] = self.words.get(word, 0) + 1
        if len(self.words) > WORDS:
            self.words = {word: n // 2 for word, n in self.words.items() if n > 1}

    def _count(self, lines: Sequence[Parts]) -> None:
        for kind, found in (
            (SKELETON, [x.skeleton for x in lines]),
            (SEQUENCE, [x.sequence for x in lines]),
            (PAIR, [pair for x in lines for pair in x.pairs]),
            (KEY, [key for x in lines for key in x.keys]),
            (VALUE, [value.itself for x in lines for value in x.values]),
        ):
            np.add.at(self.counts, _cells(kind, found), 1)
        texts = [(value.field, value.data) for x in lines for value in x.values]
        self.characters = grams.learn(self.characters, texts)
        if 2 * np.count_nonzero(self.counts) > len(self.counts):
            self.counts >>= 1

    def _calibrate(self) -> None:
        if not self.sample:
            return
        known = self._statistics([self._parts(line) for line in self.sample], True)
        _, kind, place, number = known
        self.past = tails.past(kind, place, number, LEAST)
        self.bulk = bulk.refill(self.bulk, self._mean(known, len(self.sample)))

    def _parts(self, line: str) -> Parts:
        return parts(line, self.words.get, self.forms)

    def _mean(self, known: Statistics, count: int) -> Floats:
        line, kind, place, number = known
        nats = tails.nats(self.past, kind, place, number)
        total = np.bincount(line, np.exp(nats), count)
        return np.asarray(np.log(total / np.bincount(line, minlength=count)))

    def _statistics(self, lines: Sequence[Parts], alone: bool = False) -> Statistics:
        """All numbers of some lines. `alone`: they were learned themselves; leave each out."""
        one, count, none = int(alone), len(lines), np.zeros(len(lines), np.int64)

        def had(kind: int, found: Sequence[int]) -> Array:
            return np.maximum(self.counts[_cells(kind, found)].astype(np.int64) - one, 0)

        skeleton = np.array([x.skeleton for x in lines], np.int64)
        met = had(SKELETON, [x.skeleton for x in lines])
        each = np.arange(count)
        pairs = _least(
            had(PAIR, [y for x in lines for y in x.pairs]), [len(x.pairs) for x in lines]
        )
        wide = [len(x.keys) for x in lines]
        keys = _least(had(KEY, [y for x in lines for y in x.keys]), wide, met)
        sequence = had(SEQUENCE, [x.sequence for x in lines])
        known = met > 0  # under a skeleton that is new, all keys are
        columns = [
            (each, SKELETON, none, _rarity(met)),
            (each, PAIR, none, _rarity(pairs)),
            (each, SEQUENCE, skeleton, np.where(known, _rarity(sequence), NEVER)),
            (each, KEY, skeleton, np.where(known, _rarity(keys), NEVER)),
        ]
        values = [value for x in lines for value in x.values]
        if values:
            line = np.repeat(each, [len(x.values) for x in lines])
            place = np.array([value.field for value in values], np.int64)
            texts = [(value.field, value.data) for value in values]
            different = {text: n for n, text in enumerate(dict.fromkeys(texts))}
            which = np.array([different[text] for text in texts])
            largest, whole = grams.surprise(self.characters, list(different), alone)
            length = np.log1p([value.length for value in values])
            rare = _rarity(had(VALUE, [value.itself for value in values]))
            numbers = largest[which], whole[which], rare, length, -length
            kinds = CHARACTER, ALL, VALUE, LONG, SHORT
            columns += [(line, k, place, x) for k, x in zip(kinds, numbers, strict=True)]
        return (
            np.concatenate([line for line, *_ in columns]),
            np.concatenate([np.full(len(line), kind) for line, kind, *_ in columns]),
            np.concatenate([place for _, _, place, _ in columns]),
            np.concatenate([number for *_, number in columns]),
        )


def _cells(kind: int, found: Sequence[int]) -> Array:
    mixed = (np.array(found, np.uint64) ^ SALTS[kind]) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray((mixed >> np.uint64(64 - BITS)).astype(np.int64))


def _rarity(count: Array) -> Floats:
    return np.asarray(-np.log(count + 0.5))


def _least(counts: Array, lengths: Sequence[int], otherwise: Array | None = None) -> Array:
    """The least of each stretch; of an empty one what is said otherwise."""
    size = np.array(lengths, np.int64)
    out = np.zeros(len(size), np.int64) if otherwise is None else otherwise.copy()
    there = size > 0
    if there.any():
        out[there] = np.minimum.reduceat(counts, (np.cumsum(size) - size)[there])
    return out
