"""Single records by the minute: how many came of each kind, and the strangest of them.

A minute (t - 60 s, t] is called t and leaves when it is later than t, by the records or by what
the source has promised. Minutes in which nothing came are 0, over a day at most: what
was silent for longer begins anew.
"""

import numpy as np

from amiss.data import (
    DAY,
    MINUTE,
    Array,
    Floats,
    Frame,
    State,
    Strings,
    Times,
    parse_key,
    series_key,
)

NAME = "events_per_minute"
NEVER = np.iinfo(np.int64).min


def init() -> State:
    """No minute yet."""
    return {
        "closed": np.full(1, NEVER),  # the last minute that left, as its number
        "systems": np.zeros(0, "U1"),
        "since": np.zeros(0, np.int64),  # the first minute of each
        "minute": np.zeros(0, np.int64),  # of what is held: minute, system, count, strangest
        "system": np.zeros(0, np.int64),
        "count": np.zeros(0),
        "strangest": np.zeros(0),
    }


def step(
    state: State, time: Times, systems: Strings, nats: Floats, now: int
) -> tuple[State, Frame, Floats]:
    """Records at these times (T,), by their labels, how strange; what has passed leaves.

    The frame has the counts of M minutes (M, S, 1), NaN before the first of its kind, the floats
    the strangest nats (M, S), NaN where none was judged. `now` is a time that nothing will come before. Cost: O(T log T + M S).
    """
    known = state["systems"].tolist()
    row = {system: i for i, system in enumerate(known)}
    for system in np.unique(systems).tolist():
        row.setdefault(system, len(row))
    minute = np.concatenate([state["minute"], -(-time // MINUTE)])
    system = np.concatenate([state["system"], [row[s] for s in systems.tolist()]]).astype(np.int64)
    count = np.concatenate([state["count"], np.ones(len(time))])
    strange = np.concatenate([state["strangest"], nats])
    closed, last = int(state["closed"][0]), (now - 1) // MINUTE
    done = minute <= last
    minutes = _minutes(np.unique(minute[done]), closed, last)
    place = np.searchsorted(minutes, minute[done])
    since = np.full(len(row), np.iinfo(np.int64).max)
    since[: len(known)] = state["since"]
    np.minimum.at(since, system, minute)
    counts = np.where(minutes[:, None] < since, np.nan, 0.0)
    np.add.at(counts, (place, system[done]), count[done])
    most = np.full(counts.shape, np.nan)
    np.fmax.at(most, (place, system[done]), strange[done])
    labels = (parse_key(f"{NAME}{{{system}}}")[1] if system else {} for system in row)
    keys = tuple(series_key(NAME, of) for of in labels)
    left = {
        "closed": np.array([max(closed, int(minutes[-1])) if len(minutes) else closed]),
        "systems": np.array(list(row), dtype=str),
        "since": since,
    }
    held = {"minute": minute, "system": system, "count": count, "strangest": strange}
    frame = Frame(minutes * MINUTE, keys, ("value",), counts[:, :, None])
    return left | {name: column[~done] for name, column in held.items()}, frame, most


def _minutes(there: Array, closed: int, last: int) -> Array:
    """The minutes to tell: those with records, and the empty ones between and after them."""
    edges = np.concatenate([[closed] if closed > NEVER else [], there, [last]]).astype(np.int64)
    if not len(there) and closed == NEVER:
        return there
    runs = [there]
    for before, after in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if 1 < after - before + 1 <= DAY // MINUTE:
            runs.append(np.arange(before + 1, after + 1))
    found = np.unique(np.concatenate(runs))
    return found[found > closed]
