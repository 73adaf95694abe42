"""Go on where the last run was, or where a fault left off."""

import logging
from dataclasses import replace

from amiss.errors import StateError, Unreachable
from amiss.run.commits import NOTHING
from amiss.run.recent import Recent
from amiss.run.watched import Watch, checkpoint, copy, count, keep, remember

log = logging.getLogger(__name__)

LOST = "memory that could not be read, and is learned anew"


def resume(watch: Watch) -> None:
    """Go on where it was: the last snapshot, and the records that came after it.

    Memory that is damaged, or that this version cannot go on with, is put aside, which is
    logged and counted: a watch that learns anew is worth more than none. History, incidents
    and models stay. Raises Unreachable if the store does not answer or the machine is short of
    something, StateError if the store is damaged as a whole; the memory is left as it was then.
    """
    first, cursor, pending = not watch.resumed, watch.cursor, list(watch.pending)
    if first:  # of a try that did not come to its end
        watch.recent, watch.seen = Recent(), None
    try:
        replayed = _replay(watch, first)
    except (Unreachable, MemoryError, OSError) as exc:
        watch.cursor, watch.pending[:] = cursor, pending
        if isinstance(exc, Unreachable):
            raise
        reason = f"its memory cannot be read just now: {type(exc).__name__}"
        raise Unreachable(f"pipeline {watch.name}: {reason}") from exc
    except Exception as exc:
        known = isinstance(exc, StateError)
        log.error(
            "pipeline %s: its memory cannot be used, so it learns anew; history, incidents and "
            "models are still there (%s)",
            watch.name,
            exc if known else repr(exc),
            exc_info=not known,
        )
        watch.store.forget(watch.name)
        count(watch, {LOST: 1})
        watch.states, replayed = watch.pipeline.init(), 0
        watch.pending[:], watch.seen = pending, None
        keep(watch, NOTHING, checkpoint(watch))
    if not first:
        watch.cursor = cursor or watch.cursor  # what did harm is not read again
    watch.checkpointed = watch.world.now()
    watch.ready = watch.resumed = True
    total, version = watch.progress.replayed + replayed, watch.progress.version + 1
    watch.progress = replace(watch.progress, replayed=total, version=version)


def _replay(watch: Watch, first: bool) -> int:
    """Memory as of the last commit, or of the last one that waits; says what was stepped again."""
    saved = watch.store.load(watch.name)
    watch.cursor, states, journal = saved.cursor, saved.states, list(saved.journal)
    for commit in watch.waiting:
        watch.cursor = commit.cursor
        if commit.checkpoint is None:
            journal.append(commit.records)
        else:
            states, journal = copy(commit.checkpoint.states), []
    watch.states = watch.pipeline.init() | states
    watch.pending.clear()
    if states:  # whether it fits shows now, and not at the first tick
        watch.states, _ = watch.pipeline.step(watch.states, NOTHING)
    for records in journal:
        watch.states, outcome = watch.pipeline.step(watch.states, records)
        remember(watch, outcome, shown=first)
    return len(journal)
