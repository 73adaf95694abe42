"""A pipeline: the one pure step from records to incidents, made of smaller ones."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Annotated, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from amiss import zones
from amiss.component import AnyOf, Component, Detector, Features, Source
from amiss.data import (
    DAY,
    HOUR,
    MINUTE,
    Floats,
    Frame,
    Incident,
    Records,
    measured,
)
from amiss.decide import group, opened, pace, pulse
from amiss.decide.judged import Judged, Policy
from amiss.dropped import displaced, failed, left_out
from amiss.spans import Rate, Span
from amiss.steps import apart, context, fields, quiet, roster, singles, streaks
from amiss.steps.judge import WHOLE, States, judge, judge_jointly, name_of
from amiss.steps.outcome import Outcome, join
from amiss.steps.strange import NONE, Strange
from amiss.steps.systems import SYSTEM, judge_system, members_of, view
from amiss.steps.whom import Whom


class Pipeline(Component):
    """Where to look, what to measure, how to judge."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    """What it is called, in addresses and in the store."""
    source: Annotated[Source, AnyOf("amiss.sources")]
    """Where records come from."""
    features: Annotated[Features, AnyOf("amiss.features")]
    """How records become numbers."""
    detectors: tuple[Annotated[Detector, AnyOf("amiss.detectors")], ...] = Field(min_length=1)
    """Who judges; each is calibrated in the same way, and they are fused."""
    by: tuple[str, ...] = ("host",)
    """The labels that name a system: its series are grouped into one incident."""
    budget: Rate = 5.0
    """Incidents to put up with: 5/day, 1/week."""
    calm: Span = Field(2 * MINUTE, ge=0)
    """How long all must be calm before an incident resolves."""
    silence: Span = Field(HOUR, ge=0)
    """How long after an incident its series open no other, unless they get much stranger."""
    settle: Span = Field(6 * HOUR, gt=0)
    """How long something may last before it is the new normal."""
    max_series: int = Field(100_000, gt=0)
    """Most series; over it the newest are refused and counted."""
    zone: str = "UTC"
    """Whose hours, days and weekends count, such as Europe/Berlin: people rise by their clock."""
    forget: Span = Field(14 * DAY, gt=0)
    """How long a series may be silent before its memory is dropped."""

    @field_validator("zone")
    @classmethod
    def _there(cls, zone: str) -> str:
        if not zones.known(zone):
            raise ValueError(
                f"there is no time zone {zone[:60]!r}; write one such as Europe/Berlin"
            )
        return zone

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.source.of_events and not self.features.each:
            raise ValueError(
                f"features {self.features.type!r} makes series of numbers, and this source gives "  # type: ignore[attr-defined]
                "events; write features: {type: each}, or say in source which fields are numbers"
            )
        names = [name_of(detector) for detector in self.detectors]
        for detector, name in zip(self.detectors, names, strict=True):
            if names.count(name) > 1:
                said = name.partition("-")[0]
                raise ValueError(f"detector {said!r} stands there twice with equal settings")
            if "value" not in detector.needs and not detector.each:
                raise ValueError(f"detector {name!r} does not read the value")
            if detector.each and not self.features.each:
                raise ValueError(
                    f"detector {name.partition('-')[0]!r} judges single records, and features "
                    f"{self.features.type!r} gives none; write features: {{type: each}}"  # type: ignore[attr-defined]
                )
        return self

    @property
    def views(self) -> tuple[Detector, ...]:
        """The detectors that look at a system as a whole and are told as one."""
        return tuple(d for d in self.detectors if d.joint and d.calibration == "size")

    @property
    def every(self) -> int:
        """Nanoseconds between two ticks of its series, as a rule."""
        if self.features.each:  # they are counts by the minute
            return max(self.source.every, MINUTE)
        return max(self.features.grid, self.source.pace) or self.source.every

    @property
    def _apart(self) -> list[Detector]:
        return apart.among(self.detectors)

    def init(self) -> States:
        """The memory before the first record."""
        return {"features": self.features.init()}

    def step(self, states: States, records: Records) -> tuple[States, Outcome]:
        """Records in, outcome out; all memory is in `states`, which is given away with the call."""
        states = self._known(states)
        if records.zone != self.zone:
            records = replace(records, zone=self.zone)
        states["features"], frame = self.features.step(states["features"], records)
        frame = replace(frame, values=measured(frame.values))
        states, frame = self._filled(states, frame, records.watermark)
        skipped = left_out(states["features"], records)
        those, worst = NONE, None
        if self.features.each:
            states.setdefault("context", context.remember({}, records[:0], self.by))
            states, frame, worst, those = self._each(states, frame, records.watermark)
            skipped.update(displaced(states))
        else:
            states["context"] = context.remember(states.get("context", {}), records, self.by)
        parts = []
        for ticks in roster.pieces(states["series"], frame, self.forget):
            due = len(those) if ticks.stop is None else those.before(frame.time[ticks.stop])
            states, part = self._judge(states, frame[ticks], those[:due])
            those = those[due:]
            skipped.update(part.skipped)
            parts.append(part)
        states["context"] = context.cap(states["context"])
        said = replace(join(parts), skipped=dict(+skipped))
        return states, said if worst is None else singles.shown(said, frame, worst)

    def _filled(self, states: States, frame: Frame, watermark: int | None) -> tuple[States, Frame]:
        """With the ticks in which nothing came, where a detector is about silence.

        Of a source that keeps what it gave: else nothing came because nobody asked.
        """
        heard = any("silent" in detector.needs for detector in self.detectors)
        if not (heard and self.features.grid and self.source.again()):
            return states, frame
        past = states.get("silence") or quiet.start()
        states["silence"], frame = quiet.fill(past, frame, self.features.grid, watermark)
        return states, frame

    def _each(
        self, states: States, frame: Frame, watermark: int | None
    ) -> tuple[States, Frame, Floats, Strange]:
        """Judge single records, and count them by the minute: those are series as all others."""
        detectors = [detector for detector in self.detectors if detector.each]
        states, nats, why, found = singles.judge_each(detectors, states, frame)
        states["pace"], *often = pace.step(states.get("pace", {}), frame.time)
        whom = Whom(self.by, self.features.whom, *self.features.shared(frame))
        those = singles.strange(frame, nats, why, found, whom, *often)
        states, those, nats = streaks.judge(states, frame, nats, those, whom, *often)
        states, held = fields.judge_fields(self._apart, states, frame, self.by)
        those = fields.told(those, held, frame, *often)
        begun = bool(states["pace"]["count"][0])  # else the first records are still held back
        promised = pulse.NEVER if watermark is None or not begun else watermark
        now = max(promised, int(frame.time[-1]) if len(frame.time) else pulse.NEVER)
        records, past = singles.records_of(frame), states.get("pulse") or pulse.init()
        whole = singles.labelled(records, self.by)
        by = (*self.by, *self.features.counted)
        parts = whole if by == self.by else singles.labelled(records, by)
        more = np.flatnonzero(parts != whole)  # those that say nothing of it count once
        rows, kinds = np.append(np.arange(len(whole)), more), np.append(whole, parts[more])
        states["pulse"], frame, worst = pulse.step(past, frame.time[rows], kinds, nats[rows], now)
        return states, frame, worst, those

    def _known(self, states: States) -> States:
        """Without the memory of components that are no longer there.

        Nor of what joint detectors know of systems that are now others.
        """
        by = np.array(self.by, dtype=str)
        same = np.array_equal(states.get("by", {"names": by})["names"], by)
        names = tuple(name_of(d) for d in self.detectors if same or not d.joint)
        names = (*names, WHOLE) if same and self.views else names
        fresh = {"series": roster.init()}
        kept = {k: v for k, v in states.items() if "-" not in k or k.startswith(names)}
        return fresh | kept | {"by": {"names": by}}

    def _judge(self, states: States, frame: Frame, those: Strange) -> tuple[States, Outcome]:
        """From numbers to incidents; `those` are the strange records of the same time."""
        states = roster.forget(self.detectors, states, frame, self.by, self.forget)
        states, frame, skipped = roster.admit(states, frame, self.max_series)
        alone = [d for d in self.detectors if not (d.joint or d.each or d.apart)]
        clock = None if self.zone == "UTC" else zones.local(frame.time, self.zone)
        states, opinion = judge(alone, states, replace(frame, clock=clock))
        joint, raw, before = {}, {}, {}
        for detector in self.detectors:
            if detector.joint and detector not in self.views:
                name, together = name_of(detector), view(frame, self.by)
                said = judge_jointly(detector, states, together)
                states, raw[name], joint[name], before[name] = said
        skipped |= failed(states, joint)
        if self.views:
            whole = judge_system(self.views, states, frame, opinion, self.by)
            states, raw[SYSTEM], joint[SYSTEM], before[SYSTEM] = whole
        voices = {name_of(detector): detector.voices for detector in self.detectors}
        judged = members_of(frame, opinion, joint, before, self.by, voices)
        often = max(self.source.every, self.every)
        states, judged = apart.judge_apart(self._apart, states, frame, judged, 2 * often)
        states, incidents = self._group(states, singles.pieces(judged, those, self.by))
        return states, Outcome(frame, opinion.scores, opinion.seen, joint, raw, incidents, skipped)

    def _group(
        self, states: States, pieces: Iterable[Judged]
    ) -> tuple[States, tuple[Incident, ...]]:
        said = states.get("group", {}).get("memory")
        past = opened.load(said.tobytes()) if said is not None else opened.Memory()
        policy = Policy(self.name, self.budget, self.calm, self.silence, self.settle)
        evidence = partial(context.evidence, states["context"])
        incidents, newest = list[Incident](), None
        for judged in pieces:
            past, some = group.step(past, judged, policy, evidence)
            incidents += some
            newest = judged.time[-1] if len(judged.time) else newest
        if newest is not None:
            states["context"] = context.forget(states["context"], int(newest))
        states["group"] = {"memory": np.frombuffer(opened.dump(past), np.uint8)}
        return states, tuple(incidents)
