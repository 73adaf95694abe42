"""Labelled curves and hosts as they lie in a folder of data sets.

nab/    data/ labels/ config/ of the Numenta Anomaly Benchmark
wsd/ kpi/   .npz: time (T,) s, value (T,), label (T,), train: rows that are not judged
asd/ smd/   .npz: train (N, F), test (T, F), label (T,), why: `first-last:metric,metric`
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from amiss.data import Array, Times
from amiss.errors import ConfigError
from amiss.evaluate import arrow

WEEK = 604800.0
PROBATION, LONGEST = 0.15, 750  # of a NAB file, not judged: this share, at most so many rows
LONG_GAP = 10  # intervals: what is longer was not watched
Span = tuple[int, int]
"""Rows from the first to before the last."""


class Missing(Exception):
    """A data set that is not there, or has nothing to judge by."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One series and its labelled events. Rows before `start` are for learning, not judged."""

    name: str
    time: Times  # (T,) seconds
    value: NDArray[np.floating]  # (T,)
    events: tuple[Span, ...]
    start: int

    def judged(self) -> list[Span]:
        """Events that reach into the judged rows, cut to them."""
        return [(max(a, self.start), b) for a, b in self.events if b > self.start]

    def weeks(self, first: int | None = None) -> float:
        """Weeks watched from a row on, the first judged one unless it is given."""
        gaps = np.diff(self.time)
        watched = np.clip(gaps, 0, LONG_GAP * np.median(gaps))
        return float(watched[self.start if first is None else first :].sum()) / WEEK

    def normal(self) -> Array:
        """(T,) which rows are judged and in no event."""
        rows = np.arange(len(self.time)) >= self.start
        for a, b in self.events:
            rows[a:b] = False
        return rows


@dataclass(frozen=True, slots=True)
class Host:
    """Many metrics at once: a part without labels to learn from, and a labelled one."""

    name: str
    train: NDArray[np.floating]  # (N, F)
    test: NDArray[np.floating]  # (T, F)
    label: Array  # (T,)
    why: tuple[tuple[int, int, frozenset[int]], ...]  # first and last row, and which metrics

    def blamed(self, span: Span) -> frozenset[int]:
        """The metrics that all explanations of rows in the span name."""
        touching = [of for a, b, of in self.why if a < span[1] and b >= span[0]]
        return frozenset().union(*touching)


def spans(flags: Array) -> list[Span]:
    """Where flags (T,) are set."""
    change = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(flags) != 0, [False]])))
    return list(zip(change[::2].tolist(), change[1::2].tolist(), strict=True))


def folder(data: Path, *parts: str) -> Path:
    """A part of the data. Raises Missing."""
    path = data.joinpath(*parts)
    if not path.exists():
        raise Missing(f"{'/'.join(parts)} is not there")
    return path


def curves(data: Path, kind: str) -> list[Curve]:
    """All curves of `nab`, `wsd` or `kpi`, by name. Raises Missing, ConfigError."""
    place = folder(data, kind)
    read = _nab if kind == "nab" else _labelled
    try:
        found = list(read(place))
    except (OSError, ValueError, KeyError, IndexError) as exc:
        raise ConfigError(f"{place}: it is not laid out as it should be: {exc}") from None
    if not found:
        raise Missing(f"{kind} holds no curves")
    return found


def hosts(data: Path, kind: str) -> list[Host]:
    """All hosts of `asd` or `smd`, by name. Raises Missing, ConfigError."""
    place = folder(data, kind)
    try:
        found = [_host(path) for path in sorted(place.glob("*.npz"))]
    except (OSError, ValueError, KeyError) as exc:
        raise ConfigError(f"{place}: it is not laid out as it should be: {exc}") from None
    if not found:
        raise Missing(f"{kind} holds no hosts")
    return found


def _nab(place: Path) -> Iterator[Curve]:
    windows = json.loads(folder(place, "labels", "combined_windows.json").read_text("utf-8"))
    types = {"timestamp": pa.timestamp("s"), "value": pa.float64()}
    convert = csv.ConvertOptions(column_types=types)
    for name in sorted(windows):
        table = csv.read_csv(place / "data" / name, convert_options=convert)
        time = arrow.ints(table["timestamp"].cast(pa.int64()).combine_chunks())
        ends = [np.array(w, "M8[s]").astype(np.int64) for w in windows[name]]
        events = tuple((_row(time, a), _row(time, b) + 1) for a, b in ends)
        start = min(int(PROBATION * len(time)), LONGEST)
        yield Curve(name, time, arrow.floats(table["value"].combine_chunks()), events, start)


def _row(time: Times, at: int) -> int:
    return int(np.flatnonzero(time == at)[0])


def _labelled(place: Path) -> Iterator[Curve]:
    for path in sorted(place.glob("*.npz")):
        with np.load(path) as held:
            start, label = int(held["train"]), held["label"] != 0
            label[:start] = False
            time = held["time"].astype(np.int64)
            yield Curve(path.stem, time, held["value"], tuple(spans(label)), start)


def _host(path: Path) -> Host:
    with np.load(path) as held:
        why = tuple(_explained(text) for text in held["why"].tolist())
        return Host(path.stem, held["train"], held["test"], held["label"] != 0, why)


def _explained(text: str) -> tuple[int, int, frozenset[int]]:
    found = re.fullmatch(r"(\d+)-(\d+):([\d,]+)", text)
    if found is None:
        raise ValueError(f"{text[:60]!r} is no explanation")
    metrics = frozenset(int(m) - 1 for m in found[3].split(",") if m)
    return int(found[1]), int(found[2]), metrics
