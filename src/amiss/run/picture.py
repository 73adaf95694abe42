"""The picture of what is going on, from what the watches, sinks and models say of themselves."""

from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import nan

import numpy as np

from amiss.data import DAY, MINUTE, SECOND, Incident
from amiss.decide import budget, opened
from amiss.decide.fuse import p_of
from amiss.run.now import (
    BudgetNow,
    JointNow,
    ModelNow,
    Now,
    Phase,
    PipelineNow,
    SeriesNow,
    SeriesState,
    SinkNow,
    overdue,
)
from amiss.run.tell import Channel
from amiss.run.training import Trainee
from amiss.run.watched import Watch
from amiss.settings import Settings
from amiss.steps.judge import WARM
from amiss.steps.systems import joint_key, systems_of
from amiss.store import Store
from amiss.words.phrases import count

SILENT = 3  # ticks without a sample after which a series is silent
REFUSALS = 3  # in a row after which a sink fails; one that took nothing yet fails at the first


@dataclass(frozen=True, slots=True)
class Log:
    """What the picture shows of the incident log."""

    open: tuple[Incident, ...] = ()
    today: int = 0  # opened in the last 24 hours
    week: int = 0


def series_of(watch: Watch, amiss: frozenset[str]) -> Iterable[SeriesNow]:
    """Each series that a pipeline knows, as of its last tick."""
    looked = watch.seen  # once: the next tick puts another one in its place
    if looked is None:
        return
    outcome, last = looked.outcome, looked.last
    frame, scores = outcome.frame, outcome.scores
    systems = systems_of(frame.keys, watch.pipeline.by)
    shown = [frame.values[-1, :, 0], scores.values[-1], p_of(scores.values[-1])]
    for band in (scores.expected, scores.lower, scores.upper):
        shown.append(np.full(len(frame.keys), nan) if band is None else band[-1, :, 0])
    # without those that were forgotten within the step, which come last
    rows = zip(*(column[: len(last)].tolist() for column in shown), strict=True)
    now, tick = int(frame.time[-1]), watch.pipeline.every
    polled = max(watch.pipeline.source.every, tick) / SECOND
    usual = np.where(np.isnan(looked.every), tick / SECOND, looked.every).tolist()
    for s, (value, score, p, expected, lower, upper) in enumerate(rows):
        seen, at = int(outcome.seen[s]), int(last[s])
        state, reason = _state(seen, at, now, usual[s], max(usual[s], polled))
        key = frame.keys[s]
        yield SeriesNow(
            key=key,
            pipeline=watch.name,
            system=systems[s],
            state=state,
            reason=reason,
            seen=seen,
            time=at,
            value=value,
            score=score,
            p=p,
            expected=expected,
            lower=lower,
            upper=upper,
            amiss=key in amiss,
            every=usual[s],
        )


def _state(seen: int, at: int, now: int, every: float, longest: float) -> tuple[SeriesState, str]:
    """From samples so far, the last of them, seconds between them, and until one is missed."""
    if now - at > SILENT * longest * SECOND:
        since = datetime.fromtimestamp(at / 1e9, UTC)
        return "silent", f"no data since {since:%Y-%m-%d %H:%M:%S} UTC"
    if seen < WARM:
        minutes = (WARM - seen) * every / 60
        left = count(max(round(minutes), 1), "minute")
        return "warming up", f"{seen} of {WARM} samples; judged in about {left}"
    return "judged", ""


def joint_of(watch: Watch, amiss: frozenset[str]) -> Iterable[JointNow]:
    """What each joint detector thinks of each system, as of the last tick."""
    looked = watch.seen
    if looked is None:
        return
    for name, (raw, nats) in looked.joint.items():
        forecasts = looked.forecasts.get(name, {})
        for s, system in enumerate(nats.keys):
            score = float(nats.values[-1, s])
            yield JointNow(
                detector=name.partition("-")[0],
                pipeline=watch.name,
                system=system,
                raw=float(raw.values[-1, s]),
                score=score,
                p=float(p_of(score)),
                amiss=joint_key(name, system) in amiss,
                forecast={metric: float(of[s]) for metric, of in forecasts.items()},
            )


def hangs(watch: Watch) -> bool:
    """Whether a poll or a step does not come back: its thread cannot say so itself."""
    said = watch.progress
    late = overdue(said.polled, watch.pipeline.source.every, watch.world.now())
    return late and said.health != "failing"


def pipeline_of(watch: Watch) -> PipelineNow:
    """A pipeline and how its source does."""
    progress, seen = watch.progress, watch.seen
    if hangs(watch):
        since = datetime.fromtimestamp(progress.polled / 1e9, UTC)
        reason = f"no answer since {since:%Y-%m-%d %H:%M:%S} UTC"
        progress = replace(progress, health="failing", reason=reason)
    return PipelineNow(
        name=watch.name,
        source=watch.pipeline.source.type,  # type: ignore[attr-defined]
        health=progress.health,
        reason=progress.reason,
        every=watch.pipeline.source.every / SECOND,
        tick=watch.pipeline.every / SECOND,
        polled=progress.polled,
        ticks=progress.ticks,
        failures=progress.failures,
        lag=progress.lag,
        step_seconds=progress.step_seconds,
        commit_seconds=progress.commit_seconds,
        series=len(seen.outcome.frame.keys) if seen else 0,
        state_bytes=seen.state_bytes if seen else 0,
        replayed=progress.replayed,
        records=progress.records,
    )


def remembered(watch: Watch) -> opened.Memory:
    """What grouping remembered at the last tick."""
    looked = watch.seen
    return opened.load(looked.memory) if looked else opened.Memory()


def members(incidents: Iterable[Incident]) -> frozenset[str]:
    """The series of these incidents."""
    return frozenset(member.series for incident in incidents for member in incident.members)


def read_log(store: Store, now: int) -> Log:
    """Raises Unreachable or StateError if the store cannot be read."""
    found = store.incidents(state="open", limit=100)
    return Log(tuple(found), store.opened_since(now - DAY), store.opened_since(now - 7 * DAY))


def budget_of(watches: Sequence[Watch], log: Log, now: int, first: int, asked: float) -> BudgetNow:
    """Asked and spent; the bar is that of the first pipeline."""
    days = min(max((now - first) / DAY, 1 / 24), 7.0)
    bar = price = nan
    for watch in watches[:1]:
        memory = remembered(watch)
        if memory.price is not None:
            share = watch.pipeline.budget
            price = budget.faded(memory.price, now - memory.priced, share)
            interval = np.array([watch.pipeline.every / SECOND])
            bar = float(budget.bar(interval, share, price)[0])
    return BudgetNow(
        asked=asked,
        today=log.today,
        week=log.week,
        achieved=log.week / days,
        days=days,
        bar=bar,
        price=price,
    )


def phase_of(series: Sequence[SeriesNow], pipelines: Sequence[PipelineNow]) -> tuple[Phase, str]:
    """What the whole is doing, in one word and one sentence."""
    if not series:
        failing = next((p.reason for p in pipelines if p.health == "failing"), "")
        if pipelines and all(p.health == "waiting" for p in pipelines):
            return "starting", f"Waiting: {pipelines[0].reason}"
        return "starting", failing or "Waiting for the first samples"
    judged = sum(one.state == "judged" for one in series)
    warming = [one for one in series if one.state == "warming up"]
    if not judged and warming:
        first = max(warming, key=lambda one: one.seen)
        return "warming up", f"First opinions: {first.reason}"
    rest = f"; {len(warming)} warming up" if warming else ""
    return "watching", f"{judged} series are judged{rest}"


def sink_of(channel: Channel) -> SinkNow:
    """A sink and how it does."""
    status = channel.status
    waiting = status.waiting_since is not None and status.last_error is not None
    many = status.refusals >= REFUSALS or (status.refusals > 0 and not status.delivered)
    reason = status.last_error or ""
    if many and not waiting:
        reason = f"refused all of the last {status.refusals}: {reason}"
    return SinkNow(
        name=channel.name,
        type=channel.sink.type,  # type: ignore[attr-defined]
        health="failing" if waiting or many else "good",
        reason=reason,
        delivered=status.delivered,
        retried=status.retried,
        refused=status.refused,
        last=status.last or 0,
        quiet=status.quiet,
    )


def paint(
    *,
    version: int,
    settings: Settings,
    watches: Sequence[Watch],
    sinks: tuple[SinkNow, ...],
    models: tuple[ModelNow, ...],
    log: Log,
    now: int,
    started: int,
    first: int,
    config: str,
    config_error: str,
    config_waits: str = "",
    stopping: bool,
) -> Now:
    """All of it."""
    watches = [copy(watch) for watch in watches]  # so that all below is of the same tick
    amiss = members(log.open)
    series = tuple(one for watch in watches for one in series_of(watch, amiss))
    pipelines = tuple(pipeline_of(watch) for watch in watches)
    skipped: Counter[str] = Counter()
    for watch in watches:
        skipped.update(watch.skipped)
    phase, reason = phase_of(series, pipelines)
    return Now(
        version=version,
        at=now,
        started=started,
        first=first,
        phase="stopping" if stopping else phase,
        reason=reason,
        series=series,
        joint=tuple(one for watch in watches for one in joint_of(watch, amiss)),
        open=log.open,
        pipelines=pipelines,
        sinks=sinks,
        models=models,
        budget=budget_of(watches, log, now, first, settings.budget),
        skipped=dict(skipped),
        config=config,
        config_error=config_error,
        config_waits=config_waits,
    )


def stamp(
    watches: Sequence[Watch], channels: Sequence[Channel], trainees: Sequence[Trainee]
) -> tuple[object, ...]:
    """What a picture shows of these: another one, another picture."""
    return (
        tuple((watch.progress.version, hangs(watch)) for watch in watches),
        max((watch.progress.polled // MINUTE for watch in watches), default=0),
        tuple(channel.status for channel in channels),
        tuple((t.card, t.known, t.failed, t.running is None) for t in trainees),
    )
