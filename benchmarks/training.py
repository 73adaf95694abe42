"""What it takes to fit the models of whole systems, at so many snapshots of 20 metrics.

    python benchmarks/training.py [--rows 1000 10000 100000] [--json FILE]

Each model is fitted in a process of its own, on one thread, as live does, but for the calibration
that follows. `cpu` and `wall` are seconds of the fit alone, without imports; `peak` is the most
memory that the process took, in MB, with the snapshots and with libraries, which are 250 of them;
`kept` is the model, in MB; `score` is microseconds of processor time for one snapshot of 2,000
judged at once.
The numbers are made up: a few that go together, heavy tails, counters, a constant, holes, and one
in twenty that is labelled suspicious. `onnx` trains no network: it is handed one (a forecast by a
matrix), and learns means and deviations; it is left out where the package onnx is not installed.
Says at the end who is more than twice as slow a row at the most rows as at the next fewer.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
from pydantic import TypeAdapter

from amiss.component import AnyOf, Detector
from amiss.data import Frame
from amiss.linear_algebra import ONE_THREAD

METRICS = 20
LABEL = "suspicious"
ASKED = 2000  # snapshots that are scored
MEMBERS = [{"type": "isolation_forest"}, {"type": "one_class_svm"}, {"type": "dbscan"}]
SEEDS = [
    {"type": "isolation_forest", "trees": 100},
    {"type": "lstm", "units": [64], "dropout": 0.2, "window": 50},
    {"type": "dbscan", "min_samples": 5},
]
"""As blueprints/security.yaml has them."""
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
    "ensemble of forest, lstm, dbscan": {"detectors": SEEDS},
    "lstm": {},
    "autoencoder": {},
    "aer, dense": {},
    "aer, linear": {"kind": "linear"},
    "aer, bilstm": {"kind": "bilstm"},
    "onnx": {},
}
LONGEST = 3600.0  # seconds that one may take
TWICE = 2.0


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


def forecaster(path: Path) -> dict[str, object]:
    """The settings of `onnx`, with a network that forecasts a row by the one before."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    matrix = np.eye(METRICS, dtype=np.float32) / 2
    shape = np.array([1, METRICS])
    held = [numpy_helper.from_array(matrix, "matrix"), numpy_helper.from_array(shape, "shape")]
    nodes = [
        helper.make_node("Reshape", ["rows", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["said"]),
    ]
    given = helper.make_tensor_value_info("rows", TensorProto.FLOAT, ("N", 1, METRICS))
    said = helper.make_tensor_value_info("said", TensorProto.FLOAT, ("N", METRICS))
    graph = helper.make_graph(nodes, "forecaster", [given], [said], held)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))
    names = [f"m{f}" for f in range(METRICS)]
    return {"file": str(path), "metrics": names, "score": "forecast", "standardise": True}


def fit(name: str, rows: int, folder: Path) -> dict[str, object]:
    """Fit and score, in this process."""
    said = {"type": name.partition(",")[0].partition(" ")[0], **MODELS[name]}
    if name == "onnx":
        said |= forecaster(folder / "forecaster.onnx")
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
    inside = os.environ | ONE_THREAD
    try:
        done = subprocess.run(command, capture_output=True, check=True, env=inside, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        return {"model": name, "rows": rows}
    found: dict[str, object] = json.loads(done.stdout)
    return found


def slower(found: Sequence[dict[str, object]], what: str, a_row: bool) -> list[str]:
    """Who takes more than twice as much for a row at the most rows as at the next fewer."""
    said = []
    for name in dict.fromkeys(str(it["model"]) for it in found):
        mine = [it for it in found if it["model"] == name and what in it]
        mine.sort(key=lambda it: float(str(it["rows"])))
        each = [
            float(str(it[what])) / (float(str(it["rows"])) if a_row else 1.0) for it in mine[-2:]
        ]
        if len(each) == 2 and each[1] > TWICE * each[0] > 0:
            said.append(f"{name}: {each[1] / each[0]:.1f} times")
    return said


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--only", help="those whose name has this in it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        with TemporaryDirectory() as folder:
            print(json.dumps(fit(asked.one, asked.rows[0], Path(folder))))
        return
    found = []
    for name in MODELS:
        if (asked.only or "") not in name or (name == "onnx" and not find_spec("onnx")):
            continue
        for rows in asked.rows:
            found.append(apart(name, rows))
            print(" | ".join(map(str, found[-1].values())), flush=True)
    for what, a_row in (("cpu", True), ("score", False)):
        print(f"slower a row, {what}: {'; '.join(slower(found, what, a_row)) or 'none'}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
