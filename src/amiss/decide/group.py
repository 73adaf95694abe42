"""Scores become incidents: one for each stretch of strangeness of a system, not one a series.

An incident of a system (the labels that its series share) opens when a series reaches the bar,
takes in every series of that system that comes within two nats of it, and lasts while any of
them is strange: its score is that high, or its value is still outside the band that was
expected of it when it joined. The band is frozen then, so an outage does not explain itself.
It resolves after a calm stretch, or after six hours as the new normal.

A series that opened an incident opens no other for an hour, unless it is two nats stranger,
and its next one costs a nat more, forgotten with 14 days. Each change that a person should
know of (opened, severity up, members doubled, resolved) is a new revision.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp
from typing import TypeAlias

import numpy as np

from amiss.data import DAY, HOUR, MINUTE, SECOND, Array, Floats, Incident, Member, Times
from amiss.decide import budget, explain
from amiss.decide.opened import Memory, Opened, Told
from amiss.decide.severity import ORDER, severity

Evidence: TypeAlias = Callable[[str, int], Mapping[str, Sequence[str]]]
"""What the source said beside the numbers of a system at a time, by family (units.EVIDENCE)."""
HYSTERESIS = 2.0  # nats below the bar at which a series still counts as strange
AGAIN = 2.0  # nats more than the last time that break the silence
LEAST = 4.0  # nats below which nobody needs to look
SHOWN = 12  # members kept with an incident
CAP = 500  # members remembered of an open one


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
    ready: Array  # (T, S) bool: seen long enough to open an incident
    blame: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)


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
        memory.price = budget.first_price(len(judged.keys))
        memory.began = memory.priced = int(judged.time[0])
    busy = np.any(judged.scores >= LEAST, axis=1)
    column = {key: s for s, key in enumerate(judged.keys)} if memory.opened or busy.any() else {}
    for t in range(len(judged.time)):
        if busy[t] or memory.opened:
            incidents += _tick(memory, judged, t, column, policy, evidence)
    return memory, incidents


def _tick(
    memory: Memory,
    judged: Judged,
    t: int,
    column: dict[str, int],
    policy: Policy,
    evidence: Evidence,
) -> Iterator[Incident]:
    now = int(judged.time[t])
    price = memory.price = budget.faded(memory.price or 0.0, now - memory.priced, policy.a_day)
    memory.priced = now
    hot = np.flatnonzero(judged.scores[t] >= LEAST)
    bars = budget.bar(judged.interval[t, hot], policy.a_day, price)
    strange: dict[str, list[int]] = {}
    for s, bar in zip(hot.tolist(), bars.tolist(), strict=True):
        system = judged.systems[s]
        if judged.scores[t, s] < max(bar - HYSTERESIS, LEAST) or not judged.ready[t, s]:
            continue
        strange.setdefault(system, []).append(s)
        if system not in memory.opened and _fires(memory, judged, t, s, bar, policy):
            memory.opened[system] = Opened(
                id=identity(policy.name, system, now),
                since=now,
                seen=now,
                scored=now,
                bar=bar,
                interval=float(judged.interval[t, s]),
            )
            memory.price += 1.0
    for system in sorted(memory.opened):
        yield from _update(
            memory, system, judged, t, strange.get(system, []), column, policy, evidence
        )


def _fires(memory: Memory, judged: Judged, t: int, s: int, bar: float, policy: Policy) -> bool:
    """Whether this series may open an incident, and remembers that it did."""
    now, key, score = int(judged.time[t]), judged.keys[s], float(judged.scores[t, s])
    last = memory.told.get(key)
    price = 0.0
    if last is not None:
        price = last.price * exp(-(now - last.at) / SECOND / budget.FORGET)
        silent = abs(now - last.at) <= policy.silence and score < last.score + AGAIN
        if silent or score < bar + price:
            return False
    elif score < bar:
        return False
    memory.told[key] = Told(now, score, price + 1.0)
    # what has faded to nothing need not be remembered
    old = now - int(3 * budget.FORGET * SECOND)
    for other in [k for k, told in memory.told.items() if told.at < old]:
        del memory.told[other]
    return True


def _update(
    memory: Memory,
    system: str,
    judged: Judged,
    t: int,
    strange: list[int],
    column: dict[str, int],
    policy: Policy,
    evidence: Evidence,
) -> Iterator[Incident]:
    """Take in who is strange, end it when it is over, and say what a person should know."""
    now = int(judged.time[t])
    it = memory.opened[system]
    for s in strange:
        _join(it, judged, t, s, evidence)
    if strange:
        it.scored = now
    outside = any(
        _outside(member, float(judged.value[t, column[key]]))
        for key, member in it.members.items()
        if key in column
    )
    if strange or outside:
        it.seen = now
    settled = now - it.scored >= policy.settle
    over = settled or now - it.seen >= max(policy.calm, int(3 * it.interval * SECOND))
    over = over or now < it.since  # the clock went back past its beginning
    breadth = len(it.members)
    peak = max(m.score for m in it.members.values())
    level = severity(peak, it.bar, breadth, (it.seen - it.since) / MINUTE)
    grown = ORDER[level] > ORDER[it.severity] or breadth >= 2 * it.told_breadth
    if over or it.revision == 0 or grown:
        it.revision += 1
        it.severity = max(level, it.severity, key=lambda name: ORDER[name])
        it.told_breadth = breadth
        yield _revision(it, system, memory.began, now if over else None, settled)
    if over:
        del memory.opened[system]


def _outside(member: Member, value: float) -> bool:
    """Outside the band of when it joined. NaN, in the value or in the band, is not outside."""
    return value < member.lower or value > member.upper


def _join(it: Opened, judged: Judged, t: int, s: int, evidence: Evidence) -> None:
    """Remember a strange series at its strangest; the band stays that of when it joined."""
    key, score, now = judged.keys[s], float(judged.scores[t, s]), int(judged.time[t])
    known = it.members.get(key)
    if known is not None and known.score >= score:
        return
    if known is None and len(it.members) >= CAP:
        return
    peak = max((m.score for m in it.members.values()), default=0.0)
    seen = Member(
        series=key,
        since=now,
        at=now,
        score=score,
        observed=float(judged.value[t, s]),
        expected=float(judged.expected[t, s]),
        lower=float(judged.lower[t, s]),
        upper=float(judged.upper[t, s]),
        blame=judged.blame.get((t, s), ()),
    )
    if known is None:
        it.members[key] = seen
    else:
        frozen = (known.expected, known.lower, known.upper)
        it.members[key] = replace(
            seen, since=known.since, expected=frozen[0], lower=frozen[1], upper=frozen[2]
        )
    if score > peak:
        it.evidence = explain.evidence(it.members[key], evidence(judged.systems[s], now))


def _revision(it: Opened, system: str, began: int, until: int | None, settled: bool) -> Incident:
    members = sorted(it.members.values(), key=lambda m: (-m.score, m.series))
    peak = members[0].score
    days = explain.rarity(peak, it.interval)
    watched = max(it.since - began, 0) / DAY
    said = explain.sentence(system, members, len(members), it.since, days, watched)
    if until is not None:
        said = explain.ended(said, until, it.since, settled)
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
        p=exp(-peak),
        rarity=days,
        watched=watched,
        breadth=len(members),
        members=tuple(members[:SHOWN]),
        sentence=said,
        evidence=it.evidence,
    )


def identity(pipeline: str, system: str, since: int) -> str:
    """The same incident always has the same id."""
    said = f"{pipeline}\n{system}\n{since}".encode()
    return hashlib.blake2b(said, digest_size=6).hexdigest()
