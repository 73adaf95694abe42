"""Ticks to commit to a store: every value says which tick it is of."""

import sys

import numpy as np

from amiss.data import SECOND, Records, State
from amiss.store import Block, Checkpoint, Store
from servers.incidents import incident

START = 1_772_892_000 * SECOND
EVERY = 5 * SECOND


def at(tick: int) -> int:
    return START + tick * EVERY


def records(tick, **said) -> Records:
    names = np.array(["cpu_percent", "cpu_percent", "load"])
    hosts = np.array(["a", "b", ""])
    values = np.array([tick, -tick, np.nan], np.float64)
    return Records(np.full(3, at(tick)), names, values, {"host": hosts}, **said)


def block(ticks, keys=("a", "b"), value=None) -> Block:
    time = np.array([at(tick) for tick in ticks], np.int64)
    column = np.array(ticks if value is None else [value] * len(time), np.float64)
    x = np.repeat(column[:, None], len(keys), axis=1)
    return Block(tuple(keys), time, x, x / 100, x + 1, x - 9, x + 11)


def states(tick) -> dict[str, State]:
    return {"features": {"tick": np.array([tick])}, "level": {"mean": np.full((2, 3), tick / 7)}}


def checkpoint(ticks, **said) -> Checkpoint:
    return Checkpoint(states(ticks[-1] if len(ticks) else 0), [block(ticks, **said)])


def commit_on_and_on(path) -> None:
    """Go on where the last one was, one tick after the other, and say each when it is committed."""
    store = Store(path)
    saved = store.load("host")
    tick = int(saved.states["features"]["tick"][0]) if saved.states else 0
    pending = [int(one.value[0]) for one in saved.journal]
    tick = pending[-1] if pending else tick
    while True:
        tick += 1
        pending.append(tick)
        due = checkpoint(pending) if tick % 7 == 0 else None
        new = [incident(f"i{tick // 10}", tick % 10 + 1)]
        store.commit("host", {"tick": tick}, records(tick), new, due)
        pending = [] if due else pending
        print(tick, flush=True)


if __name__ == "__main__":
    commit_on_and_on(sys.argv[1])
