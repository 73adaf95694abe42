"""A pipeline: the one pure step from records to incidents, made of smaller ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from amiss import context, memory
from amiss.component import AnyOf, Component, Detector, Features, Rate, Source, Span
from amiss.data import DAY, HOUR, MINUTE, Array, Frame, Incident, Records, Scores, State
from amiss.decide import group, opened
from amiss.judge import WARM, Opinion, States, judge, judge_jointly, name_of
from amiss.systems import members_of, view


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step has to say."""

    frame: Frame  # the values that were judged, one column for each known series
    scores: Scores  # (T, S) nats, with expected, lower and upper (T, S, 1)
    seen: Array  # (S,) samples that each series has been seen
    joint: Mapping[str, Scores] = field(default_factory=dict)  # by detector: (T, systems) nats
    raw: Mapping[str, Scores] = field(default_factory=dict)  # the same before calibration
    incidents: tuple[Incident, ...] = ()  # new revisions, in order
    skipped: Mapping[str, int] = field(default_factory=dict)  # what was left out, by reason


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
    calm: Span = 2 * MINUTE
    """How long all must be calm before an incident resolves."""
    silence: Span = HOUR
    """How long a series that opened an incident opens no other, unless it gets much stranger."""
    settle: Span = 6 * HOUR
    """How long something may last before it is the new normal."""
    max_series: int = Field(100_000, gt=0)
    """Most series; over it the newest are refused and counted."""
    forget: Span = 14 * DAY
    """How long a series may be silent before its memory is dropped."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [name_of(detector) for detector in self.detectors]
        for detector, name in zip(self.detectors, names, strict=True):
            if names.count(name) > 1:
                said = name.partition("-")[0]
                raise ValueError(f"detector {said!r} stands there twice with equal settings")
            if "value" not in detector.needs:
                raise ValueError(f"detector {name!r} does not read the value")
        return self

    def init(self) -> States:
        """The memory before the first record."""
        return {"features": self.features.init()}

    def step(self, states: States, records: Records) -> tuple[States, Outcome]:
        """Records in, outcome out; all memory is in `states`, which is given away with the call."""
        states = self._known(states)
        states["features"], fresh = self.features.step(states["features"], records)
        states["context"] = context.remember(states.get("context", {}), records, self.by)
        states, frame, skipped = self._admit(states, fresh)
        alone = [d for d in self.detectors if not d.joint]
        states, opinion = judge(alone, states, frame)
        joint, raw = {}, {}
        for detector in self.detectors:
            if detector.joint:
                name, together = name_of(detector), view(frame, self.by)
                states, raw[name], joint[name] = judge_jointly(detector, states, together)
        states, incidents = self._group(states, frame, opinion, joint)
        skipped |= {reason: n + skipped.get(reason, 0) for reason, n in records.skipped.items()}
        outcome = Outcome(frame, opinion.scores, opinion.seen, joint, raw, incidents, skipped)
        return states, outcome

    def _known(self, states: States) -> States:
        """Without the memory of components that are no longer there."""
        names = tuple(name_of(detector) for detector in self.detectors)
        return {k: v for k, v in states.items() if "-" not in k or k.startswith(names)}

    def _admit(self, states: States, frame: Frame) -> tuple[States, Frame, dict[str, int]]:
        """Give each series its column, within the cap, and drop those long silent."""
        skipped = {}
        late = int(states["features"].get("late", np.zeros(1))[0])
        if late:
            skipped["late"] = late
            states["features"]["late"] = np.zeros(1, np.int64)
        table = states.get("series", {"keys": np.zeros(0, "U1"), "last": np.zeros(0, np.int64)})
        states, table = self._forget(states, table, frame)
        known = tuple(table["keys"].tolist())
        keys = memory.rows(known, frame.keys)
        if len(keys) > self.max_series:
            admitted = set(keys[: self.max_series])
            refused = [s for s, key in enumerate(frame.keys) if key not in admitted]
            skipped["over the cap of series"] = int(np.isfinite(frame.values[:, refused]).sum())
            keep = [s for s, key in enumerate(frame.keys) if key in admitted]
            names = tuple(frame.keys[s] for s in keep)
            frame = Frame(frame.time, names, frame.features, frame.values[:, keep])
            keys = keys[: self.max_series]
        frame = memory.align(frame, keys)
        last = np.concatenate([table["last"], np.zeros(len(keys) - len(known), np.int64)])
        if len(frame.time):
            there = np.isfinite(frame.values[:, :, 0])
            latest = frame.time[len(frame.time) - 1 - there[::-1].argmax(axis=0)]
            last = np.where(there.any(axis=0), latest, last)
        states["series"] = {"keys": np.array(keys, dtype=str), "last": last}
        return states, frame, skipped

    def _forget(self, states: States, table: State, frame: Frame) -> tuple[States, State]:
        """Drop the rows of series that have long been silent; looked at once an hour."""
        if not len(frame.time) or not len(table["last"]):
            return states, table
        hour = int(frame.time[0]) // HOUR
        if hour == int(table["last"].max()) // HOUR:
            return states, table
        mask = table["last"] >= int(frame.time[0]) - self.forget
        if mask.all():
            return states, table
        shared = {name_of(d): d.shared for d in self.detectors if d.joint}
        for name in states:
            if name not in ("features", "context", "group") and name not in shared:
                states[name] = memory.keep(states[name], mask)
        return states, memory.keep(table, mask)

    def _group(
        self, states: States, frame: Frame, opinion: Opinion, joint: Mapping[str, Scores]
    ) -> tuple[States, tuple[Incident, ...]]:
        said = states.get("group", {}).get("memory")
        past = opened.load(said.tobytes()) if said is not None else opened.Memory()
        policy = group.Policy(self.name, self.budget, self.calm, self.silence, self.settle)
        judged = members_of(frame, opinion, joint, self.by, WARM)
        past, incidents = group.step(
            past, judged, policy, partial(context.evidence, states["context"])
        )
        if len(frame.time):
            states["context"] = context.forget(states["context"], int(frame.time[-1]))
        states["group"] = {"memory": np.frombuffer(opened.dump(past), np.uint8)}
        return states, tuple(incidents)
