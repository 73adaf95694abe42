"""What is seen to beside the watching: models fitted, history pruned, a changed file read."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from amiss.errors import ConfigError, Error
from amiss.run import challengers, orphans, training
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
        self.fitting = threading.Thread()  # the last that fitted models

    def run(self, stop: threading.Event) -> None:
        """Look every few seconds until stopped. A task that fails does not keep others waiting."""
        tasks = {
            "incidents": self.settle,
            "models": self.fit,
            "history": self.prune,
            "configuration": self.reread,
            "audit trail": self.live.trail.catch_up,
            "inboxes": self.receive,
        }
        while not stop.is_set():
            for name, task in tasks.items():
                self._do(name, task)
            self.live.world.wait(stop, TENDING)
        if self.fitting.is_alive():
            self.fitting.join()

    def _do(self, name: str, task: Callable[[], None]) -> None:
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
        """Find the models that are in use, and fit what wants fitting: one after the other, in a
        thread, as the rest cannot wait until the last is fitted.
        """
        for trainee in self.live.trainees:
            store = self.live.store
            found = training.look_up(trainee, store) or training.follow(trainee, store)
            if challengers.renew(trainee, store) or found:
                self.live.news()
        if self.fitting.is_alive():
            return
        wanted = [t for t in self.live.trainees if self._samples(t) is not None or self._why(t)]
        if wanted:
            run = partial(self._do, "fitting", partial(self._train, wanted))
            self.fitting = threading.Thread(target=run, name="(fitting)", daemon=True)
            self.fitting.start()

    def receive(self) -> None:
        """Listen where it is asked for, and drop what was pushed and has been judged."""
        self.live.inboxes.tend(self.live.watches, self.live.store, self.live.world)

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

    def _samples(self, trainee: Trainee) -> int | None:
        """How many samples to fit on now, if at all."""
        every, now = self.live.settings.retrain_every, self.live.world.now()
        return training.wanted(trainee, every, now, training.recorded(trainee.watch))

    def _why(self, trainee: Trainee) -> str:
        """Why to fit a challenger now, if at all."""
        live = self.live
        return challengers.due(trainee, live.settings.retrain, live.store, live.world.now())

    def _train(self, trainees: Sequence[Trainee]) -> None:
        live = self.live
        for trainee in trainees:
            samples = self._samples(trainee)
            why = self._why(trainee) if samples is None else ""
            if (samples is None and not why) or trainee.stop.is_set():
                continue
            try:
                many = samples or challengers.samples(trainee)
                card = training.retrain(trainee, many, live.store, live.world, why, by_itself=True)
                live.trail.fitted(card, in_use=not why)
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
