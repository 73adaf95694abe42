"""Public labelled data: single curves (NAB, WSD, KPI) and hosts with many metrics (ASD, SMD).

NAB is the folder of github.com/numenta/NAB: data, labels, config. The others hold an .npz for each
curve or host. Of a curve: `time` in Unix seconds, `value`, `label`, and `train`, the number of rows
before those that are judged. Of a host: `train` and `test` (rows, metrics) and `label` of the test.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amiss.data import Array, Floats

WEEK = 604800.0
INTERVAL = {"asd": 300, "smd": 60}
"""Seconds between the rows of a host, which carry no times."""
BEGIN = 1_577_836_800  # and so begin at a midnight


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of N rows, judged from `start` on; events are half-open ranges of rows."""

    name: str
    time: Array  # (N,) Unix seconds
    value: Floats  # (N,)
    events: tuple[tuple[int, int], ...]
    start: int

    @property
    def judged(self) -> list[tuple[int, int]]:
        """The events, as far as they are judged."""
        return [(max(a, self.start), b) for a, b in self.events if b > self.start]

    @property
    def inside(self) -> Array:
        """Whether a row lies in an event (N,)."""
        flags = np.zeros(len(self.time), np.bool_)
        for a, b in self.events:
            flags[a:b] = True
        return flags

    @property
    def weeks(self) -> float:
        """Weeks judged; a gap counts as ten intervals at most."""
        gaps = np.diff(self.time).astype(float)
        return float(np.clip(gaps, 0.0, 10.0 * np.median(gaps))[self.start :].sum() / WEEK)


@dataclass(frozen=True, slots=True)
class Host:
    """A host: rows to learn from, rows to judge, and which of those are anomalous."""

    name: str
    train: Floats  # (rows, metrics)
    test: Floats
    label: Array


def curves(folder: Path) -> list[Curve]:
    """The curves of a folder, by name."""
    if (folder / "labels").is_dir():
        return _nab(folder)
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as held:
            label, start = held["label"].copy(), int(held["train"])
            label[:start] = 0
            time, value = held["time"].astype(np.int64), held["value"].astype(np.float64)
        found.append(Curve(path.stem, time, value, tuple(runs(label)), start))
    return found


def hosts(folder: Path) -> list[Host]:
    """The hosts of a folder, by name."""
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as held:
            # the numbers as they would stand in a file
            parts = (held[name].astype(str).astype(np.float64) for name in ("train", "test"))
            found.append(Host(path.stem, *parts, held["label"].astype(np.bool_)))
    return found


def runs(flags: Array) -> list[tuple[int, int]]:
    """The half-open ranges in which flags are set."""
    change = np.flatnonzero(np.diff(np.concatenate([[False], flags != 0, [False]])))
    return [(int(a), int(b)) for a, b in change.reshape(-1, 2)]


def _nab(folder: Path) -> list[Curve]:
    windows = json.loads((folder / "labels" / "combined_windows.json").read_text("utf8"))
    found = []
    for name in sorted(windows):
        with (folder / "data" / name).open(encoding="utf8", newline="") as file:
            rows = list(csv.DictReader(file))
        time = np.array([row["timestamp"] for row in rows], "datetime64[s]")
        value = np.array([float(row["value"]) for row in rows])
        ends = [[np.datetime64(end, "s") for end in window] for window in windows[name]]
        at = [[int(np.flatnonzero(time == end)[0]) for end in pair] for pair in ends]
        events = tuple((first, last + 1) for first, last in at)
        start = min(int(0.15 * len(time)), 750)  # NAB's probation
        found.append(Curve(name, time.astype(np.int64), value, events, start))
    return found
