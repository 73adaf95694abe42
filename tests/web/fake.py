"""An installation that does what tests tell it, with a real store and no threads of its own."""

import threading
import time
from dataclasses import replace
from math import exp, nan
from pathlib import Path

import numpy as np

from amiss import settings
from amiss.data import MINUTE, SECOND, Incident, Records
from amiss.errors import ConfigError, Unreachable
from amiss.model import Card
from amiss.run.audited import Trail
from amiss.run.now import (
    BudgetNow,
    JointNow,
    ModelNow,
    Now,
    PipelineNow,
    SeriesNow,
    SinkNow,
)
from amiss.run.predict import Prediction, predict
from amiss.settings import Settings
from amiss.store import Points, Store
from amiss.store.thin import thin
from amiss.world import World
from servers.incidents import START, incident, member

SYSTEM = 'host="web-3"'
CPU = f"cpu_percent{{{SYSTEM}}}"
DISK = f'disk_write_bytes_per_second{{device="sda",{SYSTEM}}}'
HOME = f'disk_percent{{{SYSTEM},mount="/home/a b"}}'
FOREST, LINE = "isolation_forest", "linear_regression"


def series(key: str = CPU, **said) -> SeriesNow:
    given = {
        "pipeline": "host", "system": SYSTEM, "state": "judged", "reason": "", "seen": 500,
        "time": START, "value": 6.5, "score": 1.5, "p": exp(-1.5), "expected": 6.0, "lower": 2.0,
        "upper": 11.0, "amiss": False, "every": 5.0,
    }  # fmt: skip
    return SeriesNow(key, **(given | said))


SEEN = (
    series(CPU),
    series(DISK, value=310e6, score=9.0, expected=38e6, lower=2e6, upper=40e6, amiss=True),
    series(HOME, value=nan, score=nan, p=nan, expected=nan, lower=nan, upper=nan, time=0,
           state="warming up", seen=24, reason="24 of 96 samples; judged in about 6 minutes"),
)  # fmt: skip
JOINT = (
    JointNow(FOREST, "host", SYSTEM, 0.61, 9.5, exp(-9.5), True),
    JointNow(LINE, "host", SYSTEM, 0.3, 0.5, 0.6, False, {"cpu_percent": 62.3}),
)
WATCHING = Now(
    version=1, at=START, started=START - MINUTE, first=START - 60 * MINUTE, phase="watching",
    reason="2 series are judged; 1 warming up", series=SEEN, joint=JOINT,
    pipelines=(PipelineNow("host", "host", "good", "", 5.0, 5.0, START, 12, 1, 0.02, 0.004,
                           0.002, 3, 4800, 7, 480),),
    sinks=(SinkNow("chat", "webhook", "failing", "HTTP 500; tried again in 32 s", 3, 2, 1, START),),
    models=(ModelNow(FOREST, "host", "in use", "", "m1", START - 90 * SECOND, 100, 1.9),
            ModelNow(LINE, "host", "waiting", "24 of 100 samples")),
    budget=BudgetNow(5.0, 2, 9, 1.3, 7.0, 8.1, 0.4),
    skipped={"temperatures: PermissionError": 2}, config="built in",
)  # fmt: skip
STARTING = Now(1, START, START, START, "starting", "Waiting for the first samples")


class FakeLive:
    def __init__(self, home: Path, now: Now = WATCHING, **given) -> None:
        self.home, self.picture = home, now
        self.settings: Settings = settings.default().model_copy(
            update={"listen": "127.0.0.1:0"} | given
        )
        self.world = World(now=lambda: START + SECOND)
        self.store = Store(home / "amiss.db")
        self.trail = Trail(home, self.store, self.world)
        self.waits = 0  # how often somebody waited for news
        self.change = threading.Condition()
        self.fault: Exception | None = None  # raised by whatever is asked
        self.trained: list[tuple[str, int]] = []
        self.begun = threading.Semaphore(0)  # released by each training that begins
        self.gate = threading.Event()  # a training ends when it is set
        self.gate.set()
        self.busy: set[str] = set()

    def close(self) -> None:
        self.store.close()

    def now(self) -> Now:
        if self.fault:
            raise self.fault
        return self.picture

    def wait(self, version: int, seconds: float) -> Now:
        self.waits += 1
        deadline = time.monotonic() + seconds
        with self.change:
            while self.picture.version <= version and (left := deadline - time.monotonic()) > 0:
                self.change.wait(left)
        return self.now()

    def publish(self, **changes) -> None:
        with self.change:
            self.picture = replace(
                self.picture, **({"version": self.picture.version + 1} | changes)
            )
            self.change.notify_all()

    def commit(self, *incidents: Incident) -> None:
        """Log revisions, and say that there is news."""
        nothing = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
        self.store.commit("host", {}, nothing, incidents)
        self.publish()

    def predict(self) -> Prediction:
        return predict(self.now())

    def history(self, key: str, start: int, end: int, points: int = 600) -> Points:
        """An hour of a wave at 5 s, with one peak and one hole."""
        if key != DISK:
            return Points(np.zeros(0, np.int64), *(np.zeros(0) for _ in range(5)))
        time_ = START - np.arange(720)[::-1] * 5 * SECOND
        value = np.sin(np.arange(720) / 50)
        value[311], value[400] = 77.0, nan
        said = Points(time_, value, np.abs(value), value * 0, value - 1, value + 1)
        return thin(said[(time_ >= start) & (time_ <= end)], points)

    def retrain(
        self, model: str, samples: int, pipeline: str | None = None, who: str = "program"
    ) -> Card:
        if self.fault:
            raise self.fault
        if model not in (FOREST, LINE):
            raise ConfigError(f"model_name: there is no model {model!r} to train; known: {FOREST}")
        if samples < 50:
            raise ConfigError(f"n_samples: {samples} is not between 50 and 20000")
        if model in self.busy:
            raise Unreachable(f"{model} is being trained just now; ask again", after=5.0)
        self.busy.add(model)
        self.trained.append((model, samples))
        self.begun.release()
        assert self.gate.wait(120)
        self.busy.remove(model)
        return Card(model, f"{model}-1", "host", "m2", samples, START, 1.9, START - MINUTE, START,
                    ("cpu_percent",))  # fmt: skip


__all__ = ["START", "incident", "member"]
