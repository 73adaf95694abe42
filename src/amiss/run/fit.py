"""Fit a model in a process of its own, which ends: serving stays small and quick.

The process is handed one `.npz` on its standard input and answers with one on its standard
output: a detector as JSON, its state, and the history; back come the fitted state and its
calibration, warmed on the same history.
"""

import subprocess
import sys
from typing import Annotated

import numpy as np
import orjson
from pydantic import TypeAdapter

from amiss import memory
from amiss.component import AnyOf, Detector
from amiss.data import Frame, State
from amiss.errors import StateError
from amiss.judge import States, judge_jointly, name_of

LONGEST = 1800.0  # seconds


def fit_apart(detector: Detector, states: States, history: Frame) -> States:
    """Fitted states of this detector, in a worker process. Raises StateError if it failed."""
    name = name_of(detector)
    question = {"own": states.get(name, {}), "ask": _pack(detector, history)}
    command = [sys.executable, "-m", "amiss.run.fit"]
    try:
        answer = subprocess.run(
            command, input=memory.dump(question), capture_output=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        raise StateError(f"fitting took longer than {LONGEST:.0f} s and was stopped") from None
    if answer.returncode != 0:
        lines = answer.stderr.decode(errors="replace").strip().splitlines()
        raise StateError(f"fitting failed: {lines[-1] if lines else answer.returncode}")
    return memory.load(answer.stdout)


def fit_here(detector: Detector, states: States, history: Frame) -> States:
    """The same in this process."""
    name = name_of(detector)
    init = detector.init(len(history.keys), len(history.features))
    fitted = detector.fit(states.get(name) or init, history)
    # calibrate anew: the scores of another model are no past of this one
    warmed = {name: {c: fitted[c] if c in detector.shared else init[c] for c in init}}
    warmed, *_ = judge_jointly(detector, warmed, history)
    return warmed


def _pack(detector: Detector, history: Frame) -> State:
    return {
        "detector": np.frombuffer(orjson.dumps(detector.model_dump(mode="json")), np.uint8),
        "time": history.time,
        "keys": np.array(history.keys, dtype=str),
        "features": np.array(history.features, dtype=str),
        "values": history.values,
    }


def main() -> None:
    """The worker: read, fit, answer, end."""
    question = memory.load(sys.stdin.buffer.read())
    ask = question["ask"]
    detector: Detector = TypeAdapter(Annotated[Detector, AnyOf("amiss.detectors")]).validate_json(
        ask["detector"].tobytes()
    )
    keys, features = tuple(ask["keys"].tolist()), tuple(ask["features"].tolist())
    history = Frame(ask["time"], keys, features, ask["values"])
    own = question.get("own", {})
    fitted = fit_here(detector, {name_of(detector): own} if own else {}, history)
    sys.stdout.buffer.write(memory.dump(fitted))


if __name__ == "__main__":
    main()
