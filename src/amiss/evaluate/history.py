"""A table as history that models of whole systems can be fitted on."""

import numpy as np

from amiss.data import Floats, Frame, Times, series_key
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.tables import Table

NONE = np.zeros(0, np.int64)


def systems(table: Table, asked: Asked, notes: Notes) -> Frame:
    """The same of each system that the columns `by` name, (T, S, F); of one if there are none.

    A time that one of them has is a tick of all: NaN where another was not seen. Of two rows of one
    system at one time the later counts.
    """
    if not asked.by:
        return history(table, asked, notes)
    rows: dict[str, list[tuple[Times, Floats]]] = {}
    names = tuple[str, ...]()
    for piece in table.pieces(asked, notes):
        names = piece.names
        for labels, which in piece.apart():
            system = series_key("", {name: labels[name] for name in asked.by})[1:-1]
            rows.setdefault(system, []).append((piece.time[which], piece.values[which]))
    time = np.unique(np.concatenate([t for some in rows.values() for t, _ in some] or [NONE]))
    values = np.full((len(time), len(rows), len(names)), np.nan)
    for s, some in enumerate(rows.values()):
        for when, x in some:
            values[np.searchsorted(time, when), s] = x
    return Frame(time, tuple(rows), names, values)


def history(table: Table, asked: Asked, notes: Notes) -> Frame:
    """All numeric columns of a table as the metrics of one system, (T, 1, F), by time.

    A column of labels, 0 and 1, is one of them. What is to be said of rows and columns
    left out goes to `notes`. Raises ConfigError if the table cannot be read.
    """
    times, values, names = list[Times](), list[Floats](), tuple[str, ...]()
    for piece in table.pieces(asked, notes):
        times.append(piece.time)
        values.append(piece.values)
        names = piece.names
    time = np.concatenate(times or [np.zeros(0, np.int64)])
    x = np.concatenate(values or [np.zeros((0, 0))])
    order = np.argsort(time, kind="stable")
    return Frame(time[order], ("system",), names, x[order][:, None, :])
