"""A watch to be driven by hand: made-up numbers, a clock that is set, a step that can fail."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from amiss.component import Cursor
from amiss.data import MINUTE, SECOND, Frame, Records, State
from amiss.features.grid import Grid
from amiss.pipeline import Pipeline
from amiss.run.watch import Watch, resume, tick
from amiss.sources.host import Host
from amiss.store import Store
from amiss.world import World

START = 1_772_892_000 * SECOND
EVERY = 5 * SECOND
HARM = 666.0
PATIENCE = 180.0  # seconds until something that was to happen counts as never happening


class Feed(Host):
    """Reads what the test put there."""

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        return world.machine().poll(cursor, world.now())


class Brittle(Grid):
    """Breaks at one number."""

    def step(self, state: State, records: Records) -> tuple[State, Frame]:
        if (records.value == HARM).any():
            raise ZeroDivisionError("harm")
        return super().step(state, records)


def noise(time: int, of: int) -> float:
    return float(np.random.default_rng([of, time // EVERY]).normal())


@dataclass
class Numbers:
    """Three series as functions of the clock; `say` may raise, or change what they are."""

    say: Callable[[int, dict[str, float]], dict[str, float]] = lambda time, found: found
    polled: int = 0

    def poll(self, cursor: Cursor, now: int) -> tuple[Cursor, Records]:
        time = now // EVERY * EVERY
        self.polled += 1
        if cursor.get("time") == time:
            return cursor, Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
        load = noise(time, 2) / 10 + (8 if time // SECOND % 1200 < 60 else 1)
        found = {"load": load, "cpu_percent": 20 + noise(time, 1), "processes": 80 + noise(time, 3)}
        found = self.say(time, found)
        n = len(found)
        records = Records(
            np.full(n, time),
            np.array(list(found), str),
            np.array(list(found.values())),
            {"host": np.full(n, "made")},
            watermark=time,
        )
        return {"time": time}, records


@dataclass
class Clock:
    """Stands still until it is set."""

    time: int = START

    def now(self) -> int:
        return self.time

    def tick(self) -> None:
        self.time += EVERY


def world(clock: Clock, machine: Any) -> World:
    return World(now=clock.now, monotonic=clock.now, machine=lambda: machine, wait=no_wait)


def no_wait(event: threading.Event, seconds: float) -> bool:
    return event.is_set()


def pipeline(joint: bool = False, **said: Any) -> Pipeline:
    more = [{"type": "isolation_forest", "trees": 10}, {"type": "linear_regression"}]
    whole = {
        "name": "made",
        "source": {"type": "host", "every": "5s", "host": "made"},
        "features": {"type": "grid", "every": "5s"},
        "detectors": [{"type": "level"}, {"type": "surprise"}, *(more if joint else [])],
        "budget": "20000/day",
        "calm": "30s",
        "silence": "1m",
    }
    made = Pipeline.model_validate(whole | said)
    return made.model_copy(update={"source": Feed(every=EVERY), "features": Brittle(every=EVERY)})


@dataclass
class Rig:
    """One pipeline in one folder, which can be killed and started again."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    numbers: Numbers = field(default_factory=Numbers)
    pipeline: Pipeline = field(default_factory=pipeline)
    checkpoint: int = 3 * MINUTE
    news: int = 0
    stores: list[Store] = field(default_factory=list)

    def start(self) -> Watch:
        """As after a kill: another store, the same file."""
        self.stores.append(Store(self.folder / "amiss.db"))
        outside = world(self.clock, self.numbers)
        self.watch = Watch(self.pipeline, self.stores[-1], outside, self.checkpoint)
        resume(self.watch)
        return self.watch

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            tick(self.watch, self.told)
            self.clock.tick()

    def told(self) -> None:
        self.news += 1

    def close(self) -> None:
        for store in self.stores:
            store.close()

    @property
    def store(self) -> Store:
        return self.watch.store
