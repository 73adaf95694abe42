"""The four values that flow through a pipeline: Records, Frame, Scores, Incident.

All are frozen and know nothing of where they came from. Times are int64 nanoseconds
since 1970 UTC, everywhere. A series is named by its key: `name{label="value",...}`,
labels in alphabetical order, as Prometheus writes it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
Strings: TypeAlias = NDArray[np.str_]
State: TypeAlias = dict[str, NDArray[Any]]
Severity: TypeAlias = Literal["low", "medium", "high"]
Event: TypeAlias = Literal["opened", "worse", "resolved"]

SINCE = r" since (?=\d\d:\d\d UTC on )"  # the end of a sentence's subject, which may quote a line
LARGEST = 1e150  # beyond it squares and ratios overflow; no sensor measures so much

SECOND = 10**9
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
AHEAD = HOUR  # before its time: no record that is to be waited for


@dataclass(frozen=True, slots=True)
class Records:
    """What was seen: at `time`, `name` was `value` and said `text`, for `labels`.

    A record with text is context for explanations (the busiest processes), or a line or an event
    that is judged by itself, with its fields as labels; one without is a number for a series.
    Halves of characters, as in a file's name that is no UTF-8, are written out (see `readable`),
    so that whatever writes what is said here can.
    """

    time: Times  # (N,)
    name: Strings  # (N,)
    value: Floats  # (N,)
    labels: Mapping[str, Strings] = field(default_factory=dict)  # each (N,); "" is absent
    text: Strings | None = None  # (N,)
    watermark: int | None = None  # a promise: nothing at or before this time is still to come
    skipped: Mapping[str, int] = field(default_factory=dict)  # what could not be read, by reason
    more: bool = False  # there is more to read: the driver polls again at once
    zone: str = "UTC"  # whose hours of the day count (see zones.py)

    def __post_init__(self) -> None:
        labels = {label: _readable(column) for label, column in self.labels.items()}
        object.__setattr__(self, "name", _readable(self.name))
        object.__setattr__(self, "labels", labels)
        if self.text is not None:
            object.__setattr__(self, "text", _readable(self.text))

    def __len__(self) -> int:
        return len(self.time)

    def labelled(self, label: str, column: Strings) -> "Records":
        """The same with one more label (N,)."""
        return replace(self, labels={**self.labels, label: column})

    def __getitem__(self, rows: slice | Array) -> "Records":
        """Some of them, with the same watermark; what was left out is told with the whole."""
        return replace(
            self,
            time=self.time[rows],
            name=self.name[rows],
            value=self.value[rows],
            labels={label: column[rows] for label, column in self.labels.items()},
            text=None if self.text is None else self.text[rows],
            skipped={},
        )


def joined(parts: Sequence[Records]) -> Records:
    """One after the other, without watermarks; what a part does not have is absent there."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
    known = dict.fromkeys(label for part in parts for label in part.labels)
    texts = [part.text for part in parts]
    absent = [np.zeros(len(part), "U1") for part in parts]
    return Records(
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.name for part in parts]),
        np.concatenate([part.value for part in parts]),
        {
            label: np.concatenate(
                [p.labels.get(label, none) for p, none in zip(parts, absent, strict=True)]
            )
            for label in known
        },
        None
        if all(text is None for text in texts)
        else np.concatenate([n if t is None else t for t, n in zip(texts, absent, strict=True)]),
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """Numbers: T ticks x S series x F features. NaN means not observed (see `measured`).

    Of single records (a login, a flow, a line) each is a tick, and the one series is all of them.
    """

    time: Times  # (T,), end of each tick
    keys: tuple[str, ...]  # S
    features: tuple[str, ...]  # F
    values: Floats  # (T, S, F)
    categories: frozenset[str] = frozenset()  # features that are names: equal or not, 0 is none
    records: Records | None = None  # of single records: the T records themselves
    clock: Times | None = None  # (T,) the same times on the wall of a place; None is UTC

    def __getitem__(self, ticks: slice | Array) -> "Frame":
        records = None if self.records is None else self.records[ticks]
        clock = None if self.clock is None else self.clock[ticks]
        time, values = self.time[ticks], self.values[ticks]
        return replace(self, time=time, values=values, records=records, clock=clock)

    def column(self, feature: str) -> Floats:
        """One feature as a contiguous (T, S) array. Raises ValueError if there is none so named."""
        return np.ascontiguousarray(self.values[:, :, self.features.index(feature)])


@dataclass(frozen=True, slots=True)
class Scores:
    """How strange, per tick and series. Higher is stranger; NaN is no opinion.

    `expected`, `lower` and `upper` say what was expected, in the unit of the series;
    `blame` says how much each feature added to the score of a joint detector, `votes` what each of
    several that it asked said by itself, in nats; `why` of single records that are strange by
    themselves, by their ticks, what is strange about them, where `blame` does not say it.
    """

    time: Times  # (T,)
    keys: tuple[str, ...]  # S
    values: Floats  # (T, S)
    expected: Floats | None = None  # (T, S, F)
    lower: Floats | None = None  # (T, S, F)
    upper: Floats | None = None  # (T, S, F)
    blame: Floats | None = None  # (T, S, F)
    votes: Floats | None = None  # (T, S, K)
    why: "Mapping[int, tuple[Reason, ...]] | None" = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Blamed:
    """One metric of a system that is strange as a whole: what the others let expect of it."""

    series: str
    observed: float
    expected: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a single record is strange."""

    about: str  # the field or the kind of reason, whatever its value: runs of one kind pay as one
    words: str
    nats: float = 0.0  # of the record's score, how much is due to it


@dataclass(frozen=True, slots=True)
class Member:
    """One series of an incident, at its strangest moment."""

    series: str
    since: int  # ns
    at: int  # ns, its strangest tick
    score: float  # nats, -ln p
    observed: float
    expected: float
    lower: float
    upper: float
    blame: tuple[str, ...] = ()  # of a joint detector: the features that added most
    blamed: tuple[Blamed, ...] = ()  # the same with what was expected of them, where it says so
    said: str = ""  # of a single record: what it said
    why: str = ""  # of a detector that tells by itself: what follows the name of the series
    rules: tuple[str, ...] = ()  # the rules of a person that held
    among: int = 0  # of a single record: how many had been seen
    votes: tuple[str, ...] = ()  # of a joint detector that asks several: what they said, in words


@dataclass(frozen=True, slots=True)
class Incident:
    """One thing a person should look at. Each change of it is a new revision with the same id."""

    id: str
    revision: int  # 1 when it opens
    state: Literal["open", "resolved"]
    system: str  # the labels its members share, such as host="web-3"
    since: int  # ns
    seen: int  # ns, the last tick at which it was strange
    until: int | None  # ns; None while it lasts
    severity: Severity
    score: float  # nats, of its strangest member
    p: float
    rarity: float  # days between two such moments; NaN if a rule says that it is strange
    watched: float  # days of history that `rarity` rests on
    breadth: int  # how many series have been strange in it
    members: tuple[Member, ...]  # the first few, by surprise; slight changes come last
    sentence: str  # what was seen against what was expected, since when, how rare
    evidence: tuple[str, ...] = ()  # context of that moment, such as the busiest processes

    @property
    def title(self) -> str:
        """The sentence's subject, for lists and subject lines."""
        return re.split(SINCE, self.sentence, maxsplit=1)[0]


def measured(values: Floats) -> Floats:
    """A copy, with NaN where there is no number to reckon with: infinities, beyond LARGEST."""
    values = np.asarray(values, np.float64)
    found: Floats = np.where(np.abs(values) <= LARGEST, values, np.nan)
    return found


def readable(text: str) -> str:
    """The same, with halves of characters written out: \\udce9."""
    return text.encode("utf-8", "backslashreplace").decode()


def _readable(column: Strings) -> Strings:
    code = np.ascontiguousarray(column).view(np.uint32)
    if code.max(initial=0) < 0xD800 or not ((code >= 0xD800) & (code <= 0xDFFF)).any():
        return column
    return np.array([readable(text) for text in column.tolist()])


def series_key(name: str, labels: Mapping[str, str]) -> str:
    """The key of a series. Empty labels are left out."""
    said = ",".join(f'{k}="{_escape(readable(v))}"' for k, v in sorted(labels.items()) if v)
    return f"{name}{{{said}}}" if said else name


def parse_key(key: str) -> tuple[str, dict[str, str]]:
    """The name and the labels that `series_key` put together."""
    name, brace, rest = key.partition("{")
    if not brace:
        return key, {}
    return name, {k: _unescape(v) for k, v in _LABEL.findall(rest)}


_LABEL = re.compile(r'([^=,{}"]+)="((?:[^"\\]|\\.)*)"')


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)
