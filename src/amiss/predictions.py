"""The log of predictions: what was predicted of which snapshot, to be learned from later."""

import logging
import threading
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

import orjson

from amiss import jsonlog
from amiss.errors import Unreachable
from amiss.run.predict import Prediction

log = logging.getLogger(__name__)

NAME = "predictions.jsonl"
MAX_BYTES, KEEP = 16 * 2**20, 4  # of each file, and how many older ones


def answer(prediction: Prediction, now: int) -> dict[str, Any]:
    """What is said to whoever asks. `now` (ns) stands in for the time of a missing snapshot."""
    at = datetime.fromtimestamp((prediction.time or now) / 1e9, UTC)
    said = {
        "status": "warming_up" if prediction.warming else "success",
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
        "anomaly": prediction.anomaly and not prediction.warming,
        "anomaly_flag": -1 if prediction.anomaly and not prediction.warming else 1,
        "regression_prediction": None if prediction.warming else _known(prediction.forecast),
        "source_metrics": {_plain(name): _known(x) for name, x in prediction.metrics.items()},
    }
    return said | {"reason": prediction.reason} if prediction.warming else said


class PredictionLog:
    """Appends each prediction to `predictions.jsonl`; safe to be used from any thread.

    A full disk costs lines, never an answer: they are counted, with the reason.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / NAME
        self.logged = self.unlogged = 0
        self.reason = ""
        self._lock = threading.Lock()

    def append(self, prediction: Prediction, said: dict[str, Any]) -> None:
        """One line: what was said, and the surprise that it rests on. About 50 us."""
        more = {
            "score": _known(prediction.score),
            "p": _known(prediction.p),
            "target": _plain(prediction.target),
        }
        with self._lock:
            try:
                jsonlog.append(self.path, orjson.dumps(said | more), max_bytes=MAX_BYTES, keep=KEEP)
            except Unreachable as exc:
                if str(exc) != self.reason:
                    log.warning("predictions are not logged: %s", exc)
                self.unlogged, self.reason = self.unlogged + 1, str(exc)
            else:
                self.logged, self.reason = self.logged + 1, ""


def _known(x: float) -> float | None:
    return x if isfinite(x) else None


def _plain(name: str) -> str:
    """Names of devices that were no UTF-8 hold halves of characters, which JSON cannot."""
    return name.encode("utf-8", "backslashreplace").decode()
