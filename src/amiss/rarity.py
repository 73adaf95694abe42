"""How rare an event is among earlier ones: six views of it, fused.

pairs     values, and combinations of two, that were hardly met       (detectors/pairs.py)
relation  columns that the others do not predict                      (detectors/relation.py)
near      far from all that was kept, numbers as signed logarithms    (detectors/neighbours.py)
ranks     the same, numbers as ranks
usual_pairs, usual_relation    the first two, learned from the usual part of the sample alone

F = mean of the six, each as -ln p among its own past (decide/tail.py). The past are the scores of
a sample's own rows, each left out in turn: what a model said of rows when it was young would make
all that comes later look usual. The model is a function of the sample alone.

The usual part is all but the 2 % that are strangest to an isolation forest and to `relation`: for
a history that nobody cleaned has attacks in it, and to have been there once must not be enough to
be normal. Those two find by mass and by what holds for all rows, so that a cluster does not hide
its own. Distances are learned from the whole: what is rare and usual is known by its like alone.
Near to the concentration step of Rousseeuw and Van Driessen, Technometrics 1999.
"""

from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Floats, Frame, State
from amiss.decide import tail
from amiss.detectors import neighbours, pairs, relation
from amiss.detectors.isolation_forest import IsolationForest
from amiss.features import encoding
from amiss.features.encoding import CODES, Encoded

VIEWS = ("pairs", "relation", "near", "ranks", "usual_pairs", "usual_relation")
PAIRS, RELATIONS, NEIGHBOURS = VIEWS[::4], VIEWS[1::4], VIEWS[2:4]
ASKED = 4096  # rows of the sample whose scores are the past
STRANGEST = 0.02  # of the sample, not in its usual part
APART = {"near": 2.0, "ranks": 0.5}
"""Two values of a category are so far apart, times sqrt 2, in the unit of the numbers."""

States = dict[str, State]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is thought of N rows."""

    fused: Floats  # (N,) F
    nats: Floats  # (N, views)
    encoded: Encoded
    nearest: dict[str, Array]  # (N,) stored rows, by view


def fit(numbers: Floats, categories: Array, seed: int = 0) -> tuple[States, Floats]:
    """The model of a sample (n, A), (n, B), and F of its rows as if each were new.

    Cost: about a second for 16,384 rows of 42 columns.
    """
    known = encoding.fit(numbers, categories)
    encoded = encoding.encode(known, numbers, categories)
    together, every = _together(encoded), np.arange(len(numbers))
    order = np.random.default_rng((seed, 1)).permutation(len(numbers))
    asked = order[:ASKED]
    states, found = {"encoding": known}, dict[str, Floats]()
    states["pairs"], found["pairs"] = pairs.fit(encoded.code, CODES, asked, seed)
    states["relation"], strange = relation.fit(together, every)
    found["relation"] = strange[asked]
    for name in NEIGHBOURS:
        states[name], found[name] = neighbours.fit(_space(encoded, name), order, ASKED)
    kept, rest = _usual(strange, _isolation(np.hstack([numbers, encoded.known]), seed))
    again, past = every[: len(kept)], np.empty(len(numbers))
    states["usual_pairs"], past[kept] = pairs.fit(encoded.code[kept], CODES, again, seed)
    past[rest] = pairs.score(states["usual_pairs"], encoded.code[rest])
    found["usual_pairs"] = past[asked]
    states["usual_relation"], past[kept] = relation.fit(together[kept], again)
    past[rest] = relation.score(states["usual_relation"], together[rest])
    found["usual_relation"] = past[asked]
    states["past"] = {name: np.sort(scores) for name, scores in found.items()}
    return states, _nats(states, found).mean(axis=1)


def judge(states: States, numbers: Floats, categories: Array) -> Opinion:
    """Rows (N, A), (N, B) -> opinions. To the last digit where N is always the same.

    Cost: about 22 us a row of 42 columns.
    """
    encoded = encoding.encode(states["encoding"], numbers, categories)
    together, found, which = _together(encoded), dict[str, Floats](), dict[str, Array]()
    for name in PAIRS:
        found[name] = pairs.score(states[name], encoded.code)
    for name in RELATIONS:
        found[name] = relation.score(states[name], together)
    for name in NEIGHBOURS:
        found[name], which[name] = neighbours.nearest(states[name], _space(encoded, name))
    nats = _nats(states, found)
    return Opinion(nats.mean(axis=1), nats, encoded, which)


def blame(states: States, opinion: Opinion, rows: Array) -> Floats:
    """How much each column adds to F of these rows (N, A + B): what views say, shared out."""
    encoded = opinion.encoded[rows]
    columns, numbers = encoded.code.shape[1], encoded.z.shape[1]
    known = encoding.owners(states["encoding"])
    number = np.arange(numbers)
    three, two = np.concatenate([number, number, known]), np.concatenate([number, known])
    shares = {name: pairs.blame(states[name], encoded.code) for name in PAIRS}
    for name in RELATIONS:
        shares[name] = _gathered(relation.blame(states[name], _together(encoded)), three, columns)
    for name in NEIGHBOURS:
        which = opinion.nearest[name][rows]
        away = neighbours.blame(states[name], _space(encoded, name), which)
        shares[name] = _gathered(away, two, columns)
    total = np.zeros((len(rows), columns))
    for k, name in enumerate(VIEWS):
        each = shares[name].sum(axis=1, keepdims=True) + 1e-12
        total += opinion.nats[rows, k, None] * shares[name] / each
    return total


def _isolation(x: Floats, seed: int) -> Floats:
    """How few cuts tell each row of a sample (n, D) from the others (n,)."""
    forest, time = IsolationForest(seed=seed), np.zeros(len(x), np.int64)
    names = tuple(f"{d:06}" for d in range(x.shape[1]))
    frame = Frame(time, ("event",), names, x[:, None, :])
    _, scores = forest.step(forest.fit(forest.init(1, len(names)), frame), frame)
    return np.nan_to_num(scores.values[:, 0])


def _usual(*strange: Floats) -> tuple[Array, Array]:
    """Which rows of a sample are in its usual part, and which are not."""
    total = np.sum([tail.nats(np.sort(scores), scores) for scores in strange], axis=0)
    order = np.argsort(total, kind="stable")
    kept = len(order) - int(STRANGEST * len(order))
    return np.sort(order[:kept]), np.sort(order[kept:])


def _nats(states: States, found: dict[str, Floats]) -> Floats:
    return np.stack([tail.nats(states["past"][name], found[name]) for name in VIEWS], axis=1)


def _together(encoded: Encoded) -> Floats:
    return np.hstack([encoded.z, encoded.rank, encoded.known])


def _space(encoded: Encoded, name: str) -> Floats:
    """Where rows are, for distances."""
    numbers = encoded.z if name == "near" else encoded.rank
    return np.hstack([numbers, APART[name] * encoded.known])


def _gathered(shares: Floats, owner: Array, columns: int) -> Floats:
    """(N, D) shares as sums over the columns that they are about (N, columns)."""
    said = np.zeros((len(shares), columns))
    for d, column in enumerate(owner.tolist()):
        said[:, column] += shares[:, d]
    return said
