"""Rows, lines and sessions as numbers, for baselines that know nothing else.

Only the history says what is usual: categories and templates that it does not have are new.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from amiss.data import Array, Floats
from amiss.evaluate.quality.labelled import Rows

KINDS = (str.isalpha, str.isdigit, str.isspace)
DIGITS = re.compile(r"\S*\d\S*")


def of_rows(rows: Rows, history: Array) -> Floats:
    """(N, F): numbers as they are, categories as -ln of how frequent they are in the history."""
    columns = [_column([row[f] for row in rows.cells], history) for f in range(len(rows.names))]
    return np.stack(columns, axis=1)


def of_line(line: str) -> list[float]:
    """Length, letters, digits, blanks, all others, and how many different characters."""
    counts = [sum(map(kind, line)) for kind in KINDS]
    return [len(line), *counts, len(line) - sum(counts), len(set(line))]


def masked(line: str) -> str:
    """A line without its words that have a digit: the simplest template."""
    return DIGITS.sub("<*>", line)


def of_sessions(past: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> Floats:
    """(N, F): ln(1 + count) of each template of the past, and of all others together.

    Sessions are the templates of their lines, past ones first.
    """
    place = {name: f for f, name in enumerate(sorted({t for session in past for t in session}))}
    counts = np.zeros((len(past) + len(now), len(place) + 1))
    for n, session in enumerate((*past, *now)):
        for template, many in Counter(session).items():
            counts[n, place.get(template, len(place))] += many
    return np.log1p(counts)


def _column(cells: list[str], history: Array) -> Floats:
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        seen = Counter(cells[n] for n in history)
        return np.array([-np.log((seen[cell] + 0.5) / (len(history) + 0.5)) for cell in cells])
