"""One running installation: its threads, and the picture of what they do."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from amiss import config as files
from amiss.errors import ConfigError, Error, Unreachable
from amiss.home import DATABASE, RUNNING, announce
from amiss.model import Card
from amiss.run import picture, tell, training
from amiss.run.audited import PROGRAM, Trail
from amiss.run.inboxes import Inboxes
from amiss.run.listen import listen
from amiss.run.lock import hold
from amiss.run.models import named
from amiss.run.now import Now
from amiss.run.predict import Prediction, predict
from amiss.run.recent import join
from amiss.run.tending import Tending, stamp
from amiss.run.training import Trainee
from amiss.run.watch import Watch, close, run_watch
from amiss.settings import Settings, put_off
from amiss.store import Points, Store
from amiss.store.chunks import empty
from amiss.store.thin import thin
from amiss.world import World

log = logging.getLogger(__name__)

TENDING = "(tending)"  # no pipeline can be called so
ENDING = 10.0  # seconds in which a pipeline that is to be replaced ends


class Live:
    """Starts and stops what is configured; safe to be read from any thread.

    `settings` are the file's; it may `listen` elsewhere. Raises ConfigError if another program
    works in the same folder, StateError if what is stored there cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        home: Path,
        world: World,
        config: Path | None = None,
        listen: str | None = None,
    ) -> None:
        self.settings = settings.model_copy(update={"listen": listen or settings.listen})
        self.inboxes = Inboxes(home)
        self.home, self.world, self.config = home, self.inboxes.into(world), config
        self.started = world.now()
        self._first = settings  # as the file has them: at the start
        self._said: Settings | None = None  # and now, if all of them is in use
        with ExitStack() as undo:
            self.claim = undo.enter_context(hold(home))
            self.store = Store(home / DATABASE)
            undo.callback(self.store.close)
            first = self.store.get_meta("first")
            self.first = first if isinstance(first, int) else self.started
            self.store.set_meta("first", self.first)
            undo.pop_all()
        self.trail = Trail(home, self.store, world)
        self.stopping = threading.Event()
        self.watches: tuple[Watch, ...] = ()
        self.channels: tuple[tell.Channel, ...] = ()
        self.trainees: tuple[Trainee, ...] = ()
        self.threads: dict[str, tuple[threading.Thread, threading.Event]] = {}
        self.tending = Tending(self)
        self.config_error, self.config_waits, self.written = "", "", stamp(config)
        self._changing = threading.Lock()  # of what runs: one reload at a time, none while stopping
        self._change = threading.Condition()
        self._log = picture.Log()
        self._painted: tuple[tuple[object, ...], Now] | None = None
        self._paint_lock = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Start all threads; that of a pipeline resumes where the last run was.

        Raises StateError, before there are any, if nothing can be written in the folder.
        """
        announce(self.home, self.settings.listen)
        with self._changing:
            self._adopt(self._first)
        self.trail.configured("started", self.config, self._first)
        self._spawn(TENDING, self.tending.run)

    def stop(self, timeout: float = 5.0) -> None:
        """End all threads, leave a checkpoint, and let go of the folder. A second call is none."""
        deadline = time.monotonic() + timeout
        self.stopping.set()
        changing = self._changing.acquire(timeout=timeout)
        try:
            if not self._closed:
                self._stop(deadline)
        finally:
            if changing:
                self._changing.release()

    def _stop(self, deadline: float) -> None:
        for _, event in self.threads.values():
            event.set()
        for trainee in self.trainees:
            trainee.stop.set()
        tell.stop(self.channels, patience=min(max(0.0, deadline - time.monotonic()), 2.0))
        for thread, _ in list(self.threads.values()):
            thread.join(max(0.0, deadline - time.monotonic()))
        for watch in self.watches:
            self._close(watch)
        self.inboxes.close()
        self.trail.end()
        self.news()
        self.now()  # the last picture there will be: the store is closed then
        self._closed = True
        self.store.close()
        (self.home / RUNNING).unlink(missing_ok=True)
        self.claim.close()

    def reload(self) -> str:
        """Read the configuration again; what is equal goes on with its memory.

        Raises ConfigError, and keeps everything as it was, if it is wrong; Unreachable if what
        is to be replaced does not end, or the store does not answer: it is tried again then.
        """
        if self.config is None:
            return "there is no file to read again"
        if not self._changing.acquire(timeout=ENDING):
            raise Unreachable("the configuration is being read just now")
        try:
            return "it ends" if self.stopping.is_set() else self._reload(self.config)
        finally:
            self._changing.release()
            self.news()

    def _reload(self, config: Path) -> str:
        self.written = stamp(config)
        try:
            settings = files.read(config)
        except ConfigError as exc:
            self.config_error = str(exc)
            self.trail.note(PROGRAM, "configuration refused", config=str(config), why=str(exc))
            raise
        self.config_error = ""
        if settings == self._said:
            return "nothing has changed"
        if (waits := put_off(settings, self._first)) and waits != self.config_waits:
            log.warning("of the new configuration, %s", waits)
        self.config_waits = waits
        try:
            self._adopt(settings)
        except Error as exc:
            self.written = (0, 0)
            self.config_error = f"not in use yet: {exc}"
            raise
        self.trail.configured("configuration loaded", config, settings)
        return "the new configuration is in use"

    def now(self) -> Now:
        """The picture as of the last ticks; made when somebody looks."""
        with self._paint_lock:
            stamp = self._stamp()
            if self._painted is None:
                self._painted = (stamp, self._paint(1))
            elif self._painted[0] != stamp and not self._closed:
                self._painted = (stamp, self._paint(self._painted[1].version + 1))
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
        rings = (watch.recent.read(key) for watch in self.watches)
        recent = next((ring for ring in rings if len(ring)), empty())  # of who keeps its history
        return thin(join(recent, partial(self.store.history, key), start, end), points)

    def predict(self) -> Prediction:
        """The latest snapshot, by isolation forest and regression."""
        return predict(self.now())

    def retrain(
        self, model: str, samples: int, pipeline: str | None = None, who: str = PROGRAM
    ) -> Card:
        """Fit a model on the last samples while serving goes on; see training.retrain."""
        trainee = named(self.trainees, model, pipeline)
        self.trail.note(who, "retraining asked", type=model, samples=samples)
        card = training.retrain(trainee, samples, self.store, self.world)
        self.trail.fitted(card, in_use=True)
        self.news()
        return card

    def _adopt(self, said: Settings) -> None:
        self._said, held = None, {"listen": self.settings.listen, "token": self.settings.token}
        settings = said.model_copy(update=held)
        wanted = settings.shared_out()
        for watch in self.watches:
            ending = self.threads[watch.name][1].is_set()  # of a reload that did not work out
            if ending or wanted.get(watch.name) != watch.pipeline:
                self._end(watch)
        running = {watch.name for watch in self.watches}
        new = [pipeline for name, pipeline in wanted.items() if name not in running]
        fresh = [Watch(one, self.store, self.world, settings.checkpoint) for one in new]
        for watch in fresh:
            try:
                self.store.seen(watch.name)  # damage is told of now
            except Unreachable as exc:  # its thread goes on trying
                log.warning("pipeline %s: %s", watch.name, exc)
        order, every = list(wanted), (*self.watches, *fresh)
        self.watches = tuple(sorted(every, key=lambda watch: order.index(watch.name)))
        for at, watch in enumerate(self.watches):
            watch.every_checkpoint, watch.before = settings.checkpoint, self.watches[:at]
        for watch in fresh:
            self._run(watch)  # and resumes, which loads the kernels: no answer waits for that
        self.trainees = tuple(training.trainees(self.watches, self.trainees))
        self.tending.lost = -1  # what the pipelines that are gone had open is to be ended
        self.channels = listen(self.channels, settings, self.store, self.world)
        self.settings, self._said = settings, said

    def _end(self, watch: Watch) -> None:
        """End a pipeline and leave its checkpoint.

        Raises Unreachable if it is still busy, or if the store does not take what it holds.
        """
        thread, event = self.threads[watch.name]
        event.set()
        thread.join(ENDING)
        if thread.is_alive():
            raise Unreachable(f"pipeline {watch.name} has not ended yet")
        try:
            close(watch)
        except Error:
            self._run(watch)  # what waits for the store is not given up for a reload
            raise
        self.watches = tuple(other for other in self.watches if other is not watch)
        del self.threads[watch.name]

    def _close(self, watch: Watch) -> None:
        if self.threads[watch.name][0].is_alive():
            log.warning("pipeline %s: did not end in time: no checkpoint", watch.name)
            return
        try:
            close(watch)
        except Error as exc:
            log.warning("pipeline %s: no checkpoint: %s", watch.name, exc)

    def _run(self, watch: Watch) -> None:
        self._spawn(watch.name, partial(run_watch, watch, news=self.news))

    def _spawn(self, name: str, run: Callable[[threading.Event], None]) -> None:
        event = threading.Event()
        thread = threading.Thread(target=run, args=(event,), name=name, daemon=True)
        self.threads[name] = (thread, event)
        thread.start()

    def news(self) -> None:
        """Wake those who wait: there is something to tell or to show."""
        for channel in self.channels:
            channel.wake.set()
        with self._change:
            self._change.notify_all()

    def _stamp(self) -> tuple[object, ...]:
        """What the picture depends on: another one, another picture."""
        parts = picture.stamp(self.watches, self.channels, self.trainees)
        return (*parts, self.config_error, self.config_waits, self.stopping.is_set())

    def _paint(self, version: int) -> Now:
        now = self.world.now()
        try:
            self._log = picture.read_log(self.store, now)
        except Error as exc:  # shown as it was; what is wrong the pipelines say
            log.debug("the incident log cannot be read: %s", exc)
        return picture.paint(
            version=version,
            settings=self.settings,
            watches=self.watches,
            sinks=tuple(picture.sink_of(channel) for channel in self.channels),
            models=tuple(training.model_of(t, training.recorded(t.watch)) for t in self.trainees),
            log=self._log,
            now=now,
            started=self.started,
            first=self.first,
            config=str(self.config) if self.config else "built in",
            config_error=self.config_error,
            config_waits=self.config_waits,
            stopping=self.stopping.is_set(),
        )
