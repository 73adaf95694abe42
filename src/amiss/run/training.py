"""Models while serving: fitted once there is enough, on schedule or when asked, one at a time."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import numpy as np

from amiss import memory
from amiss.component import Detector
from amiss.data import MINUTE, Array, Frame
from amiss.errors import ConfigError, Error, StateError, Unreachable
from amiss.fitting import trained
from amiss.model import Card, card_of, content, difference
from amiss.run.carded import carded
from amiss.run.fit import Stage, fit_apart
from amiss.run.labels import to_learn
from amiss.run.now import ModelNow
from amiss.run.watched import Fitted, Watch
from amiss.steps.judge import name_of
from amiss.steps.systems import view
from amiss.store import Store
from amiss.store.models import Model
from amiss.world import World

log = logging.getLogger(__name__)

LEAST = 50  # samples below which a model is not worth having
MOST = 20_000
LATER = 10 * MINUTE  # after a training that did not work none is begun by itself
REACH = (1, 8)  # times as far back as the samples would reach: there may have been pauses
FIRST = (100, 720, 8640)  # samples at which a model is fitted by itself: it knew so little before


@dataclass(slots=True)
class Trainee:
    """A detector that can be fitted, and how far that is."""

    watch: Watch
    detector: Detector
    card: Card | None = None
    known: bool = False  # whether the card has been looked up: not before the memory is there
    running: tuple[int, "Future[Card]", str] | None = None  # samples asked for, the answer, why
    stage: tuple[Stage, int] | None = None  # what the training is at, and since when (ns)
    failed: str = ""
    challenger: str = ""  # the id of one that was fitted beside it and waits for a person
    refused: str = ""  # the id of a model that was put in use but does not fit
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
        for detector in trained(watch.pipeline.detectors):
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
        if kept.detector == name_of(detector) and _holds(watch, detector, kept, store):
            return card_of(kept.card, kept.id)
    return None


def _holds(watch: Watch, detector: Detector, model: Model, store: Store) -> bool:
    try:
        wanted = store.load_model(model.id)[1].get(model.detector, {})
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


def follow(trainee: Trainee, store: Store) -> bool:
    """Take the model that was put in use in the store by others, such as `amiss models promote`;
    says whether there was one. One that does not fit is said of the model, and left.
    """
    if trainee.running is not None or not trainee.known:
        return False
    own, kinds = trainee.card, store.models(pipeline=trainee.watch.name, in_use=True)
    wanted = next((m for m in kinds if m.detector == name_of(trainee.detector)), None)
    if wanted is None or wanted.id in (own.id if own else "", trainee.refused):
        return False
    try:
        card, states = card_of(wanted.card, wanted.id), store.load_model(wanted.id)[1]
        if differs := other_features(trainee.watch, card):
            raise StateError(f"model {card.id} was fitted on other metrics: {differs}")
    except StateError as exc:
        trainee.failed, trainee.refused = str(exc), wanted.id
        log.warning("model %s: %s", trainee.type, exc)
        return True
    with trainee.lock:
        trainee.watch.fitted.append(Fitted(card.detector, card.systems, states))
        trainee.card, trainee.failed, trainee.refused, trainee.challenger = card, "", "", ""
    log.info("model %s: %s is in use", trainee.type, card.id)
    return True


def other_features(watch: Watch, card: Card) -> str:
    """What a model knows that is not watched, and the other way round, if it could not serve."""
    if watch.seen is None:
        return ""
    there = view(watch.seen.outcome.frame[:0], watch.pipeline.by).features
    return "" if set(card.features) & set(there) else difference(card.features, there)


def retrain(
    trainee: Trainee,
    samples: int,
    store: Store,
    world: World,
    why: str = "",
    *,
    by_itself: bool = False,
) -> Card:
    """Fit on the last `samples` ticks, and put it to use at the next tick; a challenger, of which
    it is said `why` it was fitted, is only kept. `by_itself` on fewer, if no more are kept.

    Equal requests at the same time share one run. Raises ConfigError for too few samples,
    Unreachable while another training of this model runs, StateError if fitting failed: that
    alone counts as a failure of the model, and is shown.
    """
    if not LEAST <= samples <= MOST:
        raise ConfigError(f"n_samples: {samples} is not between {LEAST} and {MOST}")
    with trainee.lock:
        if trainee.running is not None and trainee.running[::2] != (samples, why):
            raise Unreachable(f"{trainee.type} is being trained just now; ask again", after=5.0)
        shared = trainee.running[1] if trainee.running else None
        if shared is None:
            mine: Future[Card] = Future()
            trainee.running = (samples, mine, why)
    if shared is not None:
        return shared.result()
    try:
        card = _train(trainee, samples, store, world, why, LEAST if by_itself else samples)
    except BaseException as exc:
        with trainee.lock:
            trainee.running, trainee.stage, trainee.tried = None, None, world.now()
            if not isinstance(exc, ConfigError | Unreachable):
                trainee.failed = str(exc) if isinstance(exc, Error) else repr(exc)
        mine.set_exception(exc)
        raise
    with trainee.lock:
        trainee.card, trainee.known = (trainee.card or card) if why else card, True
        trainee.failed, trainee.challenger = "", card.id if card.id != trainee.card.id else ""
        trainee.tried = trainee.running = trainee.stage = None
    mine.set_result(card)
    return card


def _train(
    trainee: Trainee, samples: int, store: Store, world: World, why: str, least: int
) -> Card:
    watch, detector = trainee.watch, trainee.detector
    history = past(watch, store, samples, world)
    there = len(history.time)
    if there < least:
        raise ConfigError(f"{there} samples are recorded so far; {samples} were asked for")

    def at(stage: Stage) -> None:
        trainee.stage = (stage, world.now())

    began = world.monotonic()
    known = view(history, watch.pipeline.by)
    together, seen, left_out = to_learn(detector, known, store, watch.name)
    # the forest and the weights of before are no use to the new ones
    found = fit_apart(detector, {}, seen, trainee.stop, validating=True, tell=at)
    seconds = (world.monotonic() - began) / 1e9
    card = carded(detector, watch.name, together, found, left_out)
    card = replace(card, samples=there, trained=world.now(), seconds=round(seconds, 3))
    told: dict[str, object] = {} if there == samples else {"asked": samples}
    own = trainee.card if why else None
    if own and content(watch.name, own.detector, memory.dump(found.states)) == own.id:
        log.info("model %s: a challenger would be %s itself: %s", trainee.type, own.id, why)
        _note(store, own, card.trained)
        return own
    told |= {"why": why, "against": own.id} if own else {}
    card = replace(card, figures=card.figures | told)
    card = replace(card, id=store.save_model(card.said(), found.states, in_use=own is None))
    if own:
        log.warning("model %s: challenger %s was fitted: %s", trainee.type, card.id, why)
        _note(store, own, card.trained)
        return card
    watch.fitted.append(Fitted(name_of(detector), together.keys, found.states))
    log.info("model %s: fitted on %d samples in %.1f s", trainee.type, there, seconds)
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


def noted(card: Card) -> str:
    """The name by which the store keeps what was looked at and told of a model in use."""
    return f"drift/{card.pipeline}/{card.detector}"


def _note(store: Store, card: Card, now: int) -> None:
    """That a model in use had its challenger outlives the challenger."""
    name = noted(card)
    store.set_meta(name, store.get_meta(name, {}) | {"told": card.id, "at": now})


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
    had = trainee.card.figures.get("asked", trainee.card.samples) if trainee.card else 0
    step = next((n for n in reversed(FIRST) if n <= recorded), 0)
    if step > had and (trainee.card is None or had in FIRST):
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
    if trainee.challenger and not reason:
        reason = f"challenger {trainee.challenger} waits: compare it, and put it to use if better"
    return ModelNow(
        trainee.type, name, "in use", reason, card.id, card.trained, card.samples, card.seconds
    )
