"""Every file in golden/ is a story: these records, that pipeline, those incidents.

`series` says what is measured, and how it runs of itself: `around` a number, with normal `noise`,
a `daily` wave and, if need be, a `trend` a day. A label that is a list makes a series of each.
`events` say what happens when, to which series: a value is `set`, `added` to or multiplied
(`times`); it is `missing` (the record says NaN), or `gone` (there is no record at all). `again`
repeats an event. `clock` is an hour at which the clock is set back by so much; `said` is context.
`incidents` are all that a person is told, in the order in which they open. All times count from
the start, a Monday.
"""

import re
from collections.abc import Iterator
from itertools import product
from math import ceil
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from amiss.data import DAY, HOUR, MINUTE, Array, Floats, Incident, Records, parse_key, series_key
from amiss.decide import band
from amiss.pipeline import Pipeline
from amiss.spans import parse_span
from amiss.steps.judge import States, name_of
from amiss.steps.outcome import Outcome
from amiss.steps.systems import view
from amiss.words.units import words
from amiss.words.wording import is_whole
from made import Chance

STORIES = sorted((Path(__file__).parent / "golden").glob("*.yaml"))
MONDAY = 1_772_409_600 * 10**9  # 2 March 2026
DETECTORS: list[dict[str, Any]] = [
    {"type": "level"},
    {"type": "step"},
    {"type": "drift"},
    {"type": "surprise"},
]


def moment(text: object) -> object:
    """6h10m -> nanoseconds."""
    parts = re.findall(r"[\d.]+[a-z]+", str(text))
    return sum(int(str(parse_span(part))) for part in parts) if parts else text


Moment = Annotated[int, BeforeValidator(moment)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Series(Part):
    """How something runs of itself."""

    name: str | list[str]
    labels: dict[str, str | list[str]] = Field(default={"host": "web-1"})
    around: float = 0.0
    noise: float = 0.0
    daily: float = 0.0
    trend: float = 0.0
    least: float = -np.inf

    def keys(self) -> list[str]:
        """One for each combination of names and labels."""
        names = [self.name] if isinstance(self.name, str) else self.name
        values = [[v] if isinstance(v, str) else v for v in self.labels.values()]
        return [
            series_key(name, dict(zip(self.labels, row, strict=True)))
            for name in names
            for row in product(*values)
        ]

    def run(self, time: Array, seed: int) -> Floats:
        days = (time - MONDAY) / DAY
        wave = self.daily * np.sin(2 * np.pi * days)
        noise = self.noise * Chance(seed).normal(len(time))
        return np.maximum(self.around + wave + self.trend * days + noise, self.least)


class Event(Part):
    """What happens to some series from `at` on."""

    at: Moment
    lasts: Moment | None = None
    to: str = ""  # what their keys contain; all series if it is not said
    only: int | None = None  # so many of them
    set: float | None = None
    added: float = 0.0
    times: float = 1.0
    missing: bool = False
    gone: bool = False
    again: Moment | None = None
    repeats: int = 1

    def change(self, values: Floats) -> Floats:
        if self.missing:
            return np.full_like(values, np.nan)
        return (
            values * self.times + self.added if self.set is None else np.full_like(values, self.set)
        )

    def when(self, time: Array) -> Array:
        since = time - MONDAY
        found = np.zeros(len(time), bool)
        for i in range(self.repeats):
            start = self.at + i * (self.again or 0)
            end = np.inf if self.lasts is None else start + self.lasts
            found |= (since >= start) & (since < end)
        return found


class Said(Part):
    """Context: what a source says beside the numbers."""

    at: Moment
    name: str
    text: str
    value: float
    labels: dict[str, str] = {"host": "web-1"}


class Told(Part):
    """An incident as a person comes to know it. What is not said may be anything."""

    opens: Moment
    within: Moment = 0  # ... or so much later
    over: Moment | None = None  # resolved at; "never" is to leave it out
    by: Moment = 0  # resolved then or so much earlier
    system: str = ""
    severity: str = ""
    breadth: int | None = None
    at_least: int = 0  # breadth
    first: str = ""  # the strangest member, in words
    says: list[str] = []  # what the last sentence contains
    evidence: list[str] = []
    revisions: int | None = None


class Story(Part):
    says: str
    every: Moment = MINUTE
    lasts: Moment
    pipeline: dict[str, Any] = {}
    series: list[Series]
    events: list[Event] = []
    clock: tuple[Moment, Moment] | None = None  # at, back by
    said: list[Said] = []
    fitted_after: Moment | None = None  # the joint detectors, on what was seen until then
    incidents: list[Told] | None = None
    at_most: int | None = None  # incidents, where it is not said which


def records(story: Story) -> Records:
    """All of them, tick by tick, and the context."""
    time = MONDAY + story.every * np.arange(1, ceil(story.lasts / story.every) + 1)
    rows = [(key, series) for series in story.series for key in series.keys()]
    keys = [key for key, _ in rows]
    values = np.column_stack([series.run(time, seed) for seed, (_, series) in enumerate(rows)])
    there = np.ones(values.shape, bool)
    for event in story.events:
        touched = [i for i, key in enumerate(keys) if event.to in key][: event.only]
        assert touched, f"no series has {event.to!r} in its name"
        cells = np.ix_(event.when(time), touched)
        values[cells] = event.change(values[cells])
        there[cells] &= not event.gone
    t, s = np.nonzero(there)
    rows_said = [
        *zip(time[t], (keys[i] for i in s), values[t, s], [""] * len(t), strict=True),
        *((MONDAY + x.at, series_key(x.name, x.labels), x.value, x.text) for x in story.said),
    ]
    rows_said.sort(key=lambda row: row[0])
    return as_records(rows_said, story.clock)


def as_records(rows: list[tuple[int, str, float, str]], clock: tuple[int, int] | None) -> Records:
    """Rows of time, key, value and text."""
    stamps, keys, values, texts = zip(*rows, strict=True)
    time = np.array(stamps, np.int64)
    if clock:
        time = np.where(time - MONDAY > clock[0], time - clock[1], time)
    parsed = {key: parse_key(key) for key in set(keys)}
    labels = sorted({label for _, of in parsed.values() for label in of})
    return Records(
        time,
        np.array([parsed[key][0] for key in keys]),
        np.array(values, float),
        {label: np.array([parsed[key][1].get(label, "") for key in keys]) for label in labels},
        np.array(texts),
    )


def batches(story: Story) -> Iterator[Records]:
    """A batch a quarter of an hour, or less where the clock is set back."""
    whole = records(story)
    begin = 0
    while begin < len(whole):
        first = int(whole.time[begin])
        back = np.flatnonzero(np.diff(whole.time[begin:]) < 0)
        end = begin + int(np.argmax(np.append(whole.time[begin:] >= first + HOUR // 4, True)))
        end = min(end, begin + int(back[0]) + 1) if len(back) else end
        end = max(end, begin + 1)
        rows = slice(begin, end)
        assert whole.text is not None
        yield Records(
            whole.time[rows],
            whole.name[rows],
            whole.value[rows],
            {label: column[rows] for label, column in whole.labels.items()},
            whole.text[rows],
            int(whole.time[rows][-1]),
        )
        begin = end


def pipeline_of(story: Story) -> Pipeline:
    return Pipeline.model_validate(
        {
            "name": "story",
            "source": {"type": "host"},
            "features": {"type": "grid", "every": story.every},
            "detectors": DETECTORS,
        }
        | story.pipeline
    )


def replay(story: Story) -> Iterator[Outcome]:
    """What the pipeline has to say, from the beginning to the end."""
    pipeline = pipeline_of(story)
    states, seen = pipeline.init(), []
    for batch in batches(story):
        states, outcome = pipeline.step(states, batch)
        yield outcome
        seen.append(outcome)
        if story.fitted_after and batch.time[-1] - MONDAY >= story.fitted_after:
            states = fit(pipeline, states, seen)
            story.fitted_after = None


def fit(pipeline: Pipeline, states: States, seen: list[Outcome]) -> States:
    """Fit the joint detectors on all that was seen, as serving does in a worker."""
    for detector in pipeline.detectors:
        if detector.joint:
            history = view(seen[-1].frame, pipeline.by)
            values = np.concatenate([view(outcome.frame, pipeline.by).values for outcome in seen])
            time = np.concatenate([outcome.frame.time for outcome in seen])
            history = type(history)(time, history.keys, history.features, values)
            name = name_of(detector)
            states[name] = detector.fit(states[name], history)
    return states


def revisions(story: Story) -> dict[str, list[Incident]]:
    """By id, in the order in which they open."""
    found: dict[str, list[Incident]] = {}
    for outcome in replay(story):
        for incident in outcome.incidents:
            found.setdefault(incident.id, []).append(incident)
    return found


def offset(ns: int | None) -> str:
    """Nanoseconds since the start as a person writes them: 4h10m."""
    if ns is None:
        return "never"
    hours, minutes = divmod((ns - MONDAY) // MINUTE, 60)
    return f"{hours}h{minutes}m" if minutes else f"{hours}h"


def check(told: Told, seen: list[Incident]) -> None:
    """One incident is as it was told."""
    last = seen[-1]
    since = last.since - MONDAY
    assert told.opens <= since <= told.opens + told.within, f"opened at {offset(last.since)}"
    if told.over is None:
        assert last.until is None, f"was over at {offset(last.until)}"
    else:
        assert last.until is not None, "was never over"
        over = last.until - MONDAY
        assert told.over - told.by <= over <= told.over, f"was over at {offset(last.until)}"
    system = ", ".join(parse_key(f"x{{{last.system}}}")[1].values())
    assert told.system in ("", system)
    assert told.severity in ("", last.severity)
    assert told.breadth in (None, last.breadth)
    assert last.breadth >= told.at_least
    strangest = last.members[0]
    called = "the picture as a whole" if is_whole(strangest) else words(strangest.series)
    assert told.first in ("", called)
    for text in told.says:
        assert text in last.sentence
    for text in told.evidence:
        assert any(text in line for line in last.evidence), last.evidence
    assert told.revisions in (None, len(seen)), [i.sentence for i in seen]
    consistent(seen)


def consistent(seen: list[Incident]) -> None:
    """What is true of every incident: numbered revisions, ranked members, sentences."""
    assert [i.revision for i in seen] == list(range(1, len(seen) + 1))
    assert [i.state for i in seen[:-1]] == ["open"] * (len(seen) - 1)
    for i in seen:
        assert list(i.members) == sorted(i.members, key=band.order)
        assert i.score >= max(member.score for member in i.members)
        assert len(i.members) <= i.breadth
        assert i.since <= i.seen
        assert re.fullmatch(r"[^\n]+ since \d\d:\d\d UTC on [^\n]+\.", i.sentence), i.sentence
        assert "nothing" not in i.sentence
        assert "nan" not in i.sentence.lower().replace("finance", "")


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story(path: Path) -> None:
    story = Story.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    found = list(revisions(story).values())
    for seen in found:  # shown if the story fails
        last = seen[-1]
        print(f"{offset(last.since)} to {offset(last.until)}: {len(seen)} revisions,", end=" ")
        print(f"{last.severity}, {last.score:.1f} nats, breadth {last.breadth}: {last.sentence}")
        consistent(seen)
    if story.at_most is not None:
        assert len(found) <= story.at_most
    if story.incidents is not None:
        assert [offset(seen[0].since) for seen in found] == [
            offset(seen[0].since) if told.within else offset(MONDAY + told.opens)
            for told, seen in zip(story.incidents, found, strict=False)
        ] + [offset(MONDAY + told.opens) for told in story.incidents[len(found) :]]
        for told, seen in zip(story.incidents, found, strict=True):
            check(told, seen)


def test_there_are_stories() -> None:
    assert len(STORIES) >= 10
