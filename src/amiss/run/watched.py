"""What a watch holds: its memory, what waits for the store, and what others may look at."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from amiss.component import Cursor
from amiss.data import Array, Frame, Incident, Records
from amiss.pipeline import Pipeline
from amiss.run import commits
from amiss.run.commits import Commit
from amiss.run.now import Health
from amiss.run.recent import Recent
from amiss.run.seen import Seen, look
from amiss.steps.judge import States
from amiss.steps.outcome import Outcome
from amiss.store import Block, Checkpoint, Store
from amiss.world import World

MOST_REASONS = 200
OTHERS = "for other reasons"
_counting = Lock()


@dataclass(frozen=True, slots=True)
class Progress:
    """How it goes, for the health page. Counts since the start."""

    health: Health = "starting"
    reason: str = ""
    polled: int = 0  # ns
    records: int = 0
    ticks: int = 0
    failures: int = 0
    lag: float = 0.0  # seconds
    step_seconds: float = 0.0
    commit_seconds: float = 0.0
    replayed: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model to put to use: the fitted state of a detector, and its calibration."""

    detector: str
    systems: tuple[str, ...]  # the rows of its arrays that are not shared
    states: States


@dataclass(slots=True)
class Watch:
    """A pipeline that is being watched. Its thread writes; others read what is replaced whole:
    `progress`, `seen` and `skipped`.
    """

    pipeline: Pipeline
    store: Store
    world: World
    every_checkpoint: int  # ns
    cursor: Cursor = field(default_factory=dict)
    states: States = field(default_factory=dict)
    recent: Recent = field(default_factory=Recent)
    progress: Progress = Progress()
    seen: Seen | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    pending: list[Block] = field(default_factory=list)  # history since the checkpoint
    waiting: deque[Commit] = field(default_factory=deque)  # what the store has not taken yet
    fitted: deque[Fitted] = field(default_factory=deque)  # models to put to use
    past: dict[str, Incident] = field(default_factory=dict)  # open, of what is learned from
    checkpointed: int = 0  # ns
    ready: bool = False  # whether the memory is whole: not before `resume`, nor after a fault
    before: "tuple[Watch, ...]" = ()  # those before it in the file: who keeps a series' history
    resumed: bool = False  # whether it ever was whole
    complaint: str = ""  # the last that was logged: said once, not every tick

    @property
    def name(self) -> str:
        """The pipeline's."""
        return self.pipeline.name


def count(watch: Watch, skipped: Mapping[str, int]) -> None:
    """Add to what was left out, by reason: of so many at most, as servers have words of theirs.

    Safe for any thread: who listens for it counts, too.
    """
    if any(skipped.values()):
        with _counting:  # a new dict: others may be reading the old one
            found = Counter(watch.skipped)
            for why, n in skipped.items():
                found[why if why in found or len(found) < MOST_REASONS else OTHERS] += n
            watch.skipped = dict(+found)


def checkpoint(watch: Watch) -> Checkpoint:
    """All memory as of now, and the history since the last one."""
    blocks = tuple(watch.pending)
    watch.pending.clear()
    watch.checkpointed = watch.world.now()
    return Checkpoint(copy(watch.states), blocks)


def copy(states: States) -> States:
    """For what may be used later than the next step, which may reuse the arrays."""
    return {
        name: {column: array.copy() for column, array in state.items()}
        for name, state in states.items()
    }


def keep(
    watch: Watch, records: Records, snapshot: Checkpoint | None, outcome: Outcome | None = None
) -> None:
    """Put a tick where the store is to take it from."""
    incidents = outcome.incidents if outcome else ()
    lost = commits.add(watch.waiting, Commit(watch.cursor, records, incidents, snapshot))
    count(watch, {"history that the store did not take in time": lost})


def remember(watch: Watch, outcome: Outcome, shown: bool = True) -> None:
    """Keep what the history and, unless it has been `shown` before, the charts want."""
    if not len(outcome.frame.time):
        return
    frame, scores = outcome.frame, outcome.scores
    if shown:
        watch.recent.append(frame, scores)
        watch.seen = look(watch.pipeline, watch.states, outcome)
    mine: Array | slice = slice(None)
    keys = frame.keys
    if watch.before:
        mine = _mine(watch, frame)
        keys = tuple(keys[s] for s in mine.tolist())
    if not keys:
        return
    value, bands = frame.values[:, mine, 0], (scores.expected, scores.lower, scores.upper)
    columns = (np.full(value.shape, np.nan) if band is None else band[:, mine, 0] for band in bands)
    watch.pending.append(Block(keys, frame.time, value, scores.values[:, mine], *columns))


def _mine(watch: Watch, frame: Frame) -> Array:
    """The columns of which this pipeline keeps the history: a series has one, whoever else
    watches it, and the first pipeline of the file writes it.
    """
    mine = np.arange(len(frame.keys))
    for other in watch.before:
        if (seen := other.seen) is None:
            continue
        known = frozenset(seen.outcome.frame.keys)
        theirs = np.array([frame.keys[s] in known for s in mine], np.bool_)
        if theirs.any():
            lost = int(np.isfinite(frame.values[:, mine[theirs], 0]).sum())
            count(watch, {f"not kept twice: history of a series of pipeline {other.name}": lost})
            mine = mine[~theirs]
    return mine
