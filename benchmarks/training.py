"""What it takes to fit the models of whole systems, at so many snapshots of 20 metrics.

    python benchmarks/training.py [--rows 1000 10000 100000] [--json FILE]

Each model is fitted in a process of its own, as live does, but for the calibration that follows.
`cpu` and `wall` are seconds of the fit alone, without imports; `peak` is the most memory that the
process took, in MB, with the snapshots and with libraries, which are 250 of them; `kept` is the
model, in MB; `score` is microseconds of processor time for one snapshot of 2,000 judged at once.
The numbers are made up: a few that go together, heavy tails, counters, a constant, holes, and one
in twenty that is labelled suspicious.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import TypeAdapter

from amiss.component import AnyOf, Detector
from amiss.data import Frame

METRICS = 20
LABEL = "suspicious"
ASKED = 2000  # snapshots that are scored
MEMBERS = [{"type": "isolation_forest"}, {"type": "one_class_svm"}, {"type": "dbscan"}]
MODELS: dict[str, dict[str, object]] = {
    "isolation_forest": {},
    "linear_regression": {"targets": ["m0"]},
    "one_class_svm": {},
    "one_class_svm, exact": {"kind": "exact"},
    "one_class_svm, nystroem": {"kind": "nystroem"},
    "dbscan": {},
    "classifier, forest": {"label": LABEL},
    "classifier, logistic": {"label": LABEL, "kind": "logistic"},
    "ensemble of forest, svm, dbscan": {"detectors": MEMBERS},
}


def snapshots(count: int, labelled: bool) -> Frame:
    """One system: 20 metrics, and a label if it is wanted."""
    noise = np.random.default_rng(0)
    x = noise.normal(size=(count, METRICS))
    x[:, 1:6] += 2.0 * x[:, :1]
    x[:, 6:10] = np.exp(3.0 * x[:, 6:10]) * 1e6
    x[:, 10:13] = np.where(noise.random((count, 3)) < 0.02, 1.0, 0.0)
    x[:, 13] = 7.0
    bad = noise.random(count) < 0.05
    x[bad, 14:16] += 3.0
    x[noise.random(x.shape) < 0.01] = np.nan
    names = tuple(f"m{f}" for f in range(METRICS))
    if labelled:
        names, x = (*names, LABEL), np.column_stack([x, bad])
    return Frame(np.arange(count) * 10**9, ("system",), names, x[:, None, :])


def fit(name: str, rows: int) -> dict[str, object]:
    """Fit and score, in this process."""
    said = {"type": name.partition(",")[0].partition(" ")[0], **MODELS[name]}
    adapter: TypeAdapter[Detector] = TypeAdapter(Annotated[Detector, AnyOf("amiss.detectors")])
    detector = adapter.validate_python(said)
    few, history = (snapshots(count, "label" in said) for count in (200, rows))
    first = detector.init(1, len(history.features))
    detector.step(detector.fit(first, few), few)  # libraries and kernels are there from here on
    began = time.perf_counter(), time.process_time()
    state = detector.fit(first, history)
    wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    kept = sum(state[column].nbytes for column in detector.shared)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began_scoring = time.process_time()
    detector.step(state, history[:ASKED])
    each = (time.process_time() - began_scoring) / min(rows, ASKED)
    return {
        "model": name,
        "rows": rows,
        "cpu": round(cpu, 2),
        "wall": round(wall, 2),
        "peak": round(peak),
        "kept": round(kept / 1e6, 2),
        "score": round(1e6 * each, 1),
    }


def apart(name: str, rows: int) -> dict[str, object]:
    """The same in a process of its own, which ends."""
    command = [sys.executable, __file__, "--one", name, "--rows", str(rows)]
    done = subprocess.run(command, capture_output=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(fit(asked.one, asked.rows[0])))
        return
    found = []
    for name in MODELS:
        for rows in asked.rows:
            found.append(apart(name, rows))
            print(" | ".join(map(str, found[-1].values())), flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
