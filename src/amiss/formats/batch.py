"""Records of several files in one table, bounded in memory."""

from dataclasses import dataclass, field

import numpy as np

from amiss.data import Floats, Strings, measured

CELLS = 8_000_000  # characters, 4 bytes each; a column takes as many for each row as for its widest


@dataclass(slots=True)
class Batch:
    """N records: time in ns, text, path, name, and a column of N texts for each field."""

    time: list[int] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    widths: dict[str, int] = field(default_factory=dict)

    def add(
        self,
        time: list[int],
        text: list[str],
        path: str,
        name: str,
        columns: dict[str, list[str]],
        must: bool = False,
    ) -> bool:
        """Put records behind; False, and nothing is changed, if there is no room for them all.

        What `must` be put there is, whatever room it takes.
        """
        before, n = len(self.time), len(self.time) + len(time)
        widths = dict(self.widths)
        for one, column in (("", text), *columns.items()):
            widest = max(map(len, column), default=0)
            widths[one] = max(widest, widths.get(one, 1))
        if n * sum(widths.values()) > CELLS and n > 1 and not must:
            return False
        self.widths = widths
        self.time += time
        self.text += text
        self.path += [path] * len(time)
        self.name += [name] * len(time)
        for one, column in columns.items():
            mine = self.columns.setdefault(one, [])
            mine += [""] * (before - len(mine)) + column
        return True

    def column(self, name: str) -> Strings:
        """(N,) texts of a field; "" where it is absent."""
        mine = self.columns.get(name, [])
        return np.array(mine + [""] * (len(self.time) - len(mine)), str)

    def numbers(self, name: str) -> Floats:
        """(N,) the numbers of a field; NaN where it says none."""
        found: Floats = np.full(len(self.time), np.nan)
        for i, text in enumerate(self.columns.get(name, ())):
            if text:
                try:
                    found[i] = float(text)
                except ValueError:
                    continue
        return measured(found)
