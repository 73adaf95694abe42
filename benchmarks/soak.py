"""A week of watching in a few minutes: do memory and files stay as they are?

    python benchmarks/soak.py [--days 7] [--every 1m] [--json]

A made-up machine of about as many series as a small server has, on which something happens every
few hours, is polled, judged and committed tick by tick, with the clock of the World set forward
instead of waiting. History is pruned as it would be live. Models are fitted in a process of their
own and not here. `--every 5s` is the interval that is used live, and takes twelve times as long.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import psutil
from pydantic import TypeAdapter

from amiss.data import DAY, HOUR, SECOND
from amiss.pipeline import Pipeline
from amiss.run.watch import Watch, resume, tick
from amiss.settings import HOST, default
from amiss.spans import Span
from amiss.store import Store
from amiss.world import World

START = 1_750_032_000 * SECOND  # midnight
GROWTH = 5.0  # percent from the second day to the last that is still called flat


class Times(NamedTuple):
    """As psutil.cpu_times."""

    user: float
    system: float
    idle: float
    iowait: float


class Disk(NamedTuple):
    """As psutil.disk_io_counters."""

    read_count: int
    write_count: int
    read_bytes: int
    write_bytes: int
    busy_time: int


class Network(NamedTuple):
    """As psutil.net_io_counters."""

    bytes_sent: int
    bytes_recv: int
    packets_sent: int
    packets_recv: int
    errin: int
    errout: int
    dropin: int
    dropout: int


class Machine:
    """Answers like psutil, as a function of the clock; what only grows is kept."""

    class Error(Exception):
        """As psutil.Error."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now, self.last = now, now()
        self.rng = np.random.default_rng(1)
        self.grown: dict[str, float] = {}

    def _grow(self, name: str, rate: float) -> float:
        """A counter that has grown at about so much a second."""
        since = (self.now() - START) / SECOND
        before, at = self.grown.get(name, 0.0), self.grown.get(f"{name} at", 0.0)
        grown = before + max(0.0, since - at) * rate * self.rng.lognormal(0, 0.3)
        self.grown[name], self.grown[f"{name} at"] = grown, since
        return grown

    def _busy(self) -> float:
        """More by day, and ten minutes of trouble every five hours."""
        day = 1 + 0.5 * np.sin(2 * np.pi * (self.now() % DAY) / DAY)
        return float(day * (6 if self.now() % (5 * HOUR) < HOUR / 6 else 1))

    def cpu_times(self) -> Times:
        """Shares of one core."""
        rates = (0.1 * self._busy(), 0.02, 0.8, 0.01)
        names = ("user", "system", "idle", "iowait")
        return Times(*(self._grow(f"cpu {n}", r) for n, r in zip(names, rates, strict=True)))

    def getloadavg(self) -> tuple[float, float, float]:
        """Of 1, 5 and 15 minutes."""
        return tuple(self._busy() + self.rng.normal(0, 0.05, 3))  # type: ignore[return-value]

    def virtual_memory(self) -> Any:
        """A third is used."""
        used = 5e9 + self.rng.normal(0, 3e7)
        return SimpleNamespace(total=16e9, available=16e9 - used, used=used, cached=4e9)

    def swap_memory(self) -> Any:
        """Not in use."""
        return SimpleNamespace(total=2e9, used=1e6, percent=0.05, sin=0, sout=0)

    def disk_io_counters(self, **_: bool) -> dict[str, Disk]:
        """Two disks."""
        names = ("reads", "writes", "read", "written", "busy")
        rates = (5, 20, 2e5, 8e5 * self._busy(), 30)
        return {
            disk: Disk(
                *(int(self._grow(f"{disk} {n}", r)) for n, r in zip(names, rates, strict=True))
            )
            for disk in ("sda", "sdb")
        }

    def net_io_counters(self, **_: bool) -> dict[str, Network]:
        """Two interfaces."""
        rates = (3e5, 9e5 * self._busy(), 400, 700)
        return {
            card: Network(
                *(int(self._grow(f"{card} {i}", r)) for i, r in enumerate(rates)), 0, 0, 0, 0
            )
            for card in ("eth0", "wlan0")
        }

    def pids(self) -> list[int]:
        """How many is all that is asked."""
        return list(range(200 + int(self.rng.integers(0, 9))))


def measure(days: int, every: int) -> list[dict[str, float]]:
    """After each day, the beginning included: what is held, and where."""
    clock = [START]
    machine = Machine(lambda: clock[0])
    world = World(now=lambda: clock[0], monotonic=lambda: clock[0], machine=lambda: machine)
    source = {"type": "host", "every": every, "host": "made", "top": 0}
    features = {"type": "grid", "every": every}
    pipeline = Pipeline.model_validate(HOST | {"source": source, "features": features})
    settings, rows, began = default(), [], time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "amiss.db"))
        watch = Watch(pipeline, store, world, settings.checkpoint)
        resume(watch)
        for day in range(days + 1):
            until = START + day * DAY + (HOUR if day == 0 else 0)  # the first hour is the start
            while clock[0] < until:
                clock[0] += every
                tick(watch, lambda: None)
                if clock[0] % HOUR < every:
                    keep = settings.keep
                    store.prune(keep.days, keep.megabytes * 2**20, keep.incident_days, now=clock[0])
            rows.append(
                {
                    "days": day or 1 / 24,
                    "memory_mb": round(psutil.Process().memory_info().rss / 1e6, 1),
                    "state_kb": round(watch.seen.state_bytes / 1e3, 1) if watch.seen else 0.0,
                    "files_mb": round(_size(Path(folder)), 2),
                    "series": len(watch.recent.keys),
                    "incidents": store.opened_since(0),
                    "cpu_seconds": round(time.process_time() - began, 1),
                }
            )
        if watch.skipped or watch.progress.failures:
            rows[-1]["skipped"] = sum(watch.skipped.values())
        store.close()
    return rows


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--every", default="1m")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = measure(asked.days, TypeAdapter(Span).validate_python(asked.every))
    if asked.json:
        print(json.dumps(rows))
        return
    print(" day   memory MB   state kB   files MB   series   incidents   CPU s")
    for row in rows:
        print(
            f"{row['days']:>4.0f}   {row['memory_mb']:>9.1f}   {row['state_kb']:>8.1f}"
            f"   {row['files_mb']:>8.2f}   {row['series']:>6}   {row['incidents']:>9}"
            f"   {row['cpu_seconds']:>5.0f}"
        )
    if len(rows) > 2:
        for name in ("memory_mb", "state_kb"):
            grown = 100 * (rows[-1][name] / rows[1][name] - 1)
            flat = "flat" if grown <= GROWTH else "growing"
            print(f"{name.partition('_')[0]}: {grown:+.1f} % since the first day, {flat}")


if __name__ == "__main__":
    main()
