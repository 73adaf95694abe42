"""What lines were taken apart to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from amiss.data import Array

NO_NUMBER = "values that are no numbers"
MOST_FIELDS = 200
REPEATED = "message repeated "
OVER = f"values of fields over the cap of {MOST_FIELDS}"


@dataclass(slots=True)
class Parsed:
    """N records: their text, and a column of N texts for each field; "" is absent."""

    text: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    header: tuple[str, ...] = ()  # for the lines that follow, if these said a new one


def table(text: list[str], names: Sequence[str], rows: Sequence[Sequence[str]]) -> Parsed:
    """Rows that all have the same fields."""
    columns = map(list, zip(*rows, strict=True)) if rows else ()
    return Parsed(text, dict(zip(names, columns, strict=True)) if rows else {})


def sparse(text: list[str], rows: list[dict[str, str]]) -> Parsed:
    """Rows that have some of the fields each; those that come first are kept."""
    found = Parsed(text)
    for name in dict.fromkeys(chain.from_iterable(rows)):
        if len(found.columns) < MOST_FIELDS:
            found.columns[name] = [row.get(name, "") for row in rows]
        else:
            found.skipped[OVER] += sum(name in row for row in rows)
    return found


def places(lines: list[str], kept: list[str]) -> Array:
    """Where each of `kept` is in `lines`, of which it is a part in the same order (K,).

    Of syslog a line may stand there more than once, for what it says was repeated.
    """
    found, place = list[int](), 0
    for one in kept:
        if found and REPEATED in one and one is lines[found[-1]]:
            found.append(found[-1])
            continue
        while lines[place] is not one and lines[place] != one:
            place += 1
        found.append(place)
        place += 1
    return np.array(found, np.int64)
