"""How strange is a session of lines: how often it has each template, and in what order.

    rare   = ln mean_t 1 / min(1, 2 min(P(C_t >= c_t), P(C_t <= c_t)))     over templates t
    mass   = score of an isolation forest over ln(1 + c_t)                  (detecting/trees.py)
    order  = ln mean_m 1 / P(m | the rarer of its two templates is there)   over moves m to the next
    both   = sqrt(r s),  r and s the nats of `rare` and `mass` by their bulk (decide/bulk.py)
    F      = max(both, o / 2),  o the nats of `order` by its rank

A share P of n sessions is (those of them + 1)/(n + 1), and c_t is how often a session has template
t, from 16 on in steps of an eighth of an octave. `rare` is over the templates of the session and
those that more than half of all sessions have; all others count as p = 1. It finds what was never
so, and takes for strange what is merely new; the forest ranks by mass, and a kind of line that is
new is nothing to it. Geometric: both have to find a session strange. The bulk of each is that of
the sample, so that F means the same early and late: one that follows the sessions makes strange
ones of an hour with few kinds of session, and hides those of an hour with many. Counts are learned
from all sessions alike, so that what comes to be usual is forgiven. A session is anomalous where
the bulk of the last 2,048 F says so. The order is by its rank among as many and at half its nats:
it says which of two sessions with usual counts is the stranger, and never makes an alert. The
forest is that of the history; without one it is fitted as sessions come, more seldom with time.
Sessions are judged in blocks, each by what was before the block.
"""

from collections.abc import Sequence
from itertools import islice, pairwise

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide import bulk
from amiss.detecting import trees

COLUMNS = 1000  # templates; those that come later are one
LEVELS = 64  # counts as they are below 16, then eight an octave
MOVES = 1 << 16  # cells of the table of moves, by their hash
LONGEST = 64  # moves of a session that are looked at: the first different ones
SAMPLE = 2048  # sessions that forest and past are made of, drawn evenly
RECENT = 2048  # sessions whose F say what is anomalous, and among which the order has its rank
BLOCK = 64
FITS = (64, 256, 1024, 4096)  # sessions at which a forest is fitted without a history
REFIT = 32768  # sessions between two forests
SEED = 0
MOST = 30.0  # nats
ALIKE = 0.1  # nats of `order` that are no difference: shares change a little with each session
EDGE = COLUMNS  # what is before the first and after the last line: all sessions have it

States = dict[str, State]


def init() -> States:
    """No session yet."""
    seen: State = {
        "levels": np.zeros((COLUMNS, LEVELS), np.int32),  # sessions by level of each template
        "moves": np.zeros(MOVES, np.int32),  # sessions with each
        "sessions": np.zeros(1, np.int64),
        "told": np.zeros(1, np.bool_),  # whether there was a history
        "sample": np.zeros((0, COLUMNS), np.uint8),
        "sampled_moves": np.zeros((0, LONGEST, 3), np.int32),
    }
    past = {name: np.zeros(0) for name in ("rare", "mass", "order", "fused")}
    return {"seen": seen, "past": past, "forest": {}, "bulk": bulk.init()}


def step(
    states: States, sessions: Sequence[Sequence[int] | Array], history: bool = False
) -> tuple[States, Floats, Floats, Array]:
    """Sessions of template ids -> F, p and which are anomalous, all (N,); then they are learned.

    NaN where there is nothing to go by yet, and in a history. Cost: about 100 us a session.
    """
    out = np.full((2, len(sessions)), np.nan)
    anomalous = np.zeros(len(sessions), np.bool_)
    for at in range(0, len(sessions), BLOCK):
        part = sessions[at : at + BLOCK]
        levels, moves = counted(part)
        before = int(states["seen"]["sessions"][0])
        if states["forest"] and not history:
            here = slice(at, at + len(part))
            views, past = _views(states, levels, moves), states["past"]
            out[0, here] = fuse(past, *views)
            out[1, here], _ = bulk.rank(states["bulk"], out[0, here])
            states["bulk"] = bulk.learn(states["bulk"], out[0, here], np.ones(len(part)))
            anomalous[here] = _nats(past["fused"], out[0, here]) >= bulk.ALERT
            for name, new in (("order", views[2]), ("fused", out[0, here])):
                past[name] = np.append(past[name], new)[-RECENT:]
        states["seen"] = _learn(states["seen"], levels, moves)
        if not history and _due(states["seen"], before):
            states = fitted(states)
    if history and sessions:
        states = fitted(states)
        states["seen"]["told"][0] = True
    return states, out[0], out[1], anomalous


def counted(sessions: Sequence[Sequence[int] | Array]) -> tuple[Array, Array]:
    """Sessions -> levels (N, COLUMNS) of their templates; moves (N, LONGEST, 3), or -1.

    A count below 16 is its own level. A move is its cell, and the templates before and after.
    """
    counts = np.zeros((len(sessions), COLUMNS), np.int64)
    moves = np.full((len(sessions), LONGEST, 3), -1, np.int32)
    for n, session in enumerate(sessions):
        ids = np.minimum(np.asarray(session, np.int64), COLUMNS - 1)
        np.add.at(counts[n], ids, 1)
        pairs = dict.fromkeys(pairwise((EDGE, *ids.tolist(), EDGE)))
        for k, (a, b) in enumerate(islice(pairs, LONGEST)):
            moves[n, k] = (a * 31_337 + b * 1_000_003) % MOVES, a, b
    far = 16 + (8 * np.log2(np.maximum(counts, 1) / 16)).astype(np.int64)
    levels = np.where(counts < 16, counts, np.minimum(far, LEVELS - 1))
    return levels.astype(np.uint8), moves


def rare(seen: State, levels: Array, alone: bool = False) -> Floats:
    """Levels (N, COLUMNS) -> ln mean of 1/p; `alone`: of those that were learned themselves."""
    had, n = seen["levels"], int(seen["sessions"][0])
    known = np.flatnonzero(had[:, 1:].any(axis=1) | levels.any(axis=0))
    had, x, one = had[known], levels[:, known].astype(np.int64), int(alone)
    up_to = np.cumsum(had, axis=1)
    places = np.arange(len(known))
    below = np.where(x > 0, up_to[places, np.maximum(x - 1, 0)], 0)
    # a template that was not known yet was 0 in all sessions: so are the rows of `had`
    fewer = up_to[places, x] - one + 1
    more = n - below - one + 1
    p = np.minimum(1.0, 2.0 * np.minimum(fewer, more) / (n - one + 1))
    common = 2 * (n - had[:, 0]) > n
    counts = np.where((x > 0) | common, 1.0 / p, 1.0)
    return np.asarray(np.log(counts.mean(axis=1))) if len(known) else np.zeros(len(levels))


def order(seen: State, moves: Array, alone: bool = False) -> Floats:
    """Moves (N, LONGEST, 3) -> ln mean of 1 / share of sessions with them."""
    there, one, n = moves[..., 0] >= 0, int(alone), int(seen["sessions"][0])
    having = np.append(n - seen["levels"][:, 0], n) - one
    possible = np.minimum(having[moves[..., 1]], having[moves[..., 2]])
    done = np.minimum(seen["moves"][moves[..., 0]] - one, possible)
    inverse = (np.maximum(possible, 0) + 1) / (np.maximum(done, 0) + 1)
    return np.asarray(np.log((inverse * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1)))


def fuse(past: State, rarity: Floats, mass: Floats, moved: Floats) -> Floats:
    """The three views (N,) -> F (N,), by the past of each."""
    both = np.sqrt(_nats(past["rare"], rarity) * _nats(past["mass"], mass))
    known = np.sort(past["order"])
    rank = len(known) - np.searchsorted(known, moved - ALIKE) + 1
    o = np.log((len(known) + 1) / rank)
    return np.asarray(np.maximum(both, o / 2.0))


def fitted(states: States) -> States:
    """A forest of the sample, and the past that each of it would have had among the others."""
    seen = states["seen"]
    grown = trees.grow(_logs(seen["sample"]))
    past = {
        "rare": rare(seen, seen["sample"], True),
        "mass": trees.score(grown, _logs(seen["sample"])),
        "order": order(seen, seen["sampled_moves"], True),
    }
    past["fused"] = fuse(past, past["rare"], past["mass"], past["order"])
    refilled = bulk.refill(states["bulk"], past["fused"])
    return states | {"forest": grown, "past": past, "bulk": refilled}


def _views(states: States, levels: Array, moves: Array) -> tuple[Floats, Floats, Floats]:
    seen = states["seen"]
    mass = trees.score(states["forest"], _logs(levels))
    return rare(seen, levels), mass, order(seen, moves)


def _nats(past: Floats, x: Floats) -> Floats:
    """x (N,) by the bulk of the past (n,), at most MOST."""
    low, high = np.quantile(past, [bulk.LOW, bulk.HIGH])
    return np.minimum(bulk.exponential(x, float(low), float(high)), MOST)


def _learn(seen: State, levels: Array, moves: Array) -> State:
    n = int(seen["sessions"][0])
    for x, cells in zip(levels, moves, strict=True):
        seen["levels"][np.arange(COLUMNS), x] += 1
        seen["moves"][cells[cells[:, 0] >= 0, 0]] += 1
    ranks = n + 1 + np.arange(len(levels))
    free = SAMPLE - len(seen["sample"])
    draws = np.random.default_rng((SEED, n)).random(len(levels))
    places = (draws * ranks).astype(np.int64)  # of a reservoir
    sample = np.concatenate([seen["sample"], levels[:free]]) if free else seen["sample"]
    sampled = seen["sampled_moves"]
    sampled = np.concatenate([sampled, moves[:free]]) if free else sampled
    for k in range(free, len(levels)):
        if places[k] < SAMPLE:
            sample[places[k]], sampled[places[k]] = levels[k], moves[k]
    added = {"sessions": seen["sessions"] + len(levels)}
    return seen | added | {"sample": sample, "sampled_moves": sampled}


def _due(seen: State, before: int) -> bool:
    after = int(seen["sessions"][0])
    early = () if seen["told"][0] else FITS
    return any(before < n <= after for n in early) or before // REFIT != after // REFIT


def _logs(levels: Array) -> Floats:
    return np.asarray(np.log1p(levels.astype(float)))
