"""Fit a model in a process of its own, which ends: serving stays small and quick.

The process is handed one `.npz` on its standard input and answers with one on its standard
output: a detector as JSON, its state, and the history; back come the fitted state and its
calibration, warmed on the same history, and figures. What it is at it writes meanwhile.
"""

import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from tempfile import TemporaryFile, gettempdir
from typing import Annotated, TypeAlias

import numpy as np
import orjson
from pydantic import TypeAdapter

from amiss import fitting, memory
from amiss.component import AnyOf, Detector
from amiss.data import Frame, State
from amiss.errors import StateError
from amiss.linear_algebra import ONE_THREAD
from amiss.model import Figures
from amiss.steps.judge import States, judge_jointly, name_of

LONGEST = 1800.0  # seconds
GIVES_WAY = 10  # of 19: how much a worker is nicer than the program
LOOK = 0.2  # seconds between two looks at whether to give up
STAGE = b"amiss stage "  # begins a line of the worker that is no complaint
COMMAND = (sys.executable, "-P", "-m", "amiss.run.fit")  # no code of the folder one stands in


@dataclass(frozen=True, slots=True)
class Stage:
    """What a worker is at, and about how many seconds that takes, if it can say."""

    doing: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Fit:
    """Fitted states of a detector with its calibration, and what is known of them."""

    states: States
    figures: Figures


Tell: TypeAlias = Callable[[Stage], None]


def ignore(stage: Stage) -> None:
    """Hear of a stage, and do nothing."""


def fit_apart(
    detector: Detector,
    states: States,
    history: Frame,
    stop: threading.Event | None = None,
    *,
    validating: bool = False,
    tell: Tell = ignore,
) -> Fit:
    """Fit this detector in a worker process, which `stop` ends; `tell` hears of each stage.

    Validating takes about as long again. Raises StateError if it failed.
    """
    name = name_of(detector)
    ask = _pack(detector, history) | {"validating": np.array(validating)}
    question = {"own": states.get(name, {}), "ask": ask}
    status, said, complaint = _run(memory.dump(question), stop or threading.Event(), tell)
    if status < 0:
        raise StateError(f"fitting failed: its process was ended by {signal.Signals(-status).name}")
    if status:
        raise StateError(f"fitting failed: {complaint or f'exit code {status}'}")
    found = memory.load(said)
    told = found.pop("figures", {}).get("json", np.zeros(0, np.uint8))
    return Fit(found, orjson.loads(told.tobytes()) if len(told) else {})


def _run(question: bytes, stop: threading.Event, tell: Tell) -> tuple[int, bytes, str]:
    """Exit code, answer and last complaint of the worker."""
    last = time.monotonic() + LONGEST
    complaints: list[str] = []
    # files, as a pipe would be full before the worker begins to read, or while nobody reads it
    with TemporaryFile() as asked, TemporaryFile() as answer:
        try:
            asked.write(question)
            asked.seek(0)
        except OSError as exc:
            raise StateError(
                f"fitting failed: no room for its history in {gettempdir()}: {exc.strerror}"
            ) from exc
        try:
            worker = subprocess.Popen(
                COMMAND,
                stdin=asked,
                stdout=answer,
                stderr=subprocess.PIPE,
                env=os.environ | ONE_THREAD,
            )
        except OSError as exc:
            raise StateError(f"fitting failed: no process for it: {exc.strerror}") from exc
        with worker:
            hearing = threading.Thread(target=_hear, args=(worker, tell, complaints))
            hearing.start()
            try:
                while not stop.is_set() and time.monotonic() < last:
                    try:
                        status = worker.wait(LOOK)
                    except subprocess.TimeoutExpired:
                        continue
                    hearing.join()
                    answer.seek(0)
                    return status, answer.read(), complaints[-1] if complaints else ""
            finally:
                if worker.poll() is None:
                    worker.kill()
                    worker.wait()
                hearing.join()
    if stop.is_set():
        raise StateError("fitting was given up, because the program or the pipeline ended")
    raise StateError(f"fitting took longer than {LONGEST:.0f} s and was stopped")


def fit_here(
    detector: Detector,
    states: States,
    history: Frame,
    validating: bool = False,
    tell: Tell = ignore,
) -> Fit:
    """The same in this process. Raises StateError if nothing could be learned."""
    began = time.monotonic()
    figures: Figures = {}
    if validating:
        tell(Stage("validating", None))
        figures["validation"] = fitting.validate(detector, history)
    took = time.monotonic() - began
    tell(Stage("fitting", took / fitting.EARLY if validating and figures["validation"] else None))
    # calibrate anew: the scores of another model are no past of this one
    learned, loss = fitting.fit_with_loss(detector, states, history)
    if loss:
        figures["loss"] = loss
    if silent := detector.silent(learned[name_of(detector)]):
        figures["silent"] = list(silent)
    warmed, *_ = judge_jointly(detector, learned, history)
    figures["memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    return Fit(warmed, figures)


def _hear(worker: "subprocess.Popen[bytes]", tell: Tell, complaints: list[str]) -> None:
    """Pass on the stages that a worker writes; all else is a complaint."""
    for line in worker.stderr or ():
        if line.startswith(STAGE):
            tell(Stage(*orjson.loads(line[len(STAGE) :])))
        elif text := line.decode(errors="replace").strip():
            complaints.append(text)


def _pack(detector: Detector, history: Frame) -> State:
    return {
        "detector": np.frombuffer(orjson.dumps(detector.model_dump(mode="json")), np.uint8),
        "time": history.time,
        "keys": np.array(history.keys, dtype=str),
        "features": np.array(history.features, dtype=str),
        "values": history.values,
    }


def main() -> None:
    """The worker: read, fit, answer, end. It gives way to whoever serves."""
    os.nice(GIVES_WAY)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    question = memory.load(sys.stdin.buffer.read())
    ask = question["ask"]
    adapter: TypeAdapter[Detector] = TypeAdapter(Annotated[Detector, AnyOf("amiss.detectors")])
    detector = adapter.validate_json(ask["detector"].tobytes(), context={"without_files": True})
    keys, features = tuple(ask["keys"].tolist()), tuple(ask["features"].tolist())
    history = Frame(ask["time"], keys, features, ask["values"])
    own = question.get("own", {})
    states = {name_of(detector): own} if own else {}
    try:
        fitted = fit_here(detector, states, history, bool(ask["validating"]), _say)
    except StateError as exc:
        sys.exit(str(exc))
    figures = {"json": np.frombuffer(orjson.dumps(fitted.figures), np.uint8)}
    try:
        # not sys.stdout, which is a raw file where PYTHONUNBUFFERED is set: that writes but a part
        with open(sys.stdout.fileno(), "wb", closefd=False) as answer:
            answer.write(memory.dump({**fitted.states, "figures": figures}))
    except OSError as exc:
        sys.exit(f"no room for its answer in {gettempdir()}: {exc.strerror}")


def _end_with_parent() -> None:
    """Whoever asked reads what is complained of; where nobody does any more, it was killed."""
    waiting = select.poll()
    waiting.register(sys.stderr.fileno(), 0)  # an error alone: the other end is closed
    waiting.poll()
    os._exit(1)


def _say(stage: Stage) -> None:
    sys.stderr.buffer.write(STAGE + orjson.dumps([stage.doing, stage.seconds]) + b"\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
