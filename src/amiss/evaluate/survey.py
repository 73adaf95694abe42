"""What an installation watched and told in a span, out of what it keeps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from amiss.data import DAY, SECOND, Incident, parse_key
from amiss.decide import pulse
from amiss.drawing.curve import broken
from amiss.evaluate.around import POINTS, Curve, drawn, window
from amiss.evaluate.distribution import Distribution
from amiss.evaluate.entries import Entry, of_incident
from amiss.evaluate.figures import Spent
from amiss.evaluate.trial import Pictures
from amiss.store import Store
from amiss.store.models import Model
from amiss.words.phrases import title, worst_first

AT_ONCE = 2_000_000  # points that are held
PAGE = 500  # incidents asked for at once
DRAWN = 20  # incidents with pictures: the worst


@dataclass(frozen=True, slots=True)
class Survey:
    """One span of an installation."""

    start: int  # ns
    end: int
    series: tuple[str, ...]  # that had samples in it
    samples: int  # of these
    events: int  # single records, of which the counts alone are kept
    incidents: tuple[Incident, ...]  # that opened in it, in order
    entries: tuple[Entry, ...]  # the same
    open_before: int
    a_day: float | None  # incidents asked for, if that is known
    scores: Distribution
    pictures: Pictures = field(default_factory=dict)
    models: tuple[Model, ...] = ()  # in use
    reported_false: int | None = None  # as people said; None: nobody said anything

    @property
    def spent(self) -> Spent:
        """What was told against what was asked."""
        opened = tuple(one.since for one in self.incidents)
        return Spent(opened, self.start, self.end, self.a_day or 0.0)

    def title(self, key: str) -> str:
        """What a series is, and whose if there are several subjects."""
        return title(key, len({one.subject for one in self.entries}))


def survey(
    store: Store,
    pipelines: Sequence[str],
    start: int,
    end: int,
    a_day: float | None,
    tell: Callable[[int], None] = lambda _: None,
) -> Survey:
    """The span from `start` to `end` (ns). `tell` hears how many points were read.

    About 1 us a point of history; never more than some two million are held.
    """
    found = [
        (one, name or "all")
        for name in pipelines or (None,)
        for one in incidents(store, name, start, end)
    ]
    found.sort(key=lambda it: (it[0].since, it[0].id))
    mine = [(one, name) for one, name in found if one.since >= start]
    scores, samples, events, keys = Distribution(), 0, 0.0, list[str]()
    counts = _totals([one.key for one in store.series()])
    for some, since, until in _pieces(store, start, end):
        for key, points in store.history_many(some, since, until).items():
            there = np.isfinite(points.value)
            if not there.any():
                continue
            keys.append(key)
            samples += int(there.sum())
            events += float(points.value[there].sum()) if key in counts else 0.0
            scores.take(points.score[there], points.value[there])
            tell(len(points))
    opened = [one for one, _ in mine]
    verdicts = {one.incident: one.word for one in store.said() if one.word != "acknowledged"}
    words = [verdicts[one.id] for one in opened if one.id in verdicts]
    return Survey(
        start=start,
        end=end,
        series=tuple(sorted(set(keys))),
        samples=samples,
        events=round(events),
        incidents=tuple(opened),
        entries=tuple(of_incident(one, name) for one, name in mine),
        open_before=len(found) - len(mine),
        a_day=a_day,
        scores=scores,
        pictures={one.id: _curves(store, one, end) for one in worst_first(opened)[:DRAWN]},
        models=tuple(store.models(in_use=True)),
        reported_false=words.count("normal") if words else None,
    )


def incidents(store: Store, pipeline: str | None, start: int, end: int) -> list[Incident]:
    """Those of a pipeline, or of all, that were open in a span."""
    found, before = list[Incident](), None
    while page := store.incidents(start, limit=PAGE, before=before, pipeline=pipeline):
        found += [one for one in page if one.since <= end]
        before = page[-1].id
    return found


def _pieces(store: Store, start: int, end: int) -> Iterator[tuple[list[str], int, int]]:
    """Series and times, so that what is read at once is bounded."""
    for one in store.series():
        if one.last < start or one.first > end:
            continue
        first, last = max(start, one.first), min(end, one.last)
        pieces = max(-(-one.points // AT_ONCE), 1)
        wide = (last - first) // pieces + 1
        for at in range(first, last + 1, wide):
            yield [one.key], at, min(at + wide - 1, last)


def _totals(keys: Sequence[str]) -> set[str]:
    """The series that count all single records of a system, and not those of one kind."""
    labels: Mapping[str, Any] = {
        key: parse_key(key)[1].items() for key in keys if parse_key(key)[0] == pulse.NAME
    }
    return {key for key in labels if not any(labels[o] < labels[key] for o in labels)}


def _curves(store: Store, incident: Incident, end: int) -> tuple[Curve, ...]:
    """Pictures of an incident, from the history around it."""
    found = []
    for key in drawn(incident):
        near = store.history(key, incident.since - DAY // 24, incident.seen)
        near = near[np.isfinite(near.value)]
        if len(near) < 2:
            continue
        every = int(np.median(np.diff(near.time)))
        start, until = window(incident, every)
        points = store.history(key, start, min(until, end))
        points = points[np.isfinite(points.value)]
        if len(points) > 1:
            found.append(Curve(key, every / SECOND, *broken(points, every / SECOND, POINTS)))
    return tuple(found)
