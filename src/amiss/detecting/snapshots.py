"""Snapshots: all metrics of a system at one moment, as rows that models are fitted on and score.

A model knows its metrics by name and takes each relative to its median, in robust deviations:

    z = (x - median) / max(1.4826 MAD, (q99 - q1) / 4.65),   at most 1e6 either way

so that a few huge values do not hide all others; both are 1 for a normal metric of deviation 1.
A metric that is missing counts as its median. Where neither says anything the plain deviation
does, and of a constant metric a billionth of its size.
"""

import numpy as np

from amiss.data import Array, Floats, Frame, State, measured

FAR = 1e6  # deviations; what is farther is not told apart
NAMES = frozenset(("names", "centre", "spread"))


def nothing() -> State:
    """No metrics known yet."""
    return {"names": np.zeros(0, "U1"), "centre": np.zeros(0), "spread": np.ones(0)}


def learn(history: Frame, without: str = "") -> tuple[State, Floats, Array]:
    """History (T, S, F) -> what to know of its metrics, its rows (N, F') and which they are (N,).

    Rows are those of all systems in which anything was seen, by time, numbered t S + s; metrics
    are those that were seen in more than half of them, but for the one called `without`.
    """
    x = measured(history.values).reshape(-1, len(history.features))
    names = np.array(history.features, dtype=str)
    kept = names != without
    x, names = x[:, kept], names[kept]
    rows = np.flatnonzero(np.isfinite(x).any(axis=1))
    told = np.isfinite(x[rows]).sum(axis=0) > len(rows) // 2
    x, names = x[:, told], names[told]
    rows = np.flatnonzero(np.isfinite(x).any(axis=1))
    x = x[rows]
    columns = [column[np.isfinite(column)] for column in x.T] if len(rows) else []
    centre = np.array([np.median(column) for column in columns])
    spread = np.array([_spread(*pair) for pair in zip(columns, centre.tolist(), strict=True)])
    known = {"names": names[: len(columns)], "centre": centre, "spread": spread}
    return known, _standardised(known, x[:, : len(columns)]), rows


def rows_of(state: State, frame: Frame) -> tuple[Floats, Array]:
    """Standardised rows (T S, F') of a frame, and in which of them a metric was seen (T S,)."""
    values, column = measured(frame.values), _columns(frame)
    x = np.full((*values.shape[:2], len(state["names"])), np.nan)
    for i, name in enumerate(state["names"].tolist()):
        if name in column:
            x[:, :, i] = values[:, :, column[name]]
    flat = x.reshape(-1, x.shape[2])
    return _standardised(state, flat), np.asarray(np.isfinite(flat).any(axis=1))


def blame_of(state: State, away: Floats, frame: Frame) -> Floats:
    """(T S, F') by metric of the model -> (T, S, F) by metric of the frame; NaN where unknown."""
    blame, column = np.full(frame.values.shape, np.nan), _columns(frame)
    for i, name in enumerate(state["names"].tolist()):
        if name in column:
            blame[:, :, column[name]] = away[:, i].reshape(blame.shape[:2])
    return blame


def evenly(count: int, most: int) -> Array:
    """So many of `count` rows, the same distance apart in time; all if there are no more."""
    kept = min(count, most)
    return np.arange(kept) * count // max(kept, 1)


def _columns(frame: Frame) -> dict[str, int]:
    return {name: f for f, name in enumerate(frame.features)}


def _standardised(state: State, x: Floats) -> Floats:
    away = (x - state["centre"]) / state["spread"]
    found: Floats = np.clip(np.nan_to_num(away), -FAR, FAR)
    return found


def _spread(x: Floats, centre: float) -> float:
    low, high = np.quantile(x, [0.01, 0.99])
    robust = max(1.4826 * float(np.median(np.abs(x - centre))), float(high - low) / 4.65)
    return max(robust or float(np.std(x)), 1e-9 + 1e-9 * abs(centre))
