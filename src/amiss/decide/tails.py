"""How rare is a number among those of its own group, in nats.

As tail.py says, for many groups at once. A group with fewer than LEAST numbers is judged by those
of all groups of its kind.
"""

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide.tail import FEWEST, LARGEST, SHARE, heavy

LEAST = 24  # numbers of a group of its own
REACH = 30.0  # numbers are within this
WIDE = 1 << 33  # groups of a kind


def past(kind: Array, group: Array, x: Floats, least: Floats) -> State:
    """The past of kinds (N,), groups of 32 bits (N,) and numbers (N,), with a least beta a kind."""
    own = kind * WIDE + group + 1
    _, inverse, count = np.unique(own, return_inverse=True, return_counts=True)
    large = count[inverse] >= LEAST
    groups = np.concatenate([kind * WIDE, own[large]])
    numbers = np.concatenate([x, x[large]])
    order = np.lexsort((numbers, groups))
    groups, numbers = groups[order], np.clip(numbers[order], -REACH, REACH)
    names, start, size = np.unique(groups, return_index=True, return_counts=True)
    top = np.minimum(np.maximum(FEWEST, size // SHARE), size)
    end = start + size
    u = numbers[end - top]
    total = np.concatenate([[0.0], np.cumsum(numbers)])
    beta = np.maximum((total[end] - total[end - top]) / top - u, least[names // WIDE])
    return {
        "groups": names, "start": start, "size": size, "top": top, "u": u, "beta": beta,
        # one sorted array for all: each group has its own stretch of 64
        "numbers": np.repeat(np.arange(len(names)) * 64.0, size) + numbers,
    }  # fmt: skip


def nats(state: State, kind: Array, group: Array, x: Floats) -> Floats:
    """-ln p (N,) of numbers under their kinds and groups; 0 for a kind that has no past."""
    groups = state["groups"]
    own, last = kind * WIDE + group + 1, len(groups) - 1
    g = np.minimum(np.searchsorted(groups, own), last)
    lost = groups[g] != own
    g[lost] = np.minimum(np.searchsorted(groups, kind[lost] * WIDE), last)
    n, u = state["size"][g], state["u"][g]
    less = (
        np.searchsorted(state["numbers"], g * 64.0 + np.clip(x, -REACH, REACH)) - state["start"][g]
    )
    found = np.clip(heavy(x, less, n, state["top"][g], u, state["beta"][g]), 0.0, LARGEST)
    return np.asarray(np.where(groups[g] // WIDE == kind, found, 0.0))
