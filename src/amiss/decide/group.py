"""Scores become incidents: one for each stretch of strangeness of a system, not one a series.

An incident of a system (the labels that its series share) opens when a series reaches the bar,
takes in every series of that system that comes within two nats of it, and lasts while any of
them is strange, its score that high, or while half of those that were there from the beginning
are still outside the band that was expected of them then: frozen, so that an outage does not
explain itself. A value that is off by next to nothing holds nothing open, and is told after all
others: a disk that never moves may make much of a few megabytes. It resolves after a calm
stretch, or after six hours as the new normal.

Who was told lately is silent for a while (told.py). Each change that a person should know of
(opened, severity up, members doubled, resolved) is a new revision.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from amiss import wording
from amiss.data import HOUR, MINUTE, SECOND, Array, Blamed, Floats, Incident, Member, Times
from amiss.decide import band, budget, explain, told
from amiss.decide.fuse import p_of
from amiss.decide.opened import Memory, Opened
from amiss.decide.severity import ORDER, severity

Evidence: TypeAlias = Callable[[str, int], Mapping[str, Sequence[str]]]
"""What the source said beside the numbers of a system at a time, by family (units.EVIDENCE)."""
HYSTERESIS = 2.0  # nats below the bar at which a series still counts as strange
LEAST = 4.0  # nats below which nobody needs to look
EXAMPLES = 5  # single records shown with an incident
SHOWN = 12  # members kept with an incident
CAP = 500  # members remembered of an open one
ALIKE = 1.0  # nats within which two moments are as strange


@dataclass(frozen=True, slots=True)
class Policy:
    """What a user may set of all this."""

    name: str  # of the pipeline
    a_day: float  # incidents
    calm: int = 2 * MINUTE
    silence: int = HOUR
    settle: int = 6 * HOUR


@dataclass(frozen=True, slots=True)
class Judged:
    """Scores with what a person needs to understand them, for T ticks of S series."""

    time: Times  # (T,)
    keys: tuple[str, ...]  # S
    systems: tuple[str, ...]  # S, the system of each series
    scores: Floats  # (T, S) nats
    value: Floats  # (T, S)
    expected: Floats  # (T, S)
    lower: Floats  # (T, S)
    upper: Floats  # (T, S)
    interval: Floats  # (T, S) seconds
    watched: Floats  # (T, S) days of samples that came before
    ready: Array  # (T, S) bool: seen long enough to open an incident
    many: Floats | None = None  # (T, S) nats by which the bar of one of many is higher
    blame: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    blamed: dict[tuple[int, int], tuple[Blamed, ...]] = field(default_factory=dict)
    said: dict[tuple[int, int], str] = field(default_factory=dict)  # by single records
    among: dict[tuple[int, int], int] = field(default_factory=dict)  # how many had been seen


def step(
    memory: Memory, judged: Judged, policy: Policy, evidence: Evidence
) -> tuple[Memory, list[Incident]]:
    """Judge tick by tick; the revisions that came of it, in order.

    NaN scores are calm. Cost: O(T S) to look, more only where something is strange.
    """
    incidents: list[Incident] = []
    if not judged.scores.size:
        return memory, incidents
    if memory.price is None:
        memory.price = 0.0
        memory.priced = int(judged.time[0])
    busy = np.any(judged.scores >= LEAST, axis=1)
    ready = np.count_nonzero(judged.ready, axis=1).tolist()
    column = {key: s for s, key in enumerate(judged.keys)} if memory.opened or busy.any() else {}
    for t in range(len(judged.time)):
        if ready[t] > memory.series:
            _fade(memory, int(judged.time[t]), policy)
            memory.price = budget.widened(memory.price, memory.series, ready[t])
            memory.series = ready[t]
        if busy[t] or memory.opened:
            incidents += _tick(memory, judged, t, column, policy, evidence)
    return memory, incidents


def _fade(memory: Memory, now: int, policy: Policy) -> float:
    """The price as of now."""
    memory.price = budget.faded(memory.price or 0.0, now - memory.priced, policy.a_day)
    memory.priced = now
    return memory.price


def _tick(
    memory: Memory,
    judged: Judged,
    t: int,
    column: dict[str, int],
    policy: Policy,
    evidence: Evidence,
) -> Iterator[Incident]:
    now, scores, value = int(judged.time[t]), judged.scores[t], judged.value[t]
    hot = np.flatnonzero((scores >= LEAST) & judged.ready[t])
    bars = budget.bar(judged.interval[t, hot], policy.a_day, _fade(memory, now, policy))
    if judged.many is not None:
        bars = bars + judged.many[t, hot]
    strange: dict[str, list[int]] = {}
    # the strangest first, whatever the order of the columns
    for s, bar in sorted(
        zip(hot.tolist(), bars.tolist(), strict=True),
        key=lambda x: (-scores[x[0]], judged.keys[x[0]]),
    ):
        if scores[s] < max(bar - HYSTERESIS, LEAST):
            continue
        system = judged.systems[s]
        strange.setdefault(system, []).append(s)
        if system not in memory.opened and _may_open(memory, judged, t, s, bar, policy):
            memory.opened[system] = _open(memory, judged, t, s, bar, policy)
    for system in sorted(memory.opened):
        it = memory.opened[system]
        still = [
            s
            for s in strange.get(system, [])
            if not band.is_back(it, judged.keys[s], float(value[s]))
        ]
        for s in still:
            _join(it, judged, t, s, evidence)
        there = {key: float(value[column[key]]) for key in it.members if key in column}
        outside = band.half_outside(it, there)
        yield from _update(memory, system, now, bool(still), outside, policy)


def _payer(judged: Judged, t: int, s: int) -> str:
    """Who pays for an incident that this series opens: of a whole the one most to blame."""
    blamed = judged.blamed.get((t, s), ())
    return blamed[0].series if blamed else judged.keys[s]


def _may_open(memory: Memory, judged: Judged, t: int, s: int, bar: float, policy: Policy) -> bool:
    now, score, key = int(judged.time[t]), float(judged.scores[t, s]), judged.keys[s]
    payer = _payer(judged, t, s)
    if payer != key and told.is_silent(memory.told.get(key), now, score, policy.silence):
        return False
    return told.may_open(memory.told.get(payer), now, score, bar, policy.silence)


def _open(memory: Memory, judged: Judged, t: int, s: int, bar: float, policy: Policy) -> Opened:
    now, score = int(judged.time[t]), float(judged.scores[t, s])
    last = memory.told.get(judged.keys[s])
    told.pay(memory.told, _payer(judged, t, s), now, score)
    memory.price = (memory.price or 0.0) + 1.0
    memory.count += 1
    return Opened(
        id=identity(policy.name, judged.systems[s], now, memory.count),
        since=now,
        seen=now,
        scored=now,
        bar=bar,
        interval=float(judged.interval[t, s]),
        watched=float(judged.watched[t, s]),
        before=last,
    )


def _update(
    memory: Memory,
    system: str,
    now: int,
    strange: bool,
    outside: bool,
    policy: Policy,
) -> Iterator[Incident]:
    """Say what a person should know of an open incident, and end it when it is over."""
    it = memory.opened[system]
    # if the clock was set back, it was last strange just now, and not before it began
    latest = max(now, it.since)
    it.scored = latest if strange else min(it.scored, latest)
    it.seen = latest if strange or outside else min(it.seen, latest)
    settled = now - it.scored >= policy.settle
    calm = now - it.seen >= max(policy.calm, int(3 * it.interval * SECOND))
    over = settled or calm or now < it.since
    breadth = _breadth(it)
    peak = max(m.score for m in it.members.values())
    level = severity(peak, it.bar, breadth, (it.seen - it.since) / MINUTE)
    grown = ORDER[level] > ORDER[it.severity] or breadth >= 2 * it.told_breadth
    if over or it.revision == 0 or grown:
        it.revision += 1
        it.severity = max(level, it.severity, key=lambda name: ORDER[name])
        it.told_breadth = breadth
        yield _revision(it, system, latest if over else None, settled)
    if over:
        del memory.opened[system]
        told.quieten(memory.told, it, now, policy.silence)


def _join(it: Opened, judged: Judged, t: int, s: int, evidence: Evidence) -> None:
    """Remember a strange series at its strangest; the band stays that of when it joined."""
    key, score, now = judged.keys[s], float(judged.scores[t, s]), int(judged.time[t])
    known = it.members.get(key)
    value = float(judged.value[t, s])
    said = judged.said.get((t, s), "")
    if said and said not in it.evidence:
        it.evidence = (*it.evidence, said)[:EXAMPLES]
    if known is not None and known.score >= score:
        return
    if known is None and len(it.members) >= CAP:
        return
    seen = Member(
        series=key,
        since=now,
        at=now,
        score=score,
        observed=value,
        expected=float(judged.expected[t, s]),
        lower=float(judged.lower[t, s]),
        upper=float(judged.upper[t, s]),
        blame=judged.blame.get((t, s), ()),
        blamed=judged.blamed.get((t, s), ()),
        said=said,
        among=judged.among.get((t, s), 0),
    )
    if known is None:
        it.members[key] = seen
    else:
        frozen = (known.expected, known.lower, known.upper)
        it.members[key] = replace(
            seen, since=known.since, expected=frozen[0], lower=frozen[1], upper=frozen[2]
        )
    if score > it.explained and not said:
        found = explain.evidence(it.members[key], evidence(judged.systems[s], now))
        if found:
            it.evidence, it.explained = found, score


def _breadth(it: Opened) -> int:
    """How many series: a system as a whole is none, unless nothing else is strange."""
    return sum(not member.blamed for member in it.members.values()) or 1


def _revision(it: Opened, system: str, until: int | None, settled: bool) -> Incident:
    members = band.in_order(it)
    peak = max(m.score for m in members)
    days = explain.rarity(peak, it.interval)
    alike = it.before is not None and it.before.score > peak - ALIKE
    rare = wording.rare(days, it.watched, it.since, it.before.at if it.before and alike else None)
    said = explain.sentence(system, members, len(members), it.since, rare)
    if until is not None:
        tick = int(it.interval * SECOND)
        if members[0].said:  # a record is a moment, however long one waits for the next
            tick = min(tick, SECOND)
        said = explain.ended(said, max(min(it.seen + tick, until) - it.since, tick), settled)
    return Incident(
        id=it.id,
        revision=it.revision,
        state="open" if until is None else "resolved",
        system=system,
        since=it.since,
        seen=it.seen,
        until=until,
        severity=it.severity,
        score=peak,
        p=float(p_of(peak)),
        rarity=days,
        watched=it.watched,
        breadth=_breadth(it),
        members=tuple(members[:SHOWN]),
        sentence=said,
        evidence=it.evidence,
    )


def identity(pipeline: str, system: str, since: int, count: int) -> str:
    """The same incident always has the same id, and no other has it if a time comes twice."""
    said = f"{pipeline}\n{system}\n{since}\n{count}".encode()
    return hashlib.blake2b(said, digest_size=6).hexdigest()
