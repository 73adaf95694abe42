"""Whom single records are about, by their labels: each by itself, and several together. Pure."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from amiss.data import Array, Records, Strings

FEWEST = 3  # records of which it is said what they have in common
MOSTLY = 0.75  # of them that have it


@dataclass(frozen=True, slots=True)
class Whom:
    """The labels that say so, of T records."""

    by: tuple[str, ...]  # of what system one is
    subject: tuple[str, ...] = ()  # about whom of it
    parties: tuple[str, ...] = ()  # what else several may have in common, each by itself
    instead: Strings | None = None  # (T,) the label in place of the subject; "" where that says it

    @property
    def ways(self) -> tuple[tuple[str, ...], ...]:
        """To sort records: by system and, where that is more, by subject."""
        return tuple(dict.fromkeys((self.by, (*self.by, *self.subject))))

    @property
    def names(self) -> tuple[str, ...]:
        """The labels that are kept of a record, to say later what several have in common."""
        return tuple(dict.fromkeys((*self.subject, *self.parties)))

    def of(self, records: Records, t: int) -> dict[str, str]:
        """Whom a record is about."""
        other = "" if self.instead is None else str(self.instead[t])
        return said(records, t, (*self.by, other) if other else (*self.by, *self.subject))

    def kept(self, records: Records, rows: Array) -> Array:
        """What these records say of `names` (R, W)."""
        nothing = np.zeros(len(rows), "U1")
        columns = [
            records.labels[name][rows] if name in records.labels else nothing for name in self.names
        ]
        return np.array(columns, dtype=str).reshape(len(self.names), len(rows)).T

    def common(self, kept: Array) -> dict[str, str]:
        """What most of these have in common, unless that is the subject: those are told apart."""
        if len(kept) < FEWEST or _mostly(kept[:, : len(self.subject)]):
            return {}
        for k, name in enumerate(self.names[len(self.subject) :], len(self.subject)):
            if text := _mostly(kept[:, k : k + 1]):
                return {name: text[0]}
        return {}


def _mostly(kept: Array) -> tuple[str, ...]:
    """What most of these rows (R, W) say; nothing if there is no such."""
    rows = Counter(tuple(row) for row in kept.tolist() if any(row))
    return next((row for row, count in rows.items() if count >= MOSTLY * len(kept)), ())


def said(records: Records, t: int, names: tuple[str, ...]) -> dict[str, str]:
    """What these labels of a record say, where they do."""
    labels = records.labels
    return {name: str(labels[name][t]) for name in names if name in labels and labels[name][t]}
