"""Trainings that were asked for here: they run in the background, and all who look see them."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from amiss.errors import Error

if TYPE_CHECKING:
    from amiss.run.live import Live


@dataclass(slots=True)
class Run:
    """One training. `said` is empty while it runs."""

    samples: int
    began: int  # ns
    ended: int = 0  # ns
    good: bool = False
    said: str = ""


_runs: "WeakKeyDictionary[Live, dict[tuple[str, str], Run]]" = WeakKeyDictionary()
_lock = threading.Lock()


def last(live: "Live", pipeline: str, model: str) -> Run | None:
    """The training that was asked for last."""
    with _lock:
        return _runs.get(live, {}).get((pipeline, model))


def begin(live: "Live", pipeline: str, model: str, samples: int) -> Run:
    """Train in the background; if that is being done already, that one it is."""
    with _lock:
        known = _runs.setdefault(live, {})
        run = known.get((pipeline, model))
        if run is not None and not run.said:
            return run
        run = known[pipeline, model] = Run(samples, live.world.now())
    thread = threading.Thread(
        target=_train, args=(live, pipeline, model, run), name=f"train {model}", daemon=True
    )
    thread.start()
    return run


def _train(live: "Live", pipeline: str, model: str, run: Run) -> None:
    said = "It ended in a fault; the log says more. The model before stays in use."
    try:
        card = live.retrain(model, run.samples, pipeline, "dashboard")
        run.good = True
        said = f"Trained on {card.samples:,} samples in {card.seconds:.1f} s; in use from now on."
    except Error as exc:
        said = f"Not trained: {exc}. The model before stays in use."
    finally:
        run.ended, run.said = live.world.now(), said
