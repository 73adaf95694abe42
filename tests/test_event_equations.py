"""From a record to its score and blame, as rarity.py and decide/events.py tell it, in plain Python.

What a row is as numbers, and how a forest grows, have plain versions in tests of their own; here
the six views are put together as they are told, and compared with what the detector says.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain, combinations, pairwise
from math import exp, log, log1p, log2

import numpy as np

from amiss.data import SECOND, Array, Floats, Frame
from amiss.detecting import trees
from amiss.detectors.rarity import Rarity
from amiss.features import encoding
from made import START
from test_rarity import rows

NUMBERS, CATEGORIES = 4, 2  # of those rows
COLUMNS = NUMBERS + CATEGORIES


def nats(past: Sequence[float], x: float) -> float:
    """A rank, and a heavy tail beyond u."""
    n = len(past)
    t = max(4, n // 50)
    top = sorted(past)[-t:]
    u, b = top[0], max(sum(top) / t - top[0], 1e-9)
    if x > u:
        return min(log((n + 1) / t) + 4 * log1p((x - u) / (4 * b)), 30.0)
    return -log((sum(score >= x for score in past) + 1) / (n + 1))


class Pairs:
    """1/p of two columns: p = (rows in cells no fuller than this one + 1)/(n + 1)."""

    def __init__(self, code: Array) -> None:
        self.n, self.code = len(code), code.tolist()
        self.two = list(combinations(range(COLUMNS), 2))
        self.held = {(a, b): Counter((row[a], row[b]) for row in self.code) for a, b in self.two}

    def inverse(self, row: list[int], itself: int = 0) -> dict[tuple[int, int], float]:
        """`itself`: 1 if the row is one of the sample, which it is to be left out of."""
        found = {}
        for a, b in self.two:
            held = self.held[a, b].copy()
            held[row[a], row[b]] -= itself
            fuller = held[row[a], row[b]] + 1
            no_fuller = sum(count for count in held.values() if count <= fuller)
            found[a, b] = (self.n - itself + 1) / (no_fuller + 1)
        return found

    def score(self, row: list[int], itself: int = 0) -> float:
        return log(np.mean(list(self.inverse(row, itself).values())))

    def blame(self, row: list[int]) -> Floats:
        said = np.zeros(COLUMNS)
        for two, inverse in self.inverse(row).items():
            said[list(two)] += inverse
        return np.asarray(said - said.min())


class Relation:
    """1/p of the residual of each column given the others."""

    def __init__(self, x: Floats) -> None:
        self.mean = x.mean(axis=0)
        P = np.linalg.inv(np.cov(x.T) + 1e-3 * np.eye(x.shape[1]))
        self.P = P / np.sqrt(np.diag(P))
        self.past = np.array([self.bins(row) for row in x])

    def bins(self, row: Floats) -> list[int]:
        r = np.abs((row - self.mean) @ self.P).tolist()
        return [int(min(max(8 * log2(max(one, 1e-6)) + 80, 0), 127)) for one in r]

    def inverse(self, row: Floats) -> Floats:
        as_far = (self.past >= self.bins(row)).sum(axis=0)
        return np.asarray((len(self.past) + 1) / (as_far + 1))

    def score(self, row: Floats) -> float:
        return log(self.inverse(row).mean())


class Forest:
    """How few splits set a row apart, and how much more often its like came lately."""

    def __init__(self, x: Floats) -> None:
        self.n, self.grown = len(x), trees.grow(x)
        self.held, self.lately, self.window = self.counted(x), self.counted(x), self.n

    def ways(self, row: Floats) -> list[list[int]]:
        """For each tree the nodes from a row's leaf up to the root."""
        found = []
        for leaf in trees.leaves(self.grown, row[None])[0].tolist():
            found.append([leaf])
            while found[-1][-1] > 0:
                found[-1].append((found[-1][-1] - 1) // 2)
        return found

    def counted(self, x: Floats) -> Counter[tuple[int, int]]:
        """How many of some rows are in a node of a tree."""
        ways = (enumerate(self.ways(row)) for row in x)
        return Counter((t, node) for t, way in chain(*ways) for node in way)

    def learn(self, x: Floats) -> None:
        self.lately += self.counted(x)
        self.window += len(x)

    def score(self, row: Floats) -> float:
        return float(trees.score(self.grown, row[None])[0])

    def burst(self, row: Floats) -> float:
        found = []
        for t, way in enumerate(self.ways(row)):
            around = next(node for node in way if node == 0 or self.held[t, node] >= self.n / 32)
            more = [
                (self.lately[t, node] + 1) / (self.held[t, node] * self.window / self.n + 1)
                for node in (way[0], around)
            ]
            found.append(log(more[0] / more[1]))
        return float(np.mean(found))

    def blame(self, row: Floats, columns: int) -> Floats:
        said = np.zeros(columns)
        for t, way in enumerate(self.ways(row)):
            for node, up in pairwise(way):
                split = self.grown["feature"][t, up]
                said[split] += log((self.held[t, up] + 1) / (self.held[t, node] + 1))
        return said


class Model:
    """What is known from a sample, and F of its own rows, each as if it were new."""

    def __init__(self, numbers: Floats, categories: Array) -> None:
        self.known = encoding.fit(numbers, categories, numbers)
        self.about = [0, 1, 2, 3, *encoding.owners(self.known).tolist()]
        code, every, split, near, ranks = self.seen(numbers, categories)
        self.pairs, self.relation, self.forest = Pairs(code), Relation(every), Forest(split)
        self.kept = {"near": near, "ranks": ranks}
        self.past = {
            "pairs": [self.pairs.score(row, 1) for row in code.tolist()],
            "relation": [self.relation.score(row) for row in every],
            "near": [min(np.delete(apart(near, row), k)) for k, row in enumerate(near)],
            "ranks": [min(np.delete(apart(ranks, row), k)) for k, row in enumerate(ranks)],
            "isolation": [self.forest.score(row) for row in split],
        }
        doubt = [
            sum(nats(self.past[view], self.past[view][k]) for view in ("isolation", "relation"))
            for k in range(len(numbers))
        ]
        usual = sorted(np.argsort(doubt, kind="stable")[: len(doubt) - int(0.02 * len(doubt))])
        self.usual = Relation(every[usual])
        self.past["usual"] = [self.usual.score(row) for row in every]
        self.fused = [
            self.mean({view: of[k] for view, of in self.past.items()}) for k in range(len(numbers))
        ]

    def seen(self, numbers: Floats, categories: Array) -> tuple[Array, ...]:
        """Rows as codes; all that relations are among; where trees and distances see them."""
        of = encoding.encode(self.known, numbers, categories)
        near, ranks = np.hstack([of.z, 2 * of.known]), np.hstack([of.rank, of.known / 2])
        every, split = np.hstack([of.z, of.rank, of.known]), np.hstack([of.z, of.known])
        return of.code, every, split, near, ranks

    def mean(self, scores: dict[str, float]) -> float:
        return float(np.mean([nats(self.past[view], score) for view, score in scores.items()]))

    def judge(self, numbers: Floats, categories: Array) -> tuple[float, Floats]:
        """F and blame of one row (1, A), (1, B)."""
        (code,), (every,), (split,), (near,), (ranks,) = self.seen(numbers, categories)
        scores = {
            "pairs": self.pairs.score(code.tolist()),
            "relation": self.relation.score(every),
            "near": min(apart(self.kept["near"], near)),
            "ranks": min(apart(self.kept["ranks"], ranks)),
            "isolation": self.forest.score(split),
            "usual": self.usual.score(every),
        }
        three, two = [0, 1, 2, 3, *self.about], self.about
        shares = {
            "pairs": self.pairs.blame(code.tolist()),
            "relation": gathered(self.relation.inverse(every), three),
            "near": gathered((nearest(self.kept["near"], near) - near) ** 2, two),
            "ranks": gathered((nearest(self.kept["ranks"], ranks) - ranks) ** 2, two),
            "isolation": gathered(self.forest.blame(split, len(split)), two),
            "usual": gathered(self.usual.inverse(every), three),
        }
        blame = [
            nats(self.past[view], score) * shares[view] / max(shares[view].sum(), 1e-12)
            for view, score in scores.items()
        ]
        b = self.forest.burst(split)
        return self.mean(scores) * max(1.0, exp(b)), np.sum(blame, axis=0)


def apart(some: Floats, row: Floats) -> Floats:
    """How far some rows are from this one; what is nearer than .001 is as near."""
    return np.asarray(np.sqrt(np.maximum(((some - row) ** 2).sum(axis=1), 1e-6)))


def nearest(some: Floats, row: Floats) -> Floats:
    return np.asarray(some[apart(some, row).argmin()])


def gathered(shares: Floats, about: list[int]) -> Floats:
    said = np.zeros(COLUMNS)
    for share, column in zip(shares.tolist(), about, strict=True):
        said[column] += share
    return said


def p_of(F: float, past: Sequence[float]) -> float:
    """(number of past F' >= F, linear in the bin of 1/32, + 20 min(1, e^(1 - F)))/(n + 20)."""
    at = int(F * 32)
    beyond = sum(int(f * 32) > at for f in past)
    inside = sum(int(f * 32) == at for f in past) * (1 - (F * 32 - at))
    return min((beyond + inside + 20 * min(1, exp(1 - F))) / (len(past) + 20), 1.0)


def naive(numbers: Floats, categories: Array) -> tuple[list[float], list[Floats]]:
    """Scores and blame: fitted at each doubling, learned in blocks of 256."""
    score, blame = [np.nan] * 64, [np.full(COLUMNS, np.nan)] * 64
    for t in range(64, len(numbers)):
        if t in (64, 256, 512):
            model = Model(numbers[:t], categories[:t])
            past, block = list(model.fused), list[float]()
        elif t % 256 == 0:
            model.forest.learn(model.seen(numbers[t - 256 : t], categories[t - 256 : t])[2])
            past, block = past + block, []
        F, why = model.judge(numbers[t : t + 1], categories[t : t + 1])
        block.append(F)
        score.append(-log(p_of(F, past)))
        blame.append(why if score[-1] >= 4 else np.full(COLUMNS, np.nan))
    return score, blame


def test_a_record_is_as_strange_as_its_views_say_and_as_often_as_it_comes() -> None:
    count = 850
    numbers, categories = rows(count)
    numbers[5::90, 1] = np.nan
    numbers[600], categories[700, 0] = [400.0, 9e4, -3e3, 0.0], 7
    numbers[740:790] = [0.01, 900.0, 9.0, 1.0]  # what was never there comes in numbers
    order = [4, 0, 1, 5, 2, 3]  # of a record's fields some are names and some are numbers
    values = np.hstack([numbers, categories.astype(float)])[:, order]
    fields = tuple("abcdxy"[k] for k in order)
    time = (START + np.arange(count)) * SECOND
    frame = Frame(time, ("events",), fields, values[:, None, :], frozenset("xy"))
    _, said = Rarity().step({}, frame)
    score, blame = naive(numbers, categories.astype(float).astype(np.int64))
    # a residual at the edge of a bin falls to either side, by the last digit of a float32
    away = np.abs(said.values[64:, 0] - score[64:])
    assert np.quantile(away, 0.95) < 0.01
    assert away.max() < 0.2
    assert np.isnan(said.values[:64]).all()
    assert said.blame is not None
    told = said.values[:, 0] >= 4
    assert 0 < told.sum() < 200
    np.testing.assert_array_equal(np.isfinite(said.blame[:, 0]), told[:, None].repeat(6, 1))
    wanted = np.array(blame)[:, order][told]
    np.testing.assert_allclose(said.blame[told, 0], wanted, rtol=0.02, atol=0.02)
