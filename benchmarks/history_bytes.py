"""What history costs: bytes a point, and points per second in and out.

    python benchmarks/history_bytes.py [--json]

Two days of made-up series of a host at 5 s, rounded as the kernel's counters round them, are
judged by the default detectors; the second day is stored as it would be live, in checkpoints of
five minutes. CPU seconds of this thread; the best of several rounds, as the machine may be shared.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from amiss.data import DAY, SECOND, Floats, Frame, Records
from amiss.settings import default
from amiss.steps.judge import judge
from amiss.store import Block, Checkpoint, Points, Store
from amiss.store.chunks import POINTS, decode, encode

START = 1_750_032_000 * SECOND  # midnight
EVERY = 5 * SECOND
TICKS = 2 * DAY // EVERY
ROUNDS = 5


def wander(rng: np.random.Generator, memory: float, size: float) -> Floats:
    """Noise that remembers."""
    now, steps = 0.0, rng.normal(0, size, TICKS).tolist()
    return np.array([now := memory * now + step for step in steps])


def host(rng: np.random.Generator) -> dict[str, dict[str, Floats]]:
    """Series of one host, by kind."""
    day = np.sin(2 * np.pi * np.arange(TICKS) * EVERY / DAY)
    elapsed = 5 + rng.normal(0, 2e-4, TICKS)  # rates are divided by what the clock says
    busy = 60 + 40 * day + wander(rng, 0.9, 8) + 15 * rng.pareto(2.5, TICKS)
    busy, hertz = np.clip(busy, 0, 2000).round(), 2000 + rng.integers(-2, 3, TICKS)
    pages = 800_000 + np.cumsum(rng.integers(-60, 61, TICKS)) + (5e4 * day).round()
    full = 5e7 + np.cumsum(rng.poisson(3, TICKS) * (rng.random(TICKS) < 0.2))
    burst = (rng.random(TICKS) < 0.2) * rng.lognormal(10, 1.5, TICKS) // 4096
    bits = 3e5 + 2e5 * day + wander(rng, 0.7, 3e4) + rng.lognormal(9, 1, TICKS)
    switches = 9000 + 3000 * day + wander(rng, 0.8, 600)
    load = 0.4 + 0.2 * day + wander(rng, 0.98, 0.02)
    never = np.zeros(TICKS)
    return {
        "cpu": {
            "busy": busy / hertz * 100,
            "user": (0.7 * busy).round() / hertz * 100,
            "idle": (hertz - np.minimum(busy, hertz)) / hertz * 100,
            "iowait": rng.poisson(0.4, TICKS) / hertz * 100,
        },
        "memory and disk space": {
            "used": pages * 4096,
            "percent": pages * 4096 / 16.6e9 * 100,
            "cached": (2e6 + np.cumsum(rng.poisson(20, TICKS))) * 4096,
            "disk": full * 4096,
        },
        "steady rates": {
            "received": np.clip(bits, 0, None).round() / elapsed,
            "packets": (np.clip(bits, 0, None) / 700).round() / elapsed,
            "sent": (np.clip(bits, 0, None) / 3).round() / elapsed,
            "switches": np.clip(switches, 0, None).round() / elapsed,
        },
        "bursts": {
            "written": burst * 4096 / elapsed,
            "writes": burst.round() / elapsed,
            "read": (rng.random(TICKS) < 0.02) * rng.lognormal(10, 1.5, TICKS).round() / elapsed,
            "dropped": (rng.random(TICKS) < 0.001) / elapsed,
        },
        "counts and sensors": {
            "load": np.clip(load, 0, None).round(2),
            "processes": (230 + 10 * day + wander(rng, 0.95, 1)).round(),
            "files": (4000 + 200 * day + wander(rng, 0.98, 10)).round() * 32,
            "temperature": (48 + 5 * day + wander(rng, 0.95, 0.5)).round(),
            "fan": (1200 + 100 * day + wander(rng, 0.9, 10)).round(),
        },
        "constants": {
            "errors": never,
            "steal": never,
            "swap": never + 1_234_567_168,
            "disk percent": never + 41.3,
        },
    }


def judged(kinds: dict[str, dict[str, Floats]]) -> Block:
    """The second day of all series, with what the default detectors say of it."""
    keys = tuple(f"{kind}/{name}" for kind, named in kinds.items() for name in named)
    values = np.stack([x for named in kinds.values() for x in named.values()], axis=1)
    clock = START + EVERY * np.arange(1, TICKS + 1)
    detectors = [d for d in default().pipelines[0].detectors if not d.joint]
    states, _ = judge(detectors, {}, Frame(clock[:1], keys, ("value",), values[:1, :, None]))
    _, opinion = judge(detectors, states, Frame(clock[1:], keys, ("value",), values[1:, :, None]))
    said, second = opinion.scores, slice(TICKS // 2 - 1, None)
    bands = (said.expected, said.lower, said.upper)
    three = (band[second, :, 0] for band in bands if band is not None)
    return Block(keys, said.time[second], values[1:][second], said.values[second], *three)


def best(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of several rounds."""
    seconds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        seconds.append(time.thread_time() - began)
    return min(seconds)


def stored(block: Block, path: Path) -> dict[str, float]:
    """The same through the store, as a day of checkpoints."""
    store = Store(path)
    store.close()
    empty = path.stat().st_size
    store = Store(path)
    nothing = Records(np.empty(0, np.int64), np.empty(0, np.str_), np.empty(0))
    step, spent = 60, []
    for at in range(0, len(block.time), step):
        rows = slice(at, at + step)
        columns = (block.value, block.score, block.expected, block.lower, block.upper)
        part = Block(block.keys, block.time[rows], *(column[rows] for column in columns))
        began = time.thread_time()
        store.commit("host", {}, nothing, [], Checkpoint({}, [part]))
        spent.append(time.thread_time() - began)
    day = best(lambda: store.history(block.keys[0], 0, 2**62))
    store.close()
    return {
        "file_bytes_per_point": (path.stat().st_size - empty) / block.value.size,
        "checkpoint_ms_per_series": float(np.median(spent)) * 1e3 / len(block.keys),
        "read_a_day_ms": day * 1e3,
    }


def measure() -> dict[str, object]:
    """All figures."""
    kinds = host(np.random.default_rng(7))
    block = judged(kinds)
    chunks: dict[str, list[Points]] = {kind: [] for kind in kinds}
    for s, key in enumerate(block.keys):
        columns = (block.value, block.score, block.expected, block.lower, block.upper)
        whole = Points(block.time, *(np.ascontiguousarray(column[:, s]) for column in columns))
        parts = [whole[at : at + POINTS] for at in range(0, len(whole), POINTS)]
        chunks[key.partition("/")[0]] += parts
    every = [chunk for some in chunks.values() for chunk in some]
    blobs = {kind: [encode(chunk) for chunk in some] for kind, some in chunks.items()}
    flat, points = [blob for some in blobs.values() for blob in some], block.value.size
    with tempfile.TemporaryDirectory() as folder:
        through_store = stored(block, Path(folder) / "amiss.db")
    return {
        "points": points,
        "bytes_per_point": sum(map(len, flat)) / points,
        "by_kind": {
            kind: sum(map(len, some)) / sum(map(len, chunks[kind])) for kind, some in blobs.items()
        },
        "encoded_points_per_second": points / best(lambda: [encode(chunk) for chunk in every]),
        "decoded_points_per_second": points / best(lambda: [decode(blob) for blob in flat]),
        "decoded_values_per_second": points / best(lambda: [decode(blob, False) for blob in flat]),
        **through_store,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure()
    if asked.json:
        print(json.dumps(found))
        return
    print("bytes a point: value, score, expected value, band and time")
    for kind, size in found.pop("by_kind").items():
        print(f"  {kind:<34}{size:>12.2f}")
    for name, figure in found.items():
        print(f"{name.replace('_', ' '):<36}{figure:>12,.{2 if figure < 1000 else 0}f}")


if __name__ == "__main__":
    main()
