"""What sequence models cost and find: lstm, autoencoder and aer.

    python benchmarks/sequence.py [--rows 1000 --rows 10000] [--data DIR] [--only WORD]

Without `--data`: CPU seconds to train a system of ten metrics, MiB of its process at the peak, and
microseconds of a row in serving, one by one and a thousand at once. With it (the folder of
_labelled.py): VUS-PR on whole hosts, trained on the part before the labelled one; and the F1 of the
intervals that hindsight finds in the labelled series of NAB, trained on the series itself as Orion
does, with CPU seconds a series. One thread.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from _figures import period, vus_pr
from _intervals import intervals, met
from _labelled import INTERVAL, Curve, curves, hosts
from threadpoolctl import threadpool_limits

from amiss.data import SECOND, Floats, Frame
from amiss.detectors.aer import Aer
from amiss.detectors.autoencoder import Autoencoder
from amiss.detectors.lstm import Lstm

MODELS = {
    "lstm": Lstm(),
    "lstm, plain": Lstm(relative=False, rows=1),
    "autoencoder": Autoencoder(),
    "aer, dense": Aer(),
    "aer, linear": Aer(kind="linear"),
    "aer, bilstm": Aer(kind="bilstm"),
}
FAMILIES = ("artificialWithAnomaly", "realAWSCloudwatch", "realAdExchange", "realTraffic")
FAMILIES = (*FAMILIES, "realTweets")  # those that Orion reports
METRICS, LIVE = 10, 200
Model = Lstm | Autoencoder | Aer


def frame(x: Floats, every: int = 60) -> Frame:
    """Rows (N, F) of one system."""
    names = tuple(f"m{f:03}" for f in range(x.shape[1]))
    time = (1_577_836_800 + every * np.arange(len(x))) * SECOND
    return Frame(time, ("system",), names, x[:, None, :])


def waves(rows: int) -> Frame:
    """Ten metrics of three rhythms, with noise."""
    chance, t = np.random.default_rng(0), np.arange(rows)[:, None]
    rhythms = np.sin(2 * np.pi * t / np.array([30, 240, 1440]))
    return frame(rhythms @ chance.normal(size=(3, METRICS)) + 0.2 * chance.normal(size=(rows, 10)))


def cost(model: Model, rows: int) -> dict[str, float]:
    """Seconds to train, the peak of this process in MiB, microseconds of a row in serving."""
    model.model_copy(update={"steps": 1}).fit(model.init(1, METRICS), waves(300))  # load kernels
    history, start = waves(rows), time.process_time()
    state = model.fit(model.init(1, METRICS), history)
    said = {"rows": rows, "seconds": time.process_time() - start, "mib": _peak()}
    state, _ = model.step(state, history[:1000])
    start = time.process_time()
    state, _ = model.step(state, history[:1000])
    said["together"] = (time.process_time() - start) * 1e6 / min(rows, 1000)
    start = time.process_time()
    for t in range(LIVE):
        state, _ = model.step(state, history[t : t + 1])
    return said | {"alone": (time.process_time() - start) * 1e6 / LIVE}


def found(model: Model, data: Path, kind: str) -> dict[str, float]:
    """VUS-PR, the mean of all hosts, and CPU seconds to train one."""
    volumes, seconds = [], []
    for host in hosts(data / kind):
        whole = frame(np.concatenate([host.train, host.test]), INTERVAL[kind])
        before = len(host.train)
        start = time.process_time()
        state = model.fit(model.init(1, host.train.shape[1]), whole[:before])
        seconds.append(time.process_time() - start)
        _, scores = model.step(state, whole)
        late = np.nan_to_num(scores.values[before:, 0])
        volumes.append(vus_pr(late, host.label, period(host.test[:, 0])))
    return {"vus_pr": float(np.mean(volumes)), "seconds": float(np.mean(seconds))}


def orion(model: Aer, data: Path) -> dict[str, float]:
    """F1 over the intervals of all series together, and CPU seconds a series."""
    series = [c for c in curves(data / "nab") if c.name.startswith(FAMILIES) and c.events]
    counts, start = np.zeros(3), time.process_time()
    for curve in series:
        values, events = segments(curve)
        whole = frame(values[:, None])
        scores = model.hindsight(model.fit(model.init(1, 1), whole), whole)
        counts += met(intervals(np.nan_to_num(scores.values[:, 0])), events)
    hits, false, missed = counts.tolist()
    f1 = 2 * hits / (2 * hits + false + missed)
    seconds = (time.process_time() - start) / len(series)
    said = {"series": len(series), "f1": f1, "found": hits, "false": false, "missed": missed}
    return said | {"seconds": seconds}


def segments(curve: Curve) -> tuple[Floats, list[tuple[int, int]]]:
    """Means of ten minutes, or of the interval of the curve if it is longer, and the events.

    What is missing is the mean of all, as in Orion.
    """
    size = max(600, int(np.median(np.diff(curve.time))))
    at = (curve.time - curve.time.min()) // size
    count = np.bincount(at)
    total = np.bincount(at, curve.value)
    values = np.where(count > 0, total / np.maximum(count, 1), curve.value.mean())
    return values, [(int(at[a]), int(at[b - 1]) + 1) for a, b in curve.events]


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure, and tell a line of JSON for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--here", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        with threadpool_limits(1):
            _tell({"model": asked.here} | cost(MODELS[asked.here], asked.rows[0]))
        return
    wanted = {name: model for name, model in MODELS.items() if asked.only in name}
    for name, model in wanted.items():
        with threadpool_limits(1):
            if asked.data is not None:
                for kind in (kind for kind in INTERVAL if (asked.data / kind).is_dir()):
                    _tell({"model": name, "set": kind} | found(model, asked.data, kind))
                if isinstance(model, Aer) and (asked.data / "nab").is_dir():
                    _tell({"model": name, "set": "nab"} | orion(model, asked.data))
                continue
            for rows in asked.rows or [1000, 10_000, 100_000]:
                # a process of its own: the peak of memory is that of a process
                said = [__file__, "--here", name, "--rows", str(rows)]
                subprocess.run([sys.executable, *said], check=True)


def _tell(said: dict[str, object]) -> None:
    rounded = {k: float(f"{v:.3g}") if isinstance(v, float) else v for k, v in said.items()}
    print(json.dumps(rounded), flush=True)


if __name__ == "__main__":
    main()
