"""What is seen to beside the watching: models fitted, history pruned, a changed file read."""

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from amiss.errors import ConfigError, Error
from amiss.run import orphans, training
from amiss.run.resume import LOST
from amiss.run.training import Trainee

if TYPE_CHECKING:
    from amiss.run.live import Live

log = logging.getLogger(__name__)

TENDING = 5.0  # seconds between two looks
PRUNING = 600.0


class Tending:
    """One of an installation, with a thread of its own."""

    def __init__(self, live: "Live") -> None:
        self.live = live
        self.pruned = time.monotonic()
        self.lost = -1  # memories learned anew, when orphans were last looked for
        self.complaints: dict[str, str] = {}  # what was said last of each task: once, not always

    def run(self, stop: threading.Event) -> None:
        """Look every few seconds until stopped. A task that fails does not keep others waiting."""
        tasks = {
            "incidents": self.settle,
            "models": self.fit,
            "history": self.prune,
            "configuration": self.reread,
        }
        while not stop.is_set():
            for name, task in tasks.items():
                complaint, fault = "", None
                try:
                    task()
                except Error as exc:
                    complaint = str(exc)
                except Exception as exc:
                    # one task must not keep the others from being done
                    complaint, fault = f"fault: {exc!r}", exc
                if complaint and complaint != self.complaints.get(name):
                    log.error("%s: %s; tried again later", name, complaint, exc_info=fault)
                self.complaints[name] = complaint
            self.live.world.wait(stop, TENDING)

    def settle(self) -> None:
        """Resolve what no memory knows, at the start and after a memory was lost."""
        watches = self.live.watches
        lost = sum(watch.skipped.get(LOST, 0) for watch in watches)
        if lost == self.lost or not all(watch.ready for watch in watches):
            return
        if orphans.resolve(watches, self.live.store):
            self.live.news()
        self.lost = lost

    def fit(self) -> None:
        """Find the models that are in use, and fit what wants fitting."""
        for trainee in self.live.trainees:
            if training.look_up(trainee, self.live.store):
                self.live.news()
            self._train(trainee)

    def prune(self) -> None:
        """Drop the history that is too old or too much."""
        if time.monotonic() - self.pruned < PRUNING:
            return
        self.pruned = time.monotonic()
        keep, now = self.live.settings.keep, self.live.world.now()
        self.live.store.prune(keep.days, keep.megabytes * 2**20, keep.incident_days, now=now)

    def reread(self) -> None:
        """Read the configuration if its file has changed."""
        if self.live.config is None or stamp(self.live.config) == self.live.written:
            return
        try:
            log.info("configuration: %s", self.live.reload())
        except ConfigError as exc:
            log.error("configuration: the old one stays in use: %s", exc)

    def _train(self, trainee: Trainee) -> None:
        live = self.live
        now, recorded = live.world.now(), training.recorded(trainee.watch)
        samples = training.wanted(trainee, live.settings.retrain_every, now, recorded)
        if samples is None:
            return
        try:
            training.retrain(trainee, samples, live.store, live.world)
        except Error as exc:
            if not trainee.stop.is_set():
                log.warning("model %s: not fitted: %s", trainee.type, exc)
        live.news()


def stamp(config: Path | None) -> tuple[int, int]:
    """When and how large a file was last written; zeros if there is none."""
    try:
        found = config.stat() if config else None
    except OSError:
        found = None
    return (found.st_mtime_ns, found.st_size) if found else (0, 0)
