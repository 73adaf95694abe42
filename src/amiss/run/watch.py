"""One pipeline, live: poll, step, commit; and again at the next tick.

A crash anywhere repeats the tick. Between two checkpoints the store holds the records that came,
and the step is deterministic: stepping them again gives the same memory and the same incidents.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from amiss.data import AHEAD, Records
from amiss.dropped import FUTURE
from amiss.errors import Error, StateError, Unreachable
from amiss.pipeline import Pipeline
from amiss.run import commits
from amiss.run.commits import NOTHING, Commit
from amiss.run.decided import decisions
from amiss.run.now import Health
from amiss.run.resume import resume
from amiss.run.watched import Fitted, Progress, Watch, checkpoint, count, keep, remember
from amiss.steps.judge import States, name_of
from amiss.steps.outcome import Outcome
from amiss.steps.systems import distinct

__all__ = [
    "Commit", "Fitted", "Progress", "Watch", "checkpoint", "close",
    "put_to_use", "resume", "run_watch", "tick",
]  # fmt: skip

log = logging.getLogger(__name__)

LONGEST_PAUSE = 300.0  # seconds
MOST_PENDING = 32 * 2**20  # bytes of history that wait for a checkpoint
PAST = "told to nobody: incidents of the past that was learned from"
WAITING = "waiting: "
MOST_WAITING = 500  # commits that wait for the store before they are made one checkpoint


def run_watch(watch: Watch, stop: threading.Event, news: Callable[[], None]) -> None:
    """Tick until stopped, at whole multiples of the source's interval."""
    world, every, failures = watch.world, watch.pipeline.source.every, 0
    while not stop.is_set():
        pause = (every - world.now() % every) / 1e9
        try:
            if not watch.ready:
                resume(watch)
            if tick(watch, news):
                pause = 0.0
            failures = 0
        except Error as exc:
            longer = pause + every / 1e9 * (2 ** min(failures, 6) - 1)
            pause = max(getattr(exc, "after", None) or 0.0, min(longer, max(LONGEST_PAUSE, pause)))
            failures += 1
            _fail(watch, str(exc), f"; tried again in {pause:.0f} s")
        except Exception as exc:
            # A fault of ours must not end the watch: count it, show it, and begin again from
            # what was committed, without the records that it came with.
            where, then = "source", "tried again at the next tick"
            if not watch.ready:
                where, then = "step", "its records were left out"
            reason = f"fault in the {where}: {type(exc).__name__}; {then}"
            if reason != watch.complaint:
                log.exception("pipeline %s: fault in the %s", watch.name, where)
            count(watch, {f"a fault in the {where}": 1})
            _fail(watch, reason)
        world.wait(stop, pause)


def tick(watch: Watch, news: Callable[[], None]) -> bool:
    """One tick; says whether the source has more. `news` is called when incidents were committed.

    Raises Unreachable if the source did not answer. Where the store does not, the tick waits
    for it, in order, and the watch goes on.
    """
    try:
        cursor, records = watch.pipeline.source.poll(watch.cursor, watch.world)
    except Unreachable as exc:
        if not exc.absent:
            raise
        _go_on(watch, "waiting", str(exc))
        return False
    watch.progress = replace(watch.progress, records=watch.progress.records + len(records))
    records = _timely(records, watch.world.now())
    waits = watch.pipeline.source.missing(cursor)
    known = watch.progress.health != "failing" and watch.progress.reason == waits
    if len(records) or records.skipped or cursor != watch.cursor:
        watch.cursor = cursor
        _step(watch, records)
    elif not watch.waiting and known:
        watch.progress = replace(watch.progress, polled=watch.world.now())  # it did answer
        return records.more
    began, told, trouble = watch.world.monotonic(), False, ""
    try:
        told = commits.write(watch.waiting, watch.store, watch.name)
    except (Unreachable, StateError) as exc:
        trouble = str(exc)
    except Exception:
        # a commit that cannot be written would hold back all that come after it
        watch.ready = False
        watch.waiting.popleft()
        raise
    watch.progress = replace(watch.progress, commit_seconds=(watch.world.monotonic() - began) / 1e9)
    health: Health = "failing" if trouble else "waiting" if waits else "good"
    _go_on(watch, health, trouble or waits)
    if told:
        news()
    return records.more and not trouble


def _timely(records: Records, now: int) -> Records:
    """Without those from the future, which are counted; and with no promise about it.

    Pure code has no clock and follows the times that it is given: one record of next year would
    make all of this one late.
    """
    ahead = records.time > now + AHEAD
    if records.watermark is not None and records.watermark > now + AHEAD:
        records = replace(records, watermark=now + AHEAD)
    if not ahead.any():
        return records
    skipped = Counter(records.skipped) + Counter({FUTURE: int(ahead.sum())})
    return replace(records[~ahead], skipped=dict(skipped))


def _step(watch: Watch, records: Records) -> None:
    """Judge what came, and put it where the store is to take it from."""
    world = watch.world
    watch.ready, began = False, world.monotonic()
    installed = _install(watch)
    try:
        watch.states, outcome = watch.pipeline.step(watch.states, records)
    except Exception:
        if installed:
            count(watch, {"a model that did not work": 1})
        raise
    spent = (world.monotonic() - began) / 1e9
    outcome = _of_now(watch, outcome, records.watermark)
    remember(watch, outcome)
    count(watch, outcome.skipped)
    if log.isEnabledFor(logging.DEBUG):
        _explain(watch, records, outcome)
    since, waiting = world.now() - watch.checkpointed, len(watch.waiting)
    due = not 0 <= since < watch.every_checkpoint or waiting >= MOST_WAITING or installed
    due = due or sum(map(commits.size, watch.pending)) > MOST_PENDING
    keep(watch, records, checkpoint(watch) if due else None, outcome)
    watch.ready = True
    time = outcome.frame.time
    newest = int(time[-1]) if len(time) else world.now()
    watch.progress = replace(
        watch.progress,
        ticks=watch.progress.ticks + len(time),
        lag=max(world.now() - newest, 0) / 1e9,
        step_seconds=spent,
    )


def _explain(watch: Watch, records: Records, outcome: Outcome) -> None:
    """Say why something was found, or was not; a fault in that costs no records."""
    try:
        for why in decisions(watch.pipeline, watch.states, records, outcome):
            log.debug("pipeline %s: %s", watch.name, why)
    except Exception:
        log.debug("pipeline %s: what was decided cannot be said", watch.name, exc_info=True)


def _of_now(watch: Watch, outcome: Outcome, watermark: int | None) -> Outcome:
    """Without the incidents of a past that is learned from: those that are over are counted,
    those that still last are told of when the past is. Where single records were judged and no
    tick is complete, the watermark says when that is.
    """
    until = watch.pipeline.source.learned_until(watch.cursor)
    if until is None:
        return outcome
    time = outcome.frame.time
    newest = int(time[-1]) if len(time) else watermark
    if newest is not None and newest > until:
        incidents = (*watch.past.values(), *outcome.incidents)
        watch.past.clear()
        return replace(outcome, incidents=incidents)
    over = 0
    for one in outcome.incidents:
        watch.past[one.id] = one
        if one.state == "resolved":
            del watch.past[one.id]
            over += 1
    skipped = {**outcome.skipped, PAST: over} if over else outcome.skipped
    return replace(outcome, incidents=(), skipped=skipped)


def _fail(watch: Watch, reason: str, more: str = "") -> None:
    _say(watch, reason)
    failures, version = watch.progress.failures + 1, watch.progress.version + 1
    watch.progress = replace(
        watch.progress, health="failing", reason=reason + more, failures=failures, version=version
    )


def _go_on(watch: Watch, health: Health, reason: str) -> None:
    """It was polled, and that is how it is."""
    if health == "waiting":
        _say(watch, f"{WAITING}{reason}", logging.INFO)
    else:
        _say(watch, reason)
    watch.progress = replace(
        watch.progress,
        health=health,
        reason=reason,
        polled=watch.world.now(),
        version=watch.progress.version + (reason != watch.progress.reason or health != "waiting"),
    )


def _say(watch: Watch, complaint: str, level: int = logging.WARNING) -> None:
    """Log what is wrong, or waited for, when it begins, changes or is over."""
    if complaint == watch.complaint:
        return
    if complaint:
        log.log(level, "pipeline %s: %s", watch.name, complaint)
    else:
        waited = watch.complaint.startswith(WAITING)
        over = "what it waited for is there" if waited else "works again"
        log.info("pipeline %s: %s", watch.name, over)
    watch.complaint = complaint


def close(watch: Watch) -> None:
    """Leave a checkpoint, so that the next start has nothing to replay.

    Raises Unreachable or StateError if the store does not take it.
    """
    if watch.ready:
        _install(watch)
        keep(watch, NOTHING, checkpoint(watch))
    commits.write(watch.waiting, watch.store, watch.name)


def _install(watch: Watch) -> bool:
    """Put fitted models to use; says whether there were any."""
    installed = False
    while watch.fitted:
        installed = put_to_use(watch.pipeline, watch.states, watch.fitted.popleft()) or installed
    return installed


def put_to_use(pipeline: Pipeline, states: States, model: Fitted) -> bool:
    """A model's shared arrays, and what their past scores were, into `states`.

    False if the pipeline does not have this detector, or has not stepped it yet.
    """
    name, past = model.detector, f"{model.detector}.rank"
    shared = {name_of(detector): detector.shared for detector in pipeline.detectors}
    if name not in shared or name not in states:
        return False
    own = model.states[name]
    states[name] = states[name] | {column: own[column] for column in shared[name]}
    systems = distinct(tuple(states["series"]["keys"].tolist()), pipeline.by)
    if model.systems == systems[: len(model.systems)]:
        states[past] = model.states[past]
    else:  # some were forgotten meanwhile: the rows are not theirs any more
        states.pop(past, None)
    return True
