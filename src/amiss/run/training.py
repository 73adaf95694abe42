"""Models while serving: fitted once there is enough, on schedule or when asked, one at a time."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import numpy as np

from amiss.component import Detector
from amiss.data import MINUTE, Array, Frame
from amiss.errors import ConfigError, Error, StateError, Unreachable
from amiss.judge import name_of
from amiss.run.fit import fit_apart
from amiss.run.now import ModelNow
from amiss.run.watched import Fitted, Watch
from amiss.store import Store
from amiss.store.models import Model
from amiss.systems import view
from amiss.world import World

log = logging.getLogger(__name__)

LEAST = 50  # samples below which a model is not worth having
MOST = 20_000
LATER = 10 * MINUTE  # after a training that did not work none is begun by itself
REACH = (1, 8)  # times as far back as the samples would reach: there may have been pauses
FIRST = (100, 720, 8640)  # samples at which a model is fitted by itself: it knew so little before


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a model."""

    name: str  # the detector's type
    detector: str  # with its settings
    pipeline: str
    id: str
    samples: int
    trained: int  # ns
    seconds: float
    first: int  # ns, of the history
    last: int
    features: tuple[str, ...]


@dataclass(slots=True)
class Trainee:
    """A detector that can be fitted, and how far that is."""

    watch: Watch
    detector: Detector
    card: Card | None = None
    known: bool = False  # whether the card has been looked up: not before the memory is there
    running: tuple[int, "Future[Card]"] | None = None  # samples asked for, and the answer
    failed: str = ""
    tried: int | None = None  # ns, when a training last did not work
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def type(self) -> str:
        """The detector's type: what users call the model."""
        return name_of(self.detector).partition("-")[0]


def trainees(watches: Sequence[Watch], before: Sequence[Trainee] = ()) -> list[Trainee]:
    """All detectors that can be fitted; what models they have in use `look_up` finds out.

    Those of `before` whose watch goes on go on too, and what they are doing; others end.
    """
    found, kept = [], {(id(one.watch), name_of(one.detector)): one for one in before}
    for watch in watches:
        for detector in watch.pipeline.detectors:
            if detector.joint and detector.fits():
                old = kept.pop((id(watch), name_of(detector)), None)
                found.append(old or Trainee(watch, detector))
    for gone in kept.values():
        gone.stop.set()
    return found


def look_up(trainee: Trainee, store: Store) -> bool:
    """Find the card of the model in use, once the pipeline has resumed; says whether it did now.

    Raises Unreachable or StateError if the store does not answer.
    """
    if trainee.known or not trainee.watch.ready:
        return False
    card = _card_in_use(trainee.watch, trainee.detector, store)
    with trainee.lock:
        if trainee.known:  # it was fitted meanwhile
            return False
        trainee.card, trainee.known = card, True
    return True


def _card_in_use(watch: Watch, detector: Detector, store: Store) -> Card | None:
    """The card of the model that the detector's state holds.

    None if it holds another one (the program was killed before it took the new one, or its
    memory was lost) or if the stored one is damaged: it is fitted anew then, by itself.
    """
    for kept in store.models(pipeline=watch.name, in_use=True):
        said = kept.card
        if kept.detector == name_of(detector) and _holds(watch, detector, kept, store):
            return Card(
                name=said["name"],
                detector=said["detector"],
                pipeline=said["pipeline"],
                id=kept.id,
                samples=said["samples"],
                trained=said["trained"],
                seconds=said["seconds"],
                first=said["first"],
                last=said["last"],
                features=tuple(said["features"]),
            )
    return None


def _holds(watch: Watch, detector: Detector, model: Model, store: Store) -> bool:
    try:
        _, wanted = store.load_model(model.id)
    except StateError as exc:
        log.warning("%s; fitted anew as soon as there are samples enough", exc)
        return False
    own = watch.states.get(model.detector, {})
    return all(
        name in own and name in wanted and _same(own[name], wanted[name])
        for name in detector.shared
    )


def _same(a: Array, b: Array) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def retrain(trainee: Trainee, samples: int, store: Store, world: World) -> Card:
    """Fit on the last `samples` ticks, and put it to use at the next tick.

    Equal requests at the same time share one run. Raises ConfigError for too few samples,
    Unreachable while another training of this model runs, StateError if fitting failed: that
    alone counts as a failure of the model, and is shown.
    """
    if not LEAST <= samples <= MOST:
        raise ConfigError(f"n_samples: {samples} is not between {LEAST} and {MOST}")
    with trainee.lock:
        if trainee.running is not None and trainee.running[0] != samples:
            raise Unreachable(f"{trainee.type} is being trained just now; ask again", after=5.0)
        shared = trainee.running[1] if trainee.running else None
        if shared is None:
            mine: Future[Card] = Future()
            trainee.running = (samples, mine)
    if shared is not None:
        return shared.result()
    try:
        card = _train(trainee, samples, store, world)
    except BaseException as exc:
        with trainee.lock:
            trainee.running, trainee.tried = None, world.now()
            if not isinstance(exc, ConfigError | Unreachable):
                trainee.failed = str(exc) if isinstance(exc, Error) else repr(exc)
        mine.set_exception(exc)
        raise
    with trainee.lock:
        trainee.card, trainee.known, trainee.failed = card, True, ""
        trainee.tried = trainee.running = None
    mine.set_result(card)
    return card


def _train(trainee: Trainee, samples: int, store: Store, world: World) -> Card:
    watch, detector = trainee.watch, trainee.detector
    history = past(watch, store, samples, world)
    if len(history.time) < samples:
        raise ConfigError(
            f"{len(history.time)} samples are recorded so far; {samples} were asked for"
        )
    began = world.monotonic()
    together = view(history, watch.pipeline.by)
    # the forest and the weights of before are no use to the new ones
    fitted = fit_apart(detector, {}, together, trainee.stop)
    seconds = (world.monotonic() - began) / 1e9
    card = Card(
        name=trainee.type,
        detector=name_of(detector),
        pipeline=watch.name,
        id="",
        samples=samples,
        trained=world.now(),
        seconds=round(seconds, 3),
        first=int(history.time[0]),
        last=int(history.time[-1]),
        features=together.features,
    )
    said = {name: getattr(card, name) for name in card.__slots__ if name != "id"}
    shared = {c: fitted[name_of(detector)][c] for c in detector.shared}
    card = replace(card, id=store.save_model(said, shared))
    watch.fitted.append(Fitted(name_of(detector), together.keys, fitted))
    log.info("model %s: fitted on %d samples in %.1f s", trainee.type, samples, seconds)
    return card


def past(watch: Watch, store: Store, ticks: int, world: World) -> Frame:
    """The last ticks of all series (T, S, 1), from memory and, if that is too short, the store."""
    recent = watch.recent.frame(ticks)
    if len(recent.time) >= ticks or not len(recent.keys):
        return recent
    every, missing = watch.pipeline.source.every, ticks - len(recent.time)
    end = int(recent.time.min()) - 1 if len(recent.time) else world.now()
    for reach in REACH:
        older = store.past(recent.keys, end - reach * ticks * every, end)
        if len(older.time) >= missing:
            break
    time = np.concatenate([older.time, recent.time])
    values = np.concatenate([older.values, recent.values])
    last = np.argsort(time, kind="stable")[-ticks:]
    return Frame(time[last], recent.keys, ("value",), values[last])


def recorded(watch: Watch) -> int:
    """Samples that the series with the most of them has been seen."""
    looked = watch.seen
    return int(looked.outcome.seen.max(initial=0)) if looked else 0


def wanted(trainee: Trainee, every: int | None, now: int, recorded: int) -> int | None:
    """How many samples to fit on now, by itself; None if there is no reason to."""
    if trainee.running is not None or not trainee.known:
        return None
    if trainee.tried is not None and 0 <= now - trainee.tried < LATER:
        return None
    had = trainee.card.samples if trainee.card else 0
    step = next((n for n in reversed(FIRST) if n <= recorded), 0)
    if step > had and (trainee.card is None or trainee.card.samples in FIRST):
        return step
    if every is not None and trainee.card and now - trainee.card.trained >= every:
        return min(recorded, MOST)
    return None


def model_of(trainee: Trainee, recorded: int) -> ModelNow:
    """How a model is doing."""
    card, name = trainee.card, trainee.watch.name
    if trainee.running is not None:
        reason = f"on {trainee.running[0]} samples"
        return ModelNow(trainee.type, name, "training", reason, card.id if card else "")
    if card is None:
        if trainee.failed:
            return ModelNow(trainee.type, name, "failed", trainee.failed)
        if not trainee.known:
            return ModelNow(trainee.type, name, "waiting", "looked for in the memory")
        return ModelNow(trainee.type, name, "waiting", f"{recorded} of {FIRST[0]} samples")
    reason = f"the last training failed: {trainee.failed}" if trainee.failed else ""
    return ModelNow(
        trainee.type, name, "in use", reason, card.id, card.trained, card.samples, card.seconds
    )
