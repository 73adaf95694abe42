"""One pipeline, live: poll, step, commit; and again at the next tick.

A crash anywhere repeats the tick. Between two checkpoints the store holds the records that came,
and the step is deterministic: stepping them again gives the same memory and the same incidents.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from amiss.component import Cursor
from amiss.data import Incident, Records
from amiss.errors import Unreachable
from amiss.judge import States
from amiss.outcome import Outcome
from amiss.pipeline import Pipeline
from amiss.run.now import Health
from amiss.run.recent import Recent
from amiss.run.seen import Seen, look
from amiss.store import Block, Checkpoint, Store
from amiss.world import World

log = logging.getLogger(__name__)

LONGEST_PAUSE = 300.0  # seconds
MOST_PENDING = 32 * 2**20  # bytes of history that wait for a checkpoint
MOST_WAITING = 500  # commits that wait for a store that does not answer


@dataclass(frozen=True, slots=True)
class Commit:
    """What one tick leaves in the store."""

    cursor: Cursor
    records: Records
    incidents: tuple[Incident, ...]
    checkpoint: Checkpoint | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How it goes, for the health page. Counts since the start."""

    health: Health = "starting"
    reason: str = ""
    polled: int = 0  # ns
    ticks: int = 0
    failures: int = 0
    lag: float = 0.0  # seconds
    step_seconds: float = 0.0
    commit_seconds: float = 0.0
    replayed: int = 0
    version: int = 0


@dataclass(slots=True)
class Watch:
    """A pipeline that is being watched. Its thread writes; others read `progress` and `seen`."""

    pipeline: Pipeline
    store: Store
    world: World
    every_checkpoint: int  # ns
    cursor: Cursor = field(default_factory=dict)
    states: States = field(default_factory=dict)
    recent: Recent = field(default_factory=Recent)
    progress: Progress = Progress()
    seen: Seen | None = None
    skipped: Counter[str] = field(default_factory=Counter)
    pending: list[Block] = field(default_factory=list)  # history since the checkpoint
    waiting: deque[Commit] = field(default_factory=deque)  # commits that the store refused
    fitted: deque[tuple[str, States]] = field(default_factory=deque)  # models to install
    checkpointed: int = 0  # ns

    @property
    def name(self) -> str:
        """The pipeline's."""
        return self.pipeline.name


def resume(watch: Watch) -> None:
    """Go on where the last run was: its snapshot, and the records that came after it."""
    saved = watch.store.load(watch.name)
    watch.cursor = saved.cursor
    watch.states = watch.pipeline.init() | saved.states
    watch.pending.clear()
    for records in saved.journal:
        watch.states, outcome = watch.pipeline.step(watch.states, records)
        _remember(watch, outcome)
    watch.checkpointed = watch.world.now()
    replayed = len(saved.journal)
    watch.progress = replace(watch.progress, replayed=replayed, version=watch.progress.version + 1)


def run_watch(watch: Watch, stop: threading.Event, news: Callable[[], None]) -> None:
    """Tick until stopped, at whole multiples of the source's interval."""
    world, every, failures = watch.world, watch.pipeline.source.every, 0
    while not stop.is_set():
        pause = (every - world.now() % every) / 1e9
        try:
            tick(watch, news)
            failures = 0
        except Unreachable as exc:
            failures += 1
            pause = max(exc.after or 0.0, min(pause * 2 ** min(failures - 1, 6), LONGEST_PAUSE))
            _fail(watch, f"{exc}; tried again in {pause:.0f} s")
        except Exception as exc:
            # A fault of ours must not end the watch: count it, show it, and begin again from
            # what was committed, without the records that it came with.
            reason = f"fault in the step: {type(exc).__name__}; its records were left out"
            if reason != watch.progress.reason:
                log.exception("pipeline %s: fault in a step", watch.name)
            watch.skipped["a fault in the step"] += 1
            _fail(watch, reason)
            _begin_again(watch)
        world.wait(stop, pause)


def _fail(watch: Watch, reason: str) -> None:
    if reason != watch.progress.reason:
        log.warning("pipeline %s: %s", watch.name, reason)
    failures, version = watch.progress.failures + 1, watch.progress.version + 1
    watch.progress = replace(
        watch.progress, health="failing", reason=reason, failures=failures, version=version
    )


def _begin_again(watch: Watch) -> None:
    """Load what was committed, but read on after the records that did harm."""
    cursor = watch.cursor
    try:
        resume(watch)
    except Unreachable as exc:
        _fail(watch, str(exc))
    watch.cursor = cursor or watch.cursor


def tick(watch: Watch, news: Callable[[], None]) -> None:
    """One tick. `news` is called when incidents were committed.

    Raises Unreachable if the source or the store did not answer; nothing is lost by that.
    """
    world = watch.world
    cursor, records = watch.pipeline.source.poll(watch.cursor, world)
    if not len(records) and not records.skipped and cursor == watch.cursor:
        return
    watch.cursor = cursor
    began = world.monotonic()
    installed = _install(watch)
    watch.states, outcome = watch.pipeline.step(watch.states, records)
    stepped = world.monotonic()
    _remember(watch, outcome)
    due = world.now() - watch.checkpointed >= watch.every_checkpoint
    due = due or world.now() < watch.checkpointed or sum(map(_size, watch.pending)) > MOST_PENDING
    snapshot = checkpoint(watch) if due or installed else None
    _commit(watch, Commit(cursor, records, outcome.incidents, snapshot))
    done = world.monotonic()
    newest = int(outcome.frame.time[-1]) if len(outcome.frame.time) else world.now()
    watch.progress = replace(
        watch.progress,
        health="good",
        reason="",
        polled=world.now(),
        ticks=watch.progress.ticks + len(outcome.frame.time),
        lag=max(world.now() - newest, 0) / 1e9,
        step_seconds=(stepped - began) / 1e9,
        commit_seconds=(done - stepped) / 1e9,
        version=watch.progress.version + 1,
    )
    if outcome.incidents:
        news()


def checkpoint(watch: Watch) -> Checkpoint:
    """All memory as of now, and the history since the last one."""
    blocks = tuple(watch.pending)
    watch.pending.clear()
    watch.checkpointed = watch.world.now()
    # the commit may wait, and the next step may reuse the arrays
    states = {
        name: {column: array.copy() for column, array in state.items()}
        for name, state in watch.states.items()
    }
    return Checkpoint(states, blocks)


def close(watch: Watch) -> None:
    """Leave a checkpoint, so that the next start has nothing to replay."""
    if watch.states:
        nothing = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
        _commit(watch, Commit(watch.cursor, nothing, (), checkpoint(watch)))


def _commit(watch: Watch, commit: Commit) -> None:
    """Commit what waits, then this. Raises Unreachable, and keeps it, if the store cannot."""
    watch.waiting.append(commit)
    while watch.waiting:
        first = watch.waiting[0]
        try:
            watch.store.commit(
                watch.name, first.cursor, first.records, first.incidents, first.checkpoint
            )
        except Unreachable:
            if len(watch.waiting) > MOST_WAITING:
                watch.waiting.popleft()
                watch.skipped["not kept: the store did not answer"] += 1
            raise
        watch.waiting.popleft()


def _remember(watch: Watch, outcome: Outcome) -> None:
    """Keep what charts and the history want of an outcome."""
    watch.skipped.update(outcome.skipped)
    if not len(outcome.frame.time):
        return
    frame, scores = outcome.frame, outcome.scores
    watch.recent.append(frame, scores)
    watch.seen = look(watch.pipeline, watch.states, outcome)
    value, bands = frame.values[:, :, 0], (scores.expected, scores.lower, scores.upper)
    shown = (np.full(value.shape, np.nan) if band is None else band[:, :, 0] for band in bands)
    watch.pending.append(Block(frame.keys, frame.time, value, scores.values, *shown))


def _size(block: Block) -> int:
    return 5 * int(block.value.nbytes)


def _install(watch: Watch) -> bool:
    """Put fitted models to use: their shared arrays, and what their past scores were."""
    installed = False
    while watch.fitted:
        name, fitted = watch.fitted.popleft()
        shared = next(
            (d.shared for d in watch.pipeline.detectors if name.startswith(f"{d.type}-")),  # type: ignore[attr-defined]
            frozenset(),
        )
        now = watch.states.get(name, fitted[name])
        watch.states[name] = {
            column: fitted[name][column] if column in shared else now[column] for column in now
        }
        watch.states[f"{name}.rank"] = fitted[f"{name}.rank"]
        installed = True
    return installed
