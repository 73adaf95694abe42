"""Fit a model in a process of its own, which ends: serving stays small and quick.

The process is handed one `.npz` on its standard input and answers with one on its standard
output: a detector as JSON, its state, and the history; back come the fitted state and its
calibration, warmed on the same history.
"""

import signal
import subprocess
import sys
import threading
import time
from tempfile import TemporaryFile
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
LOOK = 0.2  # seconds between two looks at whether to give up
COMMAND = (sys.executable, "-P", "-m", "amiss.run.fit")  # no code of the folder one stands in


def fit_apart(
    detector: Detector, states: States, history: Frame, stop: threading.Event | None = None
) -> States:
    """Fitted states of this detector, in a worker process, which `stop` ends.

    Raises StateError if it failed.
    """
    name = name_of(detector)
    question = {"own": states.get(name, {}), "ask": _pack(detector, history)}
    status, said, complaint = _run(memory.dump(question), stop or threading.Event())
    if status < 0:
        raise StateError(f"fitting failed: its process was ended by {signal.Signals(-status).name}")
    if status:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise StateError(f"fitting failed: {lines[-1] if lines else f'exit code {status}'}")
    return memory.load(said)


def _run(question: bytes, stop: threading.Event) -> tuple[int, bytes, bytes]:
    """Exit code, answer and complaints of the worker."""
    last = time.monotonic() + LONGEST
    with TemporaryFile() as asked:  # a pipe would be full before the worker begins to read
        try:
            asked.write(question)
            asked.seek(0)
            worker = subprocess.Popen(
                COMMAND, stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as exc:
            raise StateError(f"fitting failed: no process for it: {exc.strerror}") from exc
    with worker:
        try:
            while not stop.is_set() and time.monotonic() < last:
                try:
                    said, complaint = worker.communicate(timeout=LOOK)
                    return worker.returncode, said, complaint
                except subprocess.TimeoutExpired:
                    pass
        finally:
            if worker.poll() is None:
                worker.kill()
                worker.communicate()
    if stop.is_set():
        raise StateError("fitting was given up, because the program or the pipeline ended")
    raise StateError(f"fitting took longer than {LONGEST:.0f} s and was stopped")


def fit_here(detector: Detector, states: States, history: Frame) -> States:
    """The same in this process. Raises StateError if nothing could be learned."""
    name = name_of(detector)
    init = detector.init(len(history.keys), len(history.features))
    fitted = detector.fit(states.get(name) or init, history)
    if all(fitted[column].tobytes() == init[column].tobytes() for column in detector.shared):
        raise StateError(
            f"nothing to learn from: in {len(history.time)} samples too few of the metrics that "
            f"{detector.type} needs were there"  # type: ignore[attr-defined]
        )
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
    try:
        fitted = fit_here(detector, {name_of(detector): own} if own else {}, history)
    except StateError as exc:
        sys.exit(str(exc))
    sys.stdout.buffer.write(memory.dump(fitted))


if __name__ == "__main__":
    main()
