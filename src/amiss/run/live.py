"""One running installation: its threads, and the picture of what they do."""

import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import orjson

from amiss import config as files
from amiss.component import Sink
from amiss.errors import ConfigError, Error
from amiss.pipeline import Pipeline
from amiss.run import picture, tell, training
from amiss.run.lock import hold
from amiss.run.now import Now
from amiss.run.predict import Prediction, predict
from amiss.run.recent import thin
from amiss.run.training import Card, Trainee
from amiss.run.watch import Watch, close, resume, run_watch
from amiss.settings import Settings
from amiss.store import Points, Store
from amiss.store.chunks import merge
from amiss.world import World

log = logging.getLogger(__name__)

RUNNING = "running.json"
TENDING = 5.0  # seconds between two looks at what wants fitting, pruning or reloading
PRUNING = 600.0


class Live:
    """Starts and stops what is configured; safe to be read from any thread.

    Raises ConfigError if another program works in the same folder, StateError if what is
    stored there cannot be used.
    """

    def __init__(
        self, settings: Settings, home: Path, world: World, config: Path | None = None
    ) -> None:
        self.settings, self.home, self.world, self.config = settings, home, world, config
        self.claim = hold(home)
        self.store = Store(home / "amiss.db")
        self.stopping = threading.Event()
        self.watches: list[Watch] = []
        self.channels: list[tell.Channel] = []
        self.trainees: list[Trainee] = []
        self.threads: dict[str, tuple[threading.Thread, threading.Event]] = {}
        self.config_error = ""
        self.started = world.now()
        first = self.store.get_meta("first")
        self.first = int(first) if isinstance(first, int) else self.started
        self.store.set_meta("first", self.first)
        self._written = _stamp(config)
        self._change = threading.Condition()
        self._painted: tuple[tuple[object, ...], Now] | None = None
        self._paint_lock = threading.Lock()
        self._versions = 0
        self._pruned = time.monotonic()

    def start(self) -> None:
        """Resume each pipeline and start all threads; kernels are loaded meanwhile."""
        self._adopt(self.settings)
        self._spawn("tending", self._tend)
        running = {"address": self.settings.listen, "pid": os.getpid()}
        (self.home / RUNNING).write_bytes(orjson.dumps(running))

    def stop(self, timeout: float = 5.0) -> None:
        """End all threads, leave a checkpoint, and let go of the folder."""
        self.stopping.set()
        for _, event in self.threads.values():
            event.set()
        tell.stop(self.channels, patience=min(timeout, 2.0))
        deadline = time.monotonic() + timeout
        for thread, _ in list(self.threads.values()):
            thread.join(max(0.0, deadline - time.monotonic()))
        for watch in self.watches:
            if not self.threads[watch.name][0].is_alive():
                self._close(watch)
        self.store.close()
        (self.home / RUNNING).unlink(missing_ok=True)
        self.claim.close()

    def reload(self) -> str:
        """Read the configuration again; what is equal goes on with its memory.

        Raises ConfigError, and keeps everything as it was, if it is wrong.
        """
        if self.config is None:
            return "there is no file to read again"
        self._written = _stamp(self.config)
        try:
            settings = files.read(self.config)
        except ConfigError as exc:
            self.config_error = str(exc)
            raise
        self.config_error = ""
        if settings == self.settings:
            return "nothing has changed"
        if settings.listen != self.settings.listen or settings.token != self.settings.token:
            log.warning("listen and token are used from the next start on")
        self._adopt(settings)
        return "the new configuration is in use"

    def now(self) -> Now:
        """The picture as of the last ticks; made when somebody looks."""
        with self._paint_lock:
            stamp = self._stamp()
            if self._painted is None or self._painted[0] != stamp:
                self._versions += 1
                self._painted = (stamp, self._paint(self._versions))
            return self._painted[1]

    def wait(self, version: int, seconds: float) -> Now:
        """A picture newer than `version`, or after so many seconds the one there is."""
        deadline = time.monotonic() + seconds
        now = self.now()
        while now.version <= version and time.monotonic() < deadline:
            with self._change:
                self._change.wait(min(1.0, max(0.0, deadline - time.monotonic())))
            now = self.now()
        return now

    def history(self, key: str, start: int, end: int, points: int = 600) -> Points:
        """A series between two times in ns, thinned to about so many points."""
        held = [watch.recent.read(key) for watch in self.watches]
        recent = max(held, key=len)
        first = int(recent.time[0]) if len(recent) else end + 1
        found = recent[(recent.time >= start) & (recent.time <= end)]
        if start < first:
            found = merge([self.store.history(key, start, min(end, first - 1)), found])
        return thin(found, points)

    def predict(self) -> Prediction:
        """The latest snapshot, by isolation forest and regression."""
        return predict(self.now())

    def retrain(self, model: str, samples: int, pipeline: str | None = None) -> Card:
        """Fit a model on the last samples while serving goes on; see training.retrain."""
        known = [t for t in self.trainees if pipeline in (None, t.watch.name)]
        trainee = next((t for t in known if t.type == model), None)
        if trainee is None:
            names = ", ".join(sorted({t.type for t in known})) or "none"
            raise ConfigError(f"model_name: there is no model {model!r} to train; known: {names}")
        card = training.retrain(trainee, samples, self.store, self.world)
        self._news()
        return card

    def _adopt(self, settings: Settings) -> None:
        share = settings.budget / len(settings.pipelines)
        wanted = {p.name: p.model_copy(update={"budget": share}) for p in settings.pipelines}
        for watch in list(self.watches):
            if wanted.get(watch.name) == watch.pipeline:
                continue
            thread, event = self.threads.pop(watch.name)
            event.set()
            thread.join()
            self._close(watch)
            self.watches.remove(watch)
        running = {watch.name for watch in self.watches}
        fresh = [self._begin(p, settings) for name, p in wanted.items() if name not in running]
        self.settings = settings
        self.trainees = training.trainees(self.watches, self.store)
        self._listen(settings)
        for watch in fresh:
            self._spawn(watch.name, partial(run_watch, watch, news=self._news))

    def _listen(self, settings: Settings) -> None:
        """A channel for each sink; one that is as it was goes on undisturbed."""
        address = f"http://{settings.listen}"
        sinks = {name: _addressed(sink, address) for name, sink in settings.sinks.items()}
        before = {channel.name: channel for channel in self.channels}
        wanted = tell.channels(sinks, self.store, self.world)
        kept = {c.name for c in wanted if c.name in before and before[c.name].sink == c.sink}
        tell.stop([channel for name, channel in before.items() if name not in kept])
        self.channels = [before[c.name] if c.name in kept else c for c in wanted]
        self.store.enrol([channel.name for channel in self.channels])
        for channel in self.channels:
            if channel.name not in kept:
                tell.start(channel)

    def _begin(self, pipeline: Pipeline, settings: Settings) -> Watch:
        watch = Watch(pipeline, self.store, self.world, settings.checkpoint)
        resume(watch)
        self.watches.append(watch)
        return watch

    def _close(self, watch: Watch) -> None:
        try:
            close(watch)
        except Error as exc:
            log.warning("pipeline %s: no checkpoint: %s", watch.name, exc)

    def _spawn(self, name: str, run: Callable[[threading.Event], None]) -> None:
        event = threading.Event()
        thread = threading.Thread(target=run, args=(event,), name=name, daemon=True)
        self.threads[name] = (thread, event)
        thread.start()

    def _tend(self, stop: threading.Event) -> None:
        """Fit what wants fitting, prune the history, read a changed file."""
        while not stop.is_set():
            for task in (self._fit, self._prune, self._reread):
                try:
                    task()
                except Error as exc:
                    log.warning("%s; tried again later", exc)
                except Exception:
                    # one task must not keep the others from being done
                    log.exception("fault in %s; tried again later", task.__name__)
            self.world.wait(stop, TENDING)

    def _prune(self) -> None:
        if time.monotonic() - self._pruned < PRUNING:
            return
        self._pruned = time.monotonic()
        keep, now = self.settings.keep, self.world.now()
        self.store.prune(keep.days, keep.megabytes * 2**20, keep.incident_days, now=now)

    def _reread(self) -> None:
        if self.config is not None and _stamp(self.config) != self._written:
            try:
                log.info("configuration: %s", self.reload())
            except ConfigError as exc:
                log.error("configuration: kept the old one: %s", exc)

    def _fit(self) -> None:
        for trainee in self.trainees:
            self._train(trainee)

    def _train(self, trainee: Trainee) -> None:
        recorded = self._recorded(trainee.watch)
        every, now = self.settings.retrain_every, self.world.now()
        samples = training.wanted(trainee, every, now, recorded)
        if samples is None:
            return
        try:
            training.retrain(trainee, samples, self.store, self.world)
        except Error as exc:
            log.warning("model %s: not fitted: %s", trainee.type, exc)
        self._news()

    def _recorded(self, watch: Watch) -> int:
        return int(watch.seen.outcome.seen.max(initial=0)) if watch.seen else 0

    def _news(self) -> None:
        for channel in self.channels:
            channel.wake.set()
        with self._change:
            self._change.notify_all()

    def _stamp(self) -> tuple[object, ...]:
        """What the picture depends on: another one, another picture."""
        return (
            tuple(watch.progress.version for watch in self.watches),
            tuple(channel.status for channel in self.channels),
            tuple((t.card, t.failed, t.running is None) for t in self.trainees),
            self.config_error,
            self.stopping.is_set(),
        )

    def _paint(self, version: int) -> Now:
        return picture.paint(
            version=version,
            settings=self.settings,
            watches=tuple(self.watches),
            sinks=tuple(picture.sink_of(channel) for channel in self.channels),
            models=tuple(training.model_of(t, self._recorded(t.watch)) for t in self.trainees),
            store=self.store,
            now=self.world.now(),
            started=self.started,
            first=self.first,
            config=str(self.config) if self.config else "built in",
            config_error=self.config_error,
            stopping=self.stopping.is_set(),
        )


def _addressed(sink: Sink, address: str) -> Sink:
    """The same sink, knowing where the pages are, if it wants to and was not told otherwise."""
    if getattr(sink, "address", "") is None:
        return sink.model_copy(update={"address": address})
    return sink


def _stamp(config: Path | None) -> tuple[int, int]:
    """When and how large a file was last written; zeros if there is none."""
    try:
        found = config.stat() if config else None
    except OSError:
        found = None
    return (found.st_mtime_ns, found.st_size) if found else (0, 0)
