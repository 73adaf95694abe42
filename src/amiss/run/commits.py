"""What the store is to take, in order; bounded however long it does not answer."""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from amiss.component import Cursor
from amiss.data import Incident, Records
from amiss.store import Block, Checkpoint, Store

NOTHING = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
MOST_BYTES = 256 * 2**20  # of history that waits: two days of 200 series at 5 s


@dataclass(frozen=True, slots=True)
class Commit:
    """What one tick leaves in the store."""

    cursor: Cursor
    records: Records
    incidents: tuple[Incident, ...]
    checkpoint: Checkpoint | None


def add(waiting: deque[Commit], commit: Commit) -> int:
    """Put a commit at the end; says how many ticks of history there was no room for.

    A checkpoint takes the place of all that waits before it: its memory has seen their records,
    and it carries their incidents and their history. So there is one copy of the memory at most.
    """
    if commit.checkpoint is None or not waiting:
        waiting.append(commit)
        return 0
    every = [*waiting, commit]
    history = [block for one in every if one.checkpoint for block in one.checkpoint.history]
    kept, dropped = _newest(history)
    records = next((one.records for one in reversed(every) if len(one.records)), commit.records)
    waiting.clear()
    waiting.append(
        replace(
            commit,
            records=records,
            incidents=tuple(incident for one in every for incident in one.incidents),
            checkpoint=replace(commit.checkpoint, history=kept),
        )
    )
    return dropped


def write(waiting: deque[Commit], store: Store, pipeline: str) -> bool:
    """Commit all that waits, in order; says whether there were incidents among it.

    Raises Unreachable or StateError if the store cannot take it, and keeps it then.
    """
    told = False
    while waiting:
        first = waiting[0]
        store.commit(pipeline, first.cursor, first.records, first.incidents, first.checkpoint)
        waiting.popleft()
        told = told or bool(first.incidents)
    return told


def size(block: Block) -> int:
    """Bytes of its five columns."""
    return 5 * int(block.value.nbytes)


def _newest(history: list[Block]) -> tuple[tuple[Block, ...], int]:
    """As many blocks as there is room for, and how many ticks the others have."""
    total, first = sum(map(size, history)), 0
    while total > MOST_BYTES and first < len(history) - 1:
        total -= size(history[first])
        first += 1
    return tuple(history[first:]), sum(len(block.time) for block in history[:first])
