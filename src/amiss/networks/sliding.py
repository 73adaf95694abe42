"""The window of the last rows of each system, which slides as rows come."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from amiss.data import Array, Floats, State, Times
from amiss.networks import gaps, scaling
from amiss.networks.columns import observed

METRICS = 200  # of a system
MOST = 256  # windows looked at at once


def init(series: int, window: int, metrics: int) -> State:
    """No rows yet: `filled` says how many of the last rows of `past` are of this sequence."""
    return {
        "past": np.full((series, window - 1, metrics), np.nan, np.float32),
        "filled": np.zeros(series, np.int32),
    }


def through(
    state: State,
    time: Times,
    away: Floats,
    network: Callable[[Floats], Floats],
    shown: Callable[[Floats], Array] = scaling.shown,
) -> Iterator[tuple[int, Array, Floats, Floats]]:
    """System by system: which ticks complete a window, the windows, what comes back of them.

    Both (N, W, F), of deviations `away` (T, S, F), rounded as they are kept; NaN is not there. The
    state of a detector goes on once all are taken. `network` is given windows as they are
    `shown` to it, in float64, so that company and batch change next to nothing.
    """
    series, _, metrics = state["past"].shape
    if metrics != away.shape[2]:  # fitted since
        state |= init(series, state["past"].shape[1] + 1, away.shape[2])
    seen = observed(away)
    first = np.zeros(seen.shape, np.bool_)
    gaps.breaks(time, seen, state["interval"], state["last"], state["pace"], first)
    for s, ticks, windows in _slide(state, away.astype(np.float32), seen, first):
        given = windows.astype(np.float64)
        yield s, ticks, given, network(shown(given).astype(np.float64))


def _slide(state: State, x: Array, seen: Array, first: Array) -> Iterator[tuple[int, Array, Array]]:
    """System by system: which ticks complete a window, and the windows (N, W, F).

    Rows x (T, S, F) that are not `seen` (T, S) are passed over, `first` ones begin a sequence. The
    state goes on once all are taken. Cost: O(W F) a row.
    """
    past, filled = state["past"], state["filled"]
    before = past.shape[1]
    for s in range(x.shape[1]):
        ticks = np.flatnonzero(seen[:, s])
        if not len(ticks):
            continue
        begins = np.flatnonzero(first[ticks, s])
        age = int(filled[s]) + np.arange(1, len(ticks) + 1)
        for at in begins.tolist():
            age[at:] = np.arange(1, len(ticks) - at + 1)
        rows = np.concatenate([past[s], x[ticks, s]])
        whole = np.flatnonzero(age > before)
        windows = np.moveaxis(sliding_window_view(rows, before + 1, axis=0), 2, 1)
        for part in np.split(whole, range(MOST, len(whole), MOST)):
            if len(part):
                yield s, ticks[part], windows[part]
        past[s], filled[s] = rows[len(rows) - before :], min(int(age[-1]), before)
