"""What was really amiss, as somebody knows it: events, and how well incidents tell of them.

An event is found if an incident of its series opens in it; every event counts once, however long
it is, and none is found by what was told outside of it (no point adjustment). An incident that
opens in no event is false.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

import pyarrow as pa

from amiss.data import DAY, MINUTE, SECOND, Incident, Times, parse_key
from amiss.errors import ConfigError
from amiss.evaluate.columns import Asked, is_text, listed
from amiss.evaluate.tables import Table
from amiss.evaluate.times import clock
from amiss.words.phrases import span

NEAR = 10 * MINUTE
"""How far from a moment that was labelled an incident still tells of it."""
WHOSE = "series"


@dataclass(frozen=True, slots=True)
class Label:
    """An event, from start to end in ns; of one series by its key or name, or of any ("")."""

    start: int
    end: int
    series: str = ""
    moment: int | None = None  # ns, if it was labelled as one

    @property
    def at(self) -> int:
        """From when on a delay counts."""
        return self.start if self.moment is None else self.moment


class Tried(Protocol):
    """What can be held against labels: a back-test, or a span of what is kept."""

    @property
    def start(self) -> int:
        """ns."""

    @property
    def end(self) -> int:
        """ns."""

    @property
    def series(self) -> tuple[str, ...]:
        """That were watched."""

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """That opened in it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Event-level figures of one pipeline."""

    events: int
    found: int
    incidents: int
    true: int  # incidents that opened in an event
    delays: tuple[int, ...]  # ns, of each event that was found, from its start on
    days: float
    outside: int  # labels that are not of this span
    unknown: int  # labels of series that were not watched

    @property
    def missed(self) -> int:
        """Events of which nothing was told."""
        return self.events - self.found

    @property
    def recall(self) -> float | None:
        """The part of the events that was found."""
        return self.found / self.events if self.events else None

    @property
    def precision(self) -> float | None:
        """The part of the incidents that opened in an event."""
        return self.true / self.incidents if self.incidents else None

    @property
    def delay(self) -> float | None:
        """Median, in seconds, of the events that were found."""
        return median(self.delays) / SECOND if self.delays else None

    @property
    def false_a_week(self) -> float | None:
        """Incidents that opened in no event, a week."""
        return (self.incidents - self.true) * 7 / self.days if self.days else None


def judge(trial: Tried, labels: Sequence[Label]) -> Found:
    """The figures of a trial. O(events x incidents)."""
    here = [one for one in labels if one.start <= trial.end and one.end >= trial.start]
    mine = [one for one in here if not one.series or any(_is(k, one.series) for k in trial.series)]
    delays, true = [], set[str]()
    for one in mine:
        told = [each for each in trial.incidents if _tells(each, one)]
        true |= {each.id for each in told}
        if told:
            delays.append(max(min(each.since for each in told) - one.at, 0))
    return Found(
        events=len(mine),
        found=len(delays),
        incidents=len(trial.incidents),
        true=len(true),
        delays=tuple(delays),
        days=(trial.end - trial.start) / DAY,
        outside=len(labels) - len(here),
        unknown=len(here) - len(mine),
    )


def delay(found: Found) -> str:
    """The median delay in words."""
    if found.delay is None:
        return "-"
    return f"after {span(int(found.delay * SECOND))}" if found.delay >= 1.0 else "at once"


def tells(incident: Incident, labels: Sequence[Label]) -> bool:
    """Whether an incident opened in any of these events."""
    return any(_tells(incident, one) for one in labels)


def read(table: Table, near: int = NEAR) -> list[Label]:
    """The rows `start,end[,series]`, or `time[,series]` for moments, with `near` ns on both sides.

    Raises ConfigError, with the row, for what makes no sense.
    """
    found, row = list[Label](), 1
    for batch in table.batches(Asked(None)):
        names = batch.schema.names
        wanted = ("start", "end") if "start" in names else ("time",)
        if gone := [name for name in wanted if name not in names]:
            raise ConfigError(
                f"{table.name}: there is no column {gone[0]!r} (there is {listed(names)}); labels "
                "have the columns start and end, or time, and may have series"
            )
        times = [_times(table, name, batch.column(name), row) for name in wanted]
        series = _series(batch)
        for n, (start, end) in enumerate(zip(times[0].tolist(), times[-1].tolist(), strict=True)):
            if end < start:
                raise ConfigError(f"{table.name}: row {row + n}: the event ends before it starts")
            if wanted == ("time",):
                found.append(Label(start - near, start + near, series[n], start))
            else:
                found.append(Label(start, end, series[n]))
        row += batch.num_rows
    return found


def _times(table: Table, name: str, column: Any, row: int) -> Times:
    read = clock(table.name, name, str(column[0].as_py()))
    return (read.texts if is_text(column.type) else read.values)(column, row)[1]


def _series(batch: Any) -> list[str]:
    if WHOSE not in batch.schema.names:
        return [""] * int(batch.num_rows)
    return [said or "" for said in batch.column(WHOSE).cast(pa.string()).to_pylist()]


def _tells(incident: Incident, label: Label) -> bool:
    return label.start <= incident.since <= label.end and (
        not label.series or any(_is(member.series, label.series) for member in incident.members)
    )


def _is(key: str, said: str) -> bool:
    """Whether a series is meant: by its key, by its name, or as what joint detectors blame."""
    return said in (key, parse_key(key)[0])
