"""Silence as something that can be seen: ticks in which nothing came, and since when. Pure.

Features make ticks of what came. Where a detector is about silence, a tick without anything is
one too, for a day after the last one with something, up to what the source has promised.
"""

from dataclasses import replace

import numpy as np

from amiss.data import DAY, SECOND, Array, Floats, Frame, State, Times
from amiss.memory import grow

NEVER = np.iinfo(np.int64).min


def start() -> State:
    """Nothing came so far."""
    return {
        "came": np.full(1, NEVER),
        "told": np.full(1, NEVER),
        "tick": np.full(1, NEVER),
        "clock": np.zeros(1, np.int64),
    }


def fill(state: State, frame: Frame, every: int, watermark: int | None) -> tuple[State, Frame]:
    """The frame (T, S, F) with an empty tick at each multiple of `every` at which nothing came.

    Nothing will come at or before the watermark; None is no promise. The same whatever the
    batches. If the clock was set back, silence begins anew.
    """
    came, told = int(state["came"][0]), int(state["told"][0])
    there = frame.time // every
    if len(there) and there[0] <= told:
        came = told = NEVER
    promised = NEVER if watermark is None else watermark // every
    until = max(int(there[-1]) if len(there) else told, promised)
    known = np.concatenate([state["came"][:0] if came == NEVER else state["came"], there])
    if not len(known):
        return state, frame
    first = np.maximum(known + 1, told + 1)
    last = np.minimum(np.append(known[1:] - 1, until), known + DAY // every)
    runs = [np.arange(a, b + 1) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    both = np.union1d(there, np.concatenate(runs))
    state = state | {"came": known[-1:], "told": np.array([max(told, until)])}
    if len(both) == len(there):
        return state, frame
    values = np.full((len(both), *frame.values.shape[1:]), np.nan)
    values[np.searchsorted(both, there)] = frame.values
    return state, replace(frame, time=both * every, values=values)


def init(series: int) -> State:
    """Series that were never seen: 24 bytes each."""
    nothing = np.full(series, np.nan)
    return {"seen": np.full(series, NEVER), "interval": nothing, "watched": nothing.copy()}


def ticks(state: State, time: Times, most: int) -> tuple[State, Times]:
    """A clock that stands still between ticks that are further apart than `most` (T,).

    What was not looked at was not silent: nobody is missed for the time in which Amiss did not
    run. `state` is that of `start`.
    """
    before = np.concatenate([state["tick"], time])
    gone = np.clip(np.diff(before), 0, most)
    if before[0] == NEVER:
        gone[:1] = 0
    clock = state["clock"] + np.cumsum(gone)
    return state | {
        "tick": before[-1:],
        "clock": np.concatenate([state["clock"], clock])[-1:],
    }, clock


def since(
    state: State, frame: Frame, clock: Times, interval: Floats, watched: Floats
) -> tuple[State, Floats, Floats, Floats]:
    """Seconds since the sample before (T, S); interval and days watched (T, S) as last known.

    NaN where there was no sample before. Cost: O(T S), plain numpy.
    """
    state = grow(state, init, len(frame.keys))
    there = np.isfinite(frame.values[:, :, 0])
    stamps = np.vstack([state["seen"][None], np.where(there, clock[:, None], NEVER)])
    often = np.vstack([state["interval"][None], np.where(there, interval, np.nan)])
    days = np.vstack([state["watched"][None], np.where(there, watched, np.nan)])
    rows = np.where(there, np.arange(1, len(there) + 1)[:, None], 0)
    rows = np.maximum.accumulate(np.vstack([np.zeros((1, len(frame.keys)), np.int64), rows]))
    before = _at(stamps, rows[:-1])
    gap = (clock[:, None] - np.where(before == NEVER, 0, before)) / SECOND
    columns = {"seen": stamps, "interval": often, "watched": days}
    state = {name: _at(column, rows[-1:])[0] for name, column in columns.items()}
    gap = np.where(before == NEVER, np.nan, gap)
    return state, gap, _at(often, rows[1:]), _at(days, rows[1:])


def _at(values: Array, rows: Array) -> Array:
    found: Array = np.take_along_axis(values, rows, axis=0)
    return found
