"""What each step costs from a pushed message to a stored score, on one core.

    python benchmarks/push.py [--series N] [--ticks N] [--json]

Samples come as Prometheus writes them (remote write 1, ten ticks of all series in a message),
lines as Promtail pushes them (protobuf, 1,000 in a message). `judged and stored` is until each
tick is committed, with its records in the journal; `checkpoint` is the history of values, scores
and bands, which is written every few minutes, and the memory. CPU time, after a first run that
compiles what there is to compile.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cramjam
import numpy as np

from amiss.data import SECOND
from amiss.doors.inbox import Entry
from amiss.formats import loki_push, pushed, remote_write
from amiss.run.inboxes import Inboxes
from amiss.run.resume import resume
from amiss.run.watch import close, tick
from amiss.run.watched import Watch
from amiss.settings import Settings
from amiss.store import Store
from amiss.world import World

EVERY = 5 * SECOND
DETECTORS = [
    {"type": "level"}, {"type": "step"}, {"type": "drift"},
    {"type": "surprise"},
]  # fmt: skip
PIPELINES = {
    "samples": {"features": {"type": "grid", "every": "5s"}, "detectors": DETECTORS},
    "lines": {"features": {"type": "each"}, "detectors": [{"type": "lines"}]},
}


def samples(series: int, ticks: int) -> tuple[str, list[bytes], int]:
    """Messages of remote write, ending now."""
    now = time.time_ns() // EVERY * EVERY
    rng = np.random.default_rng(1)
    messages = []
    for first in range(0, ticks, 10):
        times = [now + (first + i - ticks) * EVERY for i in range(10)]
        rows = [
            ({"__name__": "metric", "host": f"h{s}", "job": "node"}, times, rng.normal(size=10))
            for s in range(series)
        ]
        messages.append(remote_write.encode(rows))
    return "remote_write 1", messages, series * len(messages) * 10


def lines(many: int) -> tuple[str, list[bytes], int]:
    """Messages of Loki's push API, ending now."""
    now, rng = time.time_ns(), np.random.default_rng(1)
    messages = []
    for first in range(0, many, 1000):
        message = loki_push._message()()
        stream = message.streams.add(labels='{app="shop", host="a"}')
        for i in range(1000):
            one = stream.entries.add(
                line=f"GET /item/{rng.integers(1000)} took {rng.integers(100)} ms"
            )
            one.timestamp.seconds, one.timestamp.nanos = divmod(now - (many - first - i), 10**9)
        messages.append(bytes(cramjam.snappy.compress_raw(message.SerializeToString())))
    return "loki protobuf snappy", messages, 1000 * len(messages)


def costs(what: str, kind: str, messages: list[bytes], many: int) -> dict[str, float]:
    """Microseconds of CPU for each sample or line, by step."""
    with tempfile.TemporaryDirectory() as folder:
        inboxes = Inboxes(Path(folder))
        settings = Settings.model_validate(
            {"pipelines": [{"name": what, "source": {"type": "push"}, **PIPELINES[what]}]}
        )
        watch = Watch(
            settings.pipelines[0], Store(Path(folder, "db")), inboxes.into(World()), 300 * SECOND
        )
        resume(watch)
        entries = [Entry(time.time_ns(), kind, message) for message in messages]
        inbox = inboxes.get("default")
        return {
            "verified": _spent(lambda: _verify(kind, messages), many),
            "kept": _spent(lambda: [inbox.append([entry]) for entry in entries], many),
            "judged and stored": _spent(lambda: _judge(watch), many),
            "checkpoint": _spent(lambda: close(watch), many),
        }


def _verify(kind: str, messages: list[bytes]) -> None:
    for body in messages:  # one after the other, as the door does: nothing of them is kept
        pushed.read(kind, body)


def _judge(watch: Watch) -> None:
    while tick(watch, lambda: None):
        pass


def _spent(run: Callable[[], object], many: int) -> float:
    began = time.process_time()
    run()
    return (time.process_time() - began) / many * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = {}
    for what in PIPELINES:
        for size in (10, asked.ticks):  # the first compiles
            made = samples(asked.series, size) if what == "samples" else lines(1000 * size)
            found[what] = costs(what, *made)
    if asked.json:
        print(json.dumps(found))
        return
    print("| us each | verified | kept | judged and stored | checkpoint | a second |")
    print("|-|-|-|-|-|-|")
    for what, spent in found.items():
        cells = " | ".join(f"{us:.2f}" for us in spent.values())
        print(f"| {what} | {cells} | {1e6 / sum(spent.values()):,.0f} |")


if __name__ == "__main__":
    main()
