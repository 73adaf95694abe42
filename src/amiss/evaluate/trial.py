"""What a replay of one pipeline came to: what would have been told, of what, and what was not."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from amiss.data import Incident, parse_key
from amiss.evaluate.around import Around, Curve
from amiss.evaluate.distribution import Distribution
from amiss.evaluate.entries import Entry, of_incident
from amiss.pipeline import Pipeline
from amiss.steps.judge import WARM, name_of
from amiss.steps.outcome import Outcome
from amiss.steps.systems import SYSTEM, distinct
from amiss.words.phrases import count, model, title, whose

Pictures: TypeAlias = dict[str, tuple[Curve, ...]]
"""By id of the incident; of the worst alone where there are many."""


@dataclass(frozen=True, slots=True)
class Noisy:
    """How often a series was a member of an incident."""

    series: str
    incidents: int
    first: int  # of them it was the one most to blame


@dataclass(frozen=True, slots=True)
class Trial:
    """One pipeline over one span."""

    pipeline: Pipeline
    start: int  # ns, from when on it counts
    end: int
    warm: int  # ns of history before that
    series: tuple[str, ...]
    young: int  # of these, seen too little to be told of
    samples: int
    incidents: tuple[Incident, ...]  # those that opened in the span, in order; newest revisions
    open_before: int  # incidents that were open already
    skipped: dict[str, int]  # what was left out, by reason, the warming up included
    pictures: Pictures
    scores: Distribution = field(default_factory=Distribution)

    @property
    def entries(self) -> list[Entry]:
        """The incidents as reports count them."""
        return [of_incident(each, self.pipeline.name) for each in self.incidents]

    def title(self, key: str) -> str:
        """What a series is, and whose if there are several systems; or who judges a whole."""
        name, systems = parse_key(key)[0], len(distinct(self.series, self.pipeline.by))
        if name == SYSTEM and self.pipeline.views:
            return whose(key, "The picture as a whole", systems)
        if name in {name_of(d).partition("-")[0] for d in self.pipeline.detectors if d.joint}:
            text = f"The picture as a whole, by {model(name)}"
            return whose(key, text, systems)
        return title(key, systems)

    def left_out(self) -> Iterator[str]:
        """What was not judged, or not told, and why; a line for each reason."""
        for reason, number in sorted(self.skipped.items()):
            yield f"{reason}: {number:,}"
        if self.young:
            yield f"{count(self.young, 'series', 'series')}: told of only from {WARM} samples on"
        if self.open_before:
            yield f"{count(self.open_before, 'incident')}: opened before the span"

    @property
    def noisiest(self) -> list[Noisy]:
        """Who was most often in incidents, worst first."""
        of, led = Counter[str](), Counter[str]()
        for incident in self.incidents:
            of.update(member.series for member in incident.members)
            led.update(member.series for member in incident.members[:1])
        found = [Noisy(series, n, led[series]) for series, n in of.items()]
        return sorted(found, key=lambda one: (-one.incidents, -one.first, one.series))


@dataclass(slots=True)
class Tally:
    """Gathers a trial from what each step of a replay says. Cost: its pictures' 128 MB at most."""

    pipeline: Pipeline
    start: int
    end: int
    first: int = 0  # ns, where the warming up began
    newest: dict[str, Incident] = field(default_factory=dict)
    series: set[str] = field(default_factory=set)
    grown: set[str] = field(default_factory=set)  # series seen long enough to be told of
    samples: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    around: Around | None = field(default_factory=Around)  # None: no pictures
    scores: Distribution = field(default_factory=Distribution)

    def take(self, outcome: Outcome) -> None:
        """The next step."""
        self.skipped.update(outcome.skipped)
        self.newest.update({each.id: each for each in outcome.incidents})
        told = tuple(each for each in outcome.incidents if each.since >= self.start)
        if self.around is not None:
            self.around.take(outcome, told)
        here = outcome.frame.time >= self.start
        if here.any():
            there = np.isfinite(outcome.frame.values[here][:, :, 0]).sum(axis=0)
            self.samples += int(there.sum())
            self.scores.take(outcome.scores.values[here], outcome.frame.values[here][:, :, 0])
            keys = outcome.frame.keys
            self.series.update(keys[s] for s in np.flatnonzero(there).tolist())
            known = np.flatnonzero(outcome.seen > WARM).tolist()
            self.grown.update(keys[s] for s in known)

    def trial(self) -> Trial:
        """All of it, when the last step was taken."""
        mine = tuple(each for each in self.newest.values() if each.since >= self.start)
        pictures: Pictures = {}
        if self.around is not None:
            self.around.end(tuple(each for each in mine if each.until is None))
            pictures = {id: curves for id, (_, curves) in self.around.drawn.items() if curves}
        before = [each for each in self.newest.values() if each.since < self.start]
        return Trial(
            pipeline=self.pipeline,
            start=self.start,
            end=self.end,
            warm=max(self.start - self.first, 0),
            series=tuple(sorted(self.series)),
            young=len(self.series - self.grown),
            samples=self.samples,
            incidents=mine,
            open_before=sum(e.until is None or e.until >= self.start for e in before),
            skipped=dict(+self.skipped),
            pictures=pictures,
            scores=self.scores,
        )
