"""How much more often the like of an event comes than it came in the sample.

    b = mean_t ln [ (r(leaf) + 1)/(w h(leaf) + 1)  /  (r(around) + 1)/(w h(around) + 1) ]

over the trees of a forest (detecting/trees.py): h is the share of the sample in a node, r how many
of the last w = 1,024 events are in it, `around` the smallest node above the leaf that holds at
least 1/32 of the sample. So b is a logarithm of a ratio of densities, lately against usually, in
which a region that has as a whole become more or less busy (more web traffic, a night) is forgiven:
what counts is what has become frequent where its surroundings have not. It is about 0 for what
comes as often as ever. Trees have to be heaps, as trees.py grows them. Near to density ratio
estimation: Hido and others, "Statistical outlier detection using direct density ratio estimation",
Knowledge and Information Systems 2011.
"""

from math import log

import numpy as np

from amiss.data import Array, Floats, State
from amiss.kernel import kernel

WINDOW = 1024
AROUND = 1 / 32
BLOCK = 256


def fit(leaves: Array, nodes: int) -> tuple[State, Floats]:
    """Masses from the leaves of a sample (n, trees) in order of time, and what b its rows had.

    The latest rows are to be learned yet; for those b they were, at first, the last of the sample.
    Cost: 2 us a row.
    """
    trees = leaves.shape[1]
    held, around = np.zeros((trees, nodes), np.int32), np.zeros((trees, nodes), np.int16)
    _count(leaves, 1, held)
    _surround(held, max(1, int(np.ceil(AROUND * len(leaves)))), around)
    state: State = {"held": held, "around": around}
    state |= {"recent": np.zeros_like(held), "window": leaves[:0]}
    later = learn(state, leaves[-WINDOW:])
    past = np.empty(len(leaves))
    for at in range(0, len(leaves), BLOCK):
        part = leaves[at : at + BLOCK]
        past[at : at + BLOCK] = score(later, part)
        later = learn(later, part)
    return state, past


def score(state: State, leaves: Array) -> Floats:
    """b of rows in these leaves (N, trees) -> (N,). Cost: 1 us a row."""
    found = np.zeros(len(leaves))
    if len(state["window"]):
        much = len(state["window"]) / float(state["held"][0, 0])
        _score(leaves, state["held"], state["around"], state["recent"], much, found)
    return found


def learn(state: State, leaves: Array) -> State:
    """With rows in these leaves (N, trees) as the latest."""
    window = np.concatenate([state["window"], leaves])
    gone = max(0, len(window) - WINDOW)
    recent = state["recent"].copy()
    _count(leaves, 1, recent)
    _count(window[:gone], -1, recent)
    return state | {"recent": recent, "window": window[gone:]}


def blame(state: State, feature: Array, leaves: Array, columns: int) -> Floats:
    """By which columns rows were set apart (N, columns): ln(mass before / mass after a split)."""
    found = np.zeros((len(leaves), columns))
    _blame(leaves, feature, state["held"], found)
    return found


@kernel
def _count(leaves: Array, step: int, counts: Array) -> None:
    """Add `step` to each node on the way to these leaves."""
    for t in range(leaves.shape[1]):
        for i in range(len(leaves)):
            node = int(leaves[i, t])
            counts[t, node] += step
            while node > 0:
                node = (node - 1) // 2
                counts[t, node] += step


@kernel
def _surround(held: Array, least: int, around: Array) -> None:
    for t in range(held.shape[0]):
        for node in range(held.shape[1]):
            up = node
            while up > 0 and held[t, up] < least:
                up = (up - 1) // 2
            around[t, node] = up


@kernel
def _score(
    leaves: Array, held: Array, around: Array, recent: Array, much: float, found: Array
) -> None:
    found[:] = 0.0
    for t in range(leaves.shape[1]):
        for i in range(len(leaves)):
            leaf = leaves[i, t]
            near = around[t, leaf]
            more = (recent[t, leaf] + 1.0) * (much * held[t, near] + 1.0)
            usual = (much * held[t, leaf] + 1.0) * (recent[t, near] + 1.0)
            found[i] += log(more / usual)
    found /= leaves.shape[1]


@kernel
def _blame(leaves: Array, feature: Array, held: Array, found: Array) -> None:
    for i in range(len(leaves)):
        for t in range(leaves.shape[1]):
            node = int(leaves[i, t])
            while node > 0:
                up = (node - 1) // 2
                found[i, feature[t, up]] += log((held[t, up] + 1.0) / (held[t, node] + 1.0))
                node = up
