"""Events as numbers: what a row's numbers and categories are, against a sample of earlier rows.

    code   numbers: the interval among 7 quantiles (among the values, if 8 at most), or missing
           categories: never seen, rare, or one of the 6 commonest
    z      clip((slog x - mean) / sd, +-10),  slog x = sign x ln(1 + |x|)
    rank   mid-rank in the sample, linear between 257 quantiles
    known  1 for the value of a category, among its 32 commonest; 256 columns in all

A missing number is average: z = 0, rank = .5. What says which row it is and not what it is like
says nothing: a number that never fell and was mostly another one in the latest rows (a counter, a
clock) is as if it were always missing, and a category whose values mostly came once (an identifier)
as if none of its values had ever been seen. All follows from the sample and the latest rows; a row
is encoded by itself. A text is a category: two are alike or they are not.
"""

from dataclasses import dataclass
from math import copysign, isnan, log1p

import numpy as np

from amiss.data import Array, Floats, State
from amiss.kernel import kernel

EDGES = 8
MISSING = EDGES + 1
CODES = EDGES + 2
COMMON = 6  # values of a category with a code of their own
KNOTS = 257
VALUES = 32  # of a category, told apart in distances
WIDEST = 256  # columns of `known`
FAR = 10.0
ENOUGH = 32  # rows after which a column may be known to say nothing
NO_VALUE = -1  # no hash is negative


@dataclass(frozen=True, slots=True)
class Encoded:
    """N rows as numbers; the columns of numbers come before those of categories."""

    code: Array  # (N, F) int32, below CODES
    z: Floats  # (N, numbers)
    rank: Floats  # (N, numbers)
    known: Floats  # (N, K)

    def __getitem__(self, rows: slice | Array) -> "Encoded":
        return Encoded(self.code[rows], self.z[rows], self.rank[rows], self.known[rows])


def fit(numbers: Floats, categories: Array, latest: Floats) -> State:
    """What is known of a sample: numbers (N, A), NaN where missing, and hashes (N, B).

    `latest` (n, A) are the numbers of the rows that came last, in their order.
    Cost: O(N log N) a column.
    """
    width, grows = numbers.shape[1], growing(latest)
    numbers = np.where(grows, np.nan, numbers)
    state = {
        "grows": grows,
        "edges": np.full((width, EDGES), np.inf),
        "knots": np.full((width, KNOTS), np.inf),
        "ranks": np.zeros((width, KNOTS)),
        "counts": np.zeros((width, 2), np.int64),  # of edges, of knots
        "mean": np.zeros(width),
        "sd": np.ones(width),
    }
    for j in range(width):
        x = np.sort(numbers[np.isfinite(numbers[:, j]), j])
        if not len(x):
            continue
        u = np.unique(x)
        edges = u if len(u) <= EDGES else _quantiles(x, EDGES - 1)
        knots = u if len(u) < KNOTS else _quantiles(x, KNOTS)
        ranks = np.searchsorted(x, knots, "left") + np.searchsorted(x, knots, "right")
        state["edges"][j, : len(edges)] = edges
        state["knots"][j, : len(knots)] = knots
        state["ranks"][j, : len(knots)] = ranks / (2.0 * len(x))
        state["counts"][j] = len(edges), len(knots)
        size = signed_log(x)
        state["mean"][j], state["sd"][j] = size.mean(), size.std() + 1e-9
    return state | _values(categories)


def encode(state: State, numbers: Floats, categories: Array) -> Encoded:
    """Rows (N, A), (N, B) -> what they are. Cost: some 40 ns a number, 150 ns a category."""
    grows = state.get("grows", np.False_)  # what an older version fitted knows of none
    if np.any(grows):
        numbers = np.where(grows, np.nan, numbers)
    code = np.empty((len(numbers), numbers.shape[1] + categories.shape[1]), np.int32)
    z, rank = np.empty(numbers.shape), np.empty(numbers.shape)
    parts = ("edges", "knots", "ranks", "counts", "mean", "sd")
    _encode(numbers, code, z, rank, *(state[name] for name in parts))
    known = [np.zeros((len(numbers), 0), np.bool_)]
    for j in range(categories.shape[1]):
        k, values = categories[:, j], state["values"][j]
        seen = state["seen"][state["ends"][j] : state["ends"][j + 1]]
        is_known = np.zeros(len(k), np.bool_)
        if len(seen):  # else it is an identifier
            is_known = seen[np.searchsorted(seen, k).clip(0, len(seen) - 1)] == k
        same = k[:, None] == values[None, :]
        common = same[:, :COMMON]
        place = np.where(common.any(axis=1), common.argmax(axis=1) + 2, is_known)
        code[:, numbers.shape[1] + j] = place
        known.append(same[:, values != NO_VALUE])
    return Encoded(code, z, rank, np.hstack(known)[:, :WIDEST].astype(np.float64))


def owners(state: State) -> Array:
    """The place among all columns of what each column of `known` is about (K,)."""
    each = (state["values"] != NO_VALUE).sum(axis=1)
    return np.repeat(len(state["mean"]) + np.arange(len(each)), each)[:WIDEST]


def growing(latest: Floats) -> Array:
    """Which numbers of rows (n, A) in their order never fall, and are mostly another one: (A,)."""
    found = np.zeros(latest.shape[1], np.bool_)
    for j in range(latest.shape[1]):
        steps = np.diff(latest[np.isfinite(latest[:, j]), j])
        found[j] = len(steps) >= ENOUGH and steps.min() >= 0.0 and (steps > 0.0).mean() > 0.5
    return found


def silent(state: State) -> Array:
    """Which columns say nothing: those of numbers, then those of categories."""
    return np.concatenate([state["grows"], np.diff(state["ends"]) == 0])


def signed_log(x: Floats) -> Floats:
    """sign x ln(1 + |x|)."""
    size: Floats = np.copysign(np.log1p(np.abs(x)), x)
    return size


def _quantiles(x: Floats, count: int) -> Floats:
    """So many of a sorted sample, without those that are equal."""
    found: Floats = np.unique(np.quantile(x, np.linspace(0.0, 1.0, count)))
    return found


def _values(categories: Array) -> State:
    """Of each category, the commonest values first, and all that were seen, sorted."""
    values = np.full((categories.shape[1], VALUES), NO_VALUE, np.int64)
    seen, ends = [np.zeros(0, np.int64)], [0]
    for j in range(categories.shape[1]):
        found, count = np.unique(categories[:, j], return_counts=True)
        rows = len(categories)
        if rows > ENOUGH and 2 * np.count_nonzero(count == 1) > rows:
            found, count = found[:0], count[:0]
        first = found[np.argsort(-count, kind="stable")][:VALUES]
        values[j, : len(first)] = first
        seen.append(found)
        ends.append(ends[-1] + len(found))
    return {"values": values, "seen": np.concatenate(seen), "ends": np.array(ends)}


@kernel
def _encode(
    numbers: Array,
    code: Array,
    z: Array,
    rank: Array,
    edges: Array,
    knots: Array,
    ranks: Array,
    counts: Array,
    mean: Array,
    sd: Array,
) -> None:
    for i in range(numbers.shape[0]):
        for j in range(numbers.shape[1]):
            x = numbers[i, j]
            if isnan(x):
                code[i, j], z[i, j], rank[i, j] = MISSING, 0.0, 0.5
                continue
            code[i, j] = _less(edges[j], counts[j, 0], x)
            size = copysign(log1p(abs(x)), x)
            z[i, j] = min(max((size - mean[j]) / sd[j], -FAR), FAR)
            rank[i, j] = _between(knots[j], ranks[j], counts[j, 1], x)


@kernel
def _less(some: Array, count: int, x: float) -> int:
    """How many of so many sorted ones are less than x."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if some[middle] < x:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _between(knots: Array, ranks: Array, count: int, x: float) -> float:
    """Linear between knots, the rank of the outermost beyond; a half where there is none."""
    if count == 0:
        return 0.5
    at = _less(knots, count, x)
    if at in (0, count):
        return float(ranks[min(at, count - 1)])
    share = (x - knots[at - 1]) / (knots[at] - knots[at - 1])
    return float(ranks[at - 1] + share * (ranks[at] - ranks[at - 1]))
