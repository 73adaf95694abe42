"""A table as history that models of whole systems can be fitted on."""

import numpy as np

from amiss.data import Floats, Frame, Times
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.tables import Table


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
