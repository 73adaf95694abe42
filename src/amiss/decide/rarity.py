"""How rare an event is among earlier ones: six views of it, fused, and whether it comes in numbers.

    like none   pairs      values, and combinations of two, hardly met    (detectors/pairs.py)
                relation   columns that the others do not predict         (detectors/relation.py)
                near       far from all that was kept, numbers as signed logarithms
                ranks      the same, numbers as ranks                     (detectors/neighbours.py)
    off mass    isolation  few splits set it apart                        (detecting/trees.py)
                usual      `relation`, learned from the usual part of the sample alone

    F = mean of the six, times max(1, e^b)

each as -ln p among its own past (decide/tail.py); b is how much more often its like came lately
(detectors/burst.py). The first four ask whether there was ever such an event. But a history that
nobody cleaned has attacks in it, and to have been there once must not be enough to be normal: the
last two ask how much of it there was, so that a cluster does not hide its own. And what was rare
and now comes in numbers is that many times the evidence, whatever the history had of it: e^b is
what nats of so many are, taken together.

The past are the scores of the sample's own rows, each left out in turn: what a model said of rows
when it was young would make all that comes later look usual. The model is a function of the sample
and of the latest rows. The usual part is all but the 2 % that are strangest to `isolation` and to
`relation`, near to the concentration step of Rousseeuw and Van Driessen, Technometrics 1999.
"""

from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide import tail
from amiss.detecting import trees
from amiss.detectors import burst, neighbours, pairs, relation
from amiss.features import encoding
from amiss.features.encoding import CODES, Encoded

VIEWS = ("pairs", "relation", "near", "ranks", "isolation", "usual")
RELATIONS, NEIGHBOURS = ("relation", "usual"), ("near", "ranks")
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
    leaves: Array  # (N, trees) of the forest


def fit(numbers: Floats, categories: Array, latest: State, seed: int = 0) -> tuple[States, Floats]:
    """The model of a sample (n, A), (n, B), and F of its rows as if each were new.

    `latest` are the `numbers` and `categories` of the rows that came last.
    Cost: half a second for 16,384 rows of 42 columns.
    """
    known = encoding.fit(numbers, categories, latest["numbers"])
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
    states["isolation"] = trees.grow(_split(encoded))
    leaves = trees.leaves(states["isolation"], _split(encoded))
    isolated = trees.score_leaves(states["isolation"], leaves)
    found["isolation"] = isolated[asked]
    kept, rest = _usual(strange, isolated)
    past = np.empty(len(numbers))
    states["usual"], past[kept] = relation.fit(together[kept], every[: len(kept)])
    past[rest] = relation.score(states["usual"], together[rest])
    found["usual"] = past[asked]
    states["past"] = {name: np.sort(scores) for name, scores in found.items()}
    states["burst"], often = burst.fit(leaves, states["isolation"]["feature"].shape[1])
    fused = _fused(_nats(states, found), often[asked])
    lately = encoding.encode(known, latest["numbers"], latest["categories"])
    leaves = trees.leaves(states["isolation"], _split(lately))
    return learn(states, leaves), fused


def judge(states: States, numbers: Floats, categories: Array) -> Opinion:
    """Rows (N, A), (N, B) -> opinions. To the last digit where N is always the same.

    Cost: about 20 us a row of 42 columns.
    """
    encoded = encoding.encode(states["encoding"], numbers, categories)
    together, found, which = _together(encoded), dict[str, Floats](), dict[str, Array]()
    found["pairs"] = pairs.score(states["pairs"], encoded.code)
    for name in RELATIONS:
        found[name] = relation.score(states[name], together)
    for name in NEIGHBOURS:
        found[name], which[name] = neighbours.nearest(states[name], _space(encoded, name))
    leaves = trees.leaves(states["isolation"], _split(encoded))
    found["isolation"] = trees.score_leaves(states["isolation"], leaves)
    nats = _nats(states, found)
    often = burst.score(states["burst"], leaves)
    return Opinion(_fused(nats, often), nats, encoded, which, leaves)


def learn(states: States, leaves: Array) -> States:
    """With the rows in these leaves (N, trees) as the latest."""
    return states | {"burst": burst.learn(states["burst"], leaves)}


def blame(states: States, opinion: Opinion, rows: Array) -> Floats:
    """How much each column adds to F of these rows (N, A + B): what views say, shared out."""
    encoded = opinion.encoded[rows]
    columns, numbers = encoded.code.shape[1], encoded.z.shape[1]
    known = encoding.owners(states["encoding"])
    number = np.arange(numbers)
    three, two = np.concatenate([number, number, known]), np.concatenate([number, known])
    shares = {"pairs": pairs.blame(states["pairs"], encoded.code)}
    for name in RELATIONS:
        shares[name] = _gathered(relation.blame(states[name], _together(encoded)), three, columns)
    for name in NEIGHBOURS:
        which = opinion.nearest[name][rows]
        away = neighbours.blame(states[name], _space(encoded, name), which)
        shares[name] = _gathered(away, two, columns)
    feature, leaves = states["isolation"]["feature"], opinion.leaves[rows]
    apart = burst.blame(states["burst"], feature, leaves, len(two))
    shares["isolation"] = _gathered(apart, two, columns)
    total = np.zeros((len(rows), columns))
    for k, name in enumerate(VIEWS):
        each = shares[name].sum(axis=1, keepdims=True) + 1e-12
        total += opinion.nats[rows, k, None] * shares[name] / each
    return total


def _usual(*strange: Floats) -> tuple[Array, Array]:
    """Which rows of a sample are in its usual part, and which are not."""
    total = np.sum([tail.nats(np.sort(scores), scores) for scores in strange], axis=0)
    order = np.argsort(total, kind="stable")
    kept = len(order) - int(STRANGEST * len(order))
    return np.sort(order[:kept]), np.sort(order[kept:])


def _fused(nats: Floats, often: Floats) -> Floats:
    """F (N,) of the views (N, views) and b (N,)."""
    fused: Floats = nats.mean(axis=1) * np.exp(np.maximum(often, 0.0))
    return fused


def _nats(states: States, found: dict[str, Floats]) -> Floats:
    return np.stack([tail.nats(states["past"][name], found[name]) for name in VIEWS], axis=1)


def _together(encoded: Encoded) -> Floats:
    return np.hstack([encoded.z, encoded.rank, encoded.known])


def _split(encoded: Encoded) -> Floats:
    """Where rows are, for trees."""
    return np.hstack([encoded.z, encoded.known])


def _space(encoded: Encoded, name: str) -> Floats:
    """Where rows are, for distances."""
    numbers = encoded.z if name == "near" else encoded.rank
    return np.hstack([numbers, APART[name] * encoded.known])


def _gathered(shares: Floats, owner: Array, columns: int) -> Floats:
    """(N, D) shares as sums over the columns that they are about (N, columns)."""
    said = np.zeros((columns, len(shares)))
    np.add.at(said, owner, shares.T)
    return said.T
