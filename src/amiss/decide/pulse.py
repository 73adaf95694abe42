"""Single records by the minute: how many came of each kind, and the strangest of them.

A minute (t - 60 s, t] is called t and leaves when it is later than t, by the records or by what
the source has promised. A kind is 0 in minutes in which none of it came, for a day; then it is
gone until it comes again. No more than 10,000 kinds are counted at a time.
"""

import numpy as np

from amiss.data import MINUTE, Array, Floats, Frame, State, Strings, Times, parse_key, series_key
from amiss.text.dictionary import encoded

NAME = "events_per_minute"
NEVER = np.iinfo(np.int64).min
GONE = 1440  # minutes
MOST = 10_000  # kinds


def rate_of(system: str) -> str:
    """The key of the series that counts the records of a system, all of them."""
    return series_key(NAME, parse_key(f"x{{{system}}}")[1])


def init() -> State:
    """No minute yet."""
    return {
        "closed": np.full(1, NEVER),  # the last minute that is over, as its number
        "kinds": np.zeros(0, "U1"),  # in the order of their names
        "last": np.zeros(0, np.int64),  # the last minute of each that left with one of it
        "refused": np.zeros(1, np.int64),  # records of too many kinds
        "minute": np.zeros(0, np.int64),  # of what is held: minute, kind, count, strangest
        "kind": np.zeros(0, np.int64),
        "count": np.zeros(0),
        "strangest": np.zeros(0),
    }


def step(
    state: State, time: Times, kinds: Strings, nats: Floats, now: int
) -> tuple[State, Frame, Floats]:
    """Records at these times (T,), by their labels, how strange; what has passed leaves.

    The frame has the counts of M minutes (M, K, 1), NaN where a kind is gone; the floats have
    the strangest nats (M, K), NaN where none was judged. Nothing will come before `now`.
    Cost: O(T log T + M K).
    """
    known = _within(state["kinds"], kinds)
    refused = state["refused"] + (~known).sum()
    names, index = _sorted(np.concatenate([state["kinds"], kinds[known]]))
    old, new = index[: len(state["kinds"])], index[len(state["kinds"]) :]
    last = np.full(len(names), NEVER)
    last[old] = state["last"]
    held = _held(
        np.concatenate([state["minute"], -(-time[known] // MINUTE)]),
        np.concatenate([old[state["kind"]], new]),
        np.concatenate([state["count"], np.ones(len(new))]),
        np.concatenate([state["strangest"], nats[known]]),
        len(names),
    )
    closed = int(state["closed"][0])
    until = closed if now == NEVER else max(closed, (now - 1) // MINUTE)
    done = held["minute"] <= until
    minutes = _minutes(np.union1d(last[last > NEVER], held["minute"][done]), closed, until)
    shape, where = (len(minutes), len(names)), np.searchsorted(minutes, held["minute"][done])
    counts, worst, came = np.zeros(shape), np.full(shape, np.nan), np.full(shape, NEVER)
    counts[where, held["kind"][done]] = held["count"][done]
    worst[where, held["kind"][done]] = held["strangest"][done]
    came[where, held["kind"][done]] = held["minute"][done]
    came = np.maximum.accumulate(np.vstack([last, came]))
    counts[minutes[:, None] - GONE > came[1:]] = np.nan
    left = {name: column[~done] for name, column in held.items()}
    kept = (came[-1] >= until - GONE) | np.isin(np.arange(len(names)), left["kind"])
    frame = Frame(
        minutes * MINUTE, tuple(map(_key, names.tolist())), ("value",), counts[:, :, None]
    )
    state = {
        "closed": np.array([until]),
        "kinds": names[kept],
        "last": came[-1][kept],
        "refused": refused,
        **left,
        "kind": (np.cumsum(kept) - 1)[left["kind"]],
    }
    return state, frame, worst


def _within(known: Strings, kinds: Strings) -> Array:
    """Which records are of a kind that is counted: the first of them, as long as there is room."""
    first, which = encoded(kinds)
    fresh = np.flatnonzero(~np.isin(kinds[first], known))
    allowed = np.ones(len(first), np.bool_)
    allowed[fresh[max(MOST - len(known), 0) :]] = False
    return allowed[which]


def _sorted(texts: Strings) -> tuple[Strings, Array]:
    """Each text once in the order of names, and which of them each row has."""
    first, which = encoded(texts)
    order = np.argsort(texts[first])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return texts[first[order]], place[which]


def _held(minute: Array, kind: Array, count: Floats, strangest: Floats, kinds: int) -> State:
    """The same with one row for each minute and kind."""
    cell, place = np.unique(minute * max(kinds, 1) + kind, return_inverse=True)
    most = np.full(len(cell), np.nan)
    np.fmax.at(most, place, strangest)
    return {
        "minute": cell // max(kinds, 1),
        "kind": cell % max(kinds, 1),
        "count": np.bincount(place, count, len(cell)),
        "strangest": most,
    }


def _minutes(came: Array, closed: int, until: int) -> Array:
    """The minutes to tell: those in which something came, and the day after each, in order."""
    if not len(came):
        return came
    first = np.maximum(came, closed + 1)
    end = np.minimum(np.append(came[1:], until), came + GONE)
    runs = zip(first.tolist(), np.minimum(end, until).tolist(), strict=True)
    return np.unique(np.concatenate([np.arange(a, b + 1) for a, b in runs]))


def _key(kind: str) -> str:
    return series_key(NAME, parse_key(f"{NAME}{{{kind}}}")[1] if kind else {})
