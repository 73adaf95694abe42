"""Scores become incidents: one for each stretch of strangeness of a system, not one a series.

An incident of a system (the labels that its series share) opens when a series reaches the bar,
takes in every series of that system that comes within two nats of it, and lasts while any of
them is strange, its score that high, or while half of those that were there from the beginning
are still outside the band that was expected of them then: frozen, so that an outage does not
explain itself. A value that is off by next to nothing holds nothing open, and is told after all
others: a disk that never moves may make much of a few megabytes. It resolves after a calm
stretch, or after six hours as the new normal.

Who was told lately is silent for a while (told.py). Each change that a person should know of
(opened, severity up, members doubled, a rule of theirs holds, resolved) is a new revision.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import TypeAlias

import numpy as np

from amiss.data import MINUTE, SECOND, Floats, Incident, Member
from amiss.decide import band, budget, explain, opening, told
from amiss.decide.finding import ABOVE, Finding, kept
from amiss.decide.fuse import p_of
from amiss.decide.judged import LEAST, Judged, Policy
from amiss.decide.opened import Memory, Opened
from amiss.decide.severity import ORDER, severity
from amiss.words import wording

Evidence: TypeAlias = Callable[[str, int], Mapping[str, Sequence[str]]]
"""What the source said beside the numbers of a system at a time, by family (units.EVIDENCE)."""
HYSTERESIS = 2.0  # nats below the bar at which a series still counts as strange
EXAMPLES = 5  # single records shown with an incident
SHOWN = 12  # members kept with an incident
CAP = 500  # members remembered of an open one
ALIKE = 1.0  # nats within which two moments are as strange


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
    now, scores, value = int(judged.time[t]), judged.scores[t].copy(), judged.value[t]
    hot = np.flatnonzero((scores >= LEAST) & judged.ready[t])
    bars = budget.bar(judged.interval[t, hot], policy.a_day, _fade(memory, now, policy))
    if judged.many is not None:
        bars = bars + judged.many[t, hot]
    near = _near(judged, t, hot.tolist(), bars.tolist(), scores)
    strange: dict[str, list[int]] = {}
    for s, _ in near:
        strange.setdefault(judged.systems[s], []).append(s)
    for system in sorted(strange.keys() & memory.opened.keys()):
        it = memory.opened[system]
        if _apart(it, judged, t, strange[system], policy) and not _outside(it, column, value):
            yield from _update(memory, system, now, False, False, policy, apart=True)
    for s, bar in near:
        system = judged.systems[s]
        score = float(scores[s])
        asked = (memory, judged, t, s, score, bar, policy)
        if system not in memory.opened and opening.may_open(*asked):
            memory.opened[system] = opening.begin(*asked)
    for system in sorted(memory.opened):
        it = memory.opened[system]
        still = [
            s
            for s in strange.get(system, [])
            if (t, s) in judged.found or not band.is_back(it, judged.keys[s], float(value[s]))
        ]
        for s in still:
            _join(it, judged, t, s, float(scores[s]), evidence)
        outside = _outside(it, column, value)
        yield from _update(memory, system, now, bool(still), outside, policy)


def _outside(it: Opened, column: Mapping[str, int], value: Floats) -> bool:
    """Whether the values of this tick hold it open."""
    there = {key: float(value[column[key]]) for key in it.members if key in column}
    return band.half_outside(it, there)


def _near(
    judged: Judged, t: int, hot: list[int], bars: list[float], scores: Floats
) -> list[tuple[int, float]]:
    """Series near their bar and above, with it; to scores is added what rules ask for.

    The strangest first, whatever the order of the columns.
    """
    for s, bar in zip(hot, bars, strict=True):
        if level := opening.asked(judged, t, s):
            scores[s] = max(scores[s], bar + ABOVE[level])
    by = sorted(zip(hot, bars, strict=True), key=lambda x: (-scores[x[0]], judged.keys[x[0]]))
    return [(s, bar) for s, bar in by if scores[s] >= max(bar - HYSTERESIS, LEAST)]


def _apart(it: Opened, judged: Judged, t: int, some: Sequence[int], policy: Policy) -> bool:
    """Whether what is strange now is another thing, as an incident of records has calmed down.

    In a quiet log hours lie between records: to wait for the next ones is right for those of the
    same subject, of whom the same is said as of a member (`users that failed from 192.0.2.1`), and
    for a run that began before, but not for whatever else comes. What a series opened goes by its
    own samples.
    """
    if it.pace == it.interval or int(judged.time[t]) - it.seen < _wait(it.pace, policy):
        return False
    known = _said_of(words for member in it.members.values() for words in member.blame)
    for s in some:
        found = judged.found.get((t, s))
        if found is not None and found.since is not None:
            if found.since <= it.seen:
                return False
        elif judged.keys[s] in it.members or known & _said_of(judged.blame.get((t, s), ())):
            return False
    return True


def _said_of(blame: Iterable[str]) -> set[str]:
    """What is said, without how much: `failures of bob in 1h: 12 (usually 0.2)`."""
    return {words.rpartition(": ")[0] or words for words in blame}


def _wait(interval: float, policy: Policy) -> int:
    """How long it is calm before it is over (ns), of samples that are so far apart (s)."""
    return max(policy.calm, int(3 * interval * SECOND))


def _update(
    memory: Memory,
    system: str,
    now: int,
    strange: bool,
    outside: bool,
    policy: Policy,
    apart: bool = False,
) -> Iterator[Incident]:
    """Say what a person should know of an open incident, and end it when it is over."""
    it = memory.opened[system]
    # if the clock was set back, it was last strange just now, and not before it began
    latest = max(now, it.since)
    it.scored = latest if strange else min(it.scored, latest)
    it.seen = latest if strange or outside else min(it.seen, latest)
    settled = now - it.scored >= policy.settle
    calm = now - it.seen >= _wait(it.interval, policy)
    until = it.seen + _wait(it.pace, policy) if apart else latest
    over = settled or calm or apart or now < it.since
    breadth = _breadth(it)
    level = it.least
    if others := [m.score for m in it.members.values() if not m.rules]:
        own = severity(max(others), it.bar, breadth, (it.seen - it.since) / MINUTE)
        level = max(level, own, key=lambda name: ORDER[name])
    grown = ORDER[level] > ORDER[it.severity] or breadth >= 2 * it.told_breadth
    grown = grown or len(it.rules) > it.told_rules
    if over or it.revision == 0 or grown:
        it.revision += 1
        it.severity = max(level, it.severity, key=lambda name: ORDER[name])
        it.told_breadth, it.told_rules = breadth, len(it.rules)
        yield _revision(it, system, until if over else None, settled)
    if over:
        del memory.opened[system]
        told.quieten(memory.told, it, until if apart else now, policy.silence)


def _join(it: Opened, judged: Judged, t: int, s: int, score: float, evidence: Evidence) -> None:
    """Remember a strange series at its strangest; the band stays that of when it joined."""
    key, now = judged.keys[s], int(judged.time[t])
    known, found = it.members.get(key), judged.found.get((t, s))
    why, rules = kept(known, found)
    new = set(rules) - set(known.rules if known else ())
    value = float(judged.value[t, s])
    said = judged.said.get((t, s), "")
    it.runs = _runs(it, found)
    if not it.pace and not judged.is_record(t, s):
        it.pace = float(judged.interval[t, s])
    for one in (said or (found.record if found else "")).splitlines():
        if one not in it.evidence:
            it.evidence = (*it.evidence, one)[:EXAMPLES]
    if found and found.severity:
        it.least = max(it.least, found.severity, key=lambda name: ORDER[name])
        it.rules = tuple(dict.fromkeys((*it.rules, *rules)))
    if known is not None and known.score >= score and not new:
        return
    if known is None and len(it.members) >= CAP and not new:
        return
    seen = Member(
        series=key,
        since=now,
        at=now,
        score=max(score, known.score) if known else score,
        observed=value,
        expected=float(judged.expected[t, s]),
        lower=float(judged.lower[t, s]),
        upper=float(judged.upper[t, s]),
        blame=judged.blame.get((t, s), ()),
        blamed=judged.blamed.get((t, s), ()),
        said=said.rpartition("\n")[2],
        why=why,
        rules=rules,
        among=judged.among.get((t, s), 0),
        votes=judged.votes.get((t, s), ()),
    )
    if known is None:
        it.members[key] = seen
    else:
        frozen = (known.expected, known.lower, known.upper)
        it.members[key] = replace(
            seen, since=known.since, expected=frozen[0], lower=frozen[1], upper=frozen[2]
        )
    if score > it.explained and not said:
        around = explain.evidence(it.members[key], evidence(judged.systems[s], now))
        if around:
            it.evidence, it.explained = around, score


def _runs(it: Opened, found: Finding | None) -> tuple[str, ...]:
    """Those that it is about, with this one."""
    if not (found and found.run) or found.run in it.runs or len(it.runs) >= CAP:
        return it.runs
    return (*it.runs, found.run)


def _breadth(it: Opened) -> int:
    """How many series: a system as a whole is none, unless nothing else is strange."""
    return sum(not member.blamed for member in it.members.values()) or 1


def _revision(it: Opened, system: str, until: int | None, settled: bool) -> Incident:
    members = band.in_order(it)
    peak = max(m.score for m in members)
    ruled = bool(members[0].rules)  # how rare that is was not asked
    days = nan if ruled else explain.rarity(peak, it.interval)
    alike = it.before is not None and it.before.score > peak - ALIKE
    before = it.before.at if it.before and alike else None
    rare = "" if ruled else wording.rare(days, it.watched, it.since, before)
    said = explain.sentence(system, members, len(members), it.since, rare)
    if until is not None:
        tick = int((it.pace or it.interval) * SECOND)
        if members[0].said or not it.pace:  # a record is a moment, whenever the next comes
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
