"""Train a pipeline's models on what was recorded, beside a program that may run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from amiss.component import Detector
from amiss.data import Frame, Records
from amiss.errors import ConfigError
from amiss.fitting import Span, spared
from amiss.memory import align
from amiss.model import Card
from amiss.pipeline import Pipeline
from amiss.run.carded import carded
from amiss.run.commits import NOTHING
from amiss.run.fit import Tell, fit_apart
from amiss.run.labels import labelled
from amiss.run.training import LEAST
from amiss.steps.systems import view
from amiss.store import Store
from amiss.world import World

MOST_BYTES = 2**27  # of history held; several times that while it is prepared and fitted on
STRETCH = 4096  # ticks that stay together: many windows of a network, hours of most sources
THINNED = "to bound memory"


@dataclass(frozen=True, slots=True)
class Past:
    """What a pipeline's models can learn from."""

    frame: Frame  # metrics (T, systems, F)
    dropped: int  # ticks that there was no room for


def past(
    pipeline: Pipeline, batches: Iterable[Records], tell: Callable[[int], None] = lambda _: None
) -> Past:
    """Records of the past, by time -> metrics of systems; `tell` hears of times (ns).

    Memory: 128 MB of numbers at most, a column for each series that ever was. Of more, stretches of
    some thousand ticks are left out, every other one, then three of four and so on: what is left is
    spread over all of the time, and the newest is in it. Raises ConfigError if there are too few
    ticks.
    """
    state, held, last = pipeline.features.init(), _Thinned(), 0

    def hold(records: Records) -> None:
        nonlocal state
        state, frame = pipeline.features.step(state, records)
        held.add(frame)

    for records in batches:
        hold(records)
        last = int(records.time.max(initial=last))
        tell(last)
    # nothing more is to come, so the tick that the last record lies in is complete
    hold(replace(NOTHING, watermark=last + pipeline.every))
    kept = held.frames()
    keys = tuple(dict.fromkeys(key for frame in kept for key in frame.keys))
    if (there := _ticks(kept)) < LEAST:
        raise ConfigError(f"{there} samples are too few to train on; {LEAST} are needed")
    time = np.concatenate([frame.time for frame in kept])
    values = np.concatenate([align(frame, keys).values for frame in kept])
    return Past(view(Frame(time, keys, ("value",), values), pipeline.by), held.dropped)


class _Thinned:
    """Frames in stretches, of which one in `apart` is kept; twice that whenever there are too many.

    Which are kept depends on their number alone: no chance, and the same however they came.
    """

    def __init__(self) -> None:
        self.stretches = dict[int, list[Frame]]()
        self.newest, self.count, self.apart, self.dropped = list[Frame](), 0, 1, 0
        self.keys = set[str]()  # of all frames: what is kept is laid out as wide as that

    def add(self, frame: Frame) -> None:
        """At the end."""
        before = len(self.keys)
        self.keys.update(frame.keys)
        if len(self.keys) > before:
            self._thin()
        full = min(STRETCH, max(self._room() // 8, LEAST))
        while len(frame.time):
            part = frame[: max(full - _ticks(self.newest), 0)]
            self.newest.append(  # a view would hold all of the batch
                replace(part, time=part.time.copy(), values=part.values.copy())
            )
            frame = frame[len(part.time) :]
            if _ticks(self.newest) >= full:
                self.stretches[self.count] = self.newest
                self.newest, self.count = [], self.count + 1
                self._thin()

    def _room(self) -> int:
        """Ticks of all series that there is room for."""
        return max(MOST_BYTES // (8 * max(len(self.keys), 1)), LEAST)

    def _thin(self) -> None:
        while self.stretches:
            for number in [n for n in self.stretches if n % self.apart]:
                self.dropped += _ticks(self.stretches.pop(number))
            held = sum(map(_ticks, self.stretches.values()))
            if held <= self._room():
                return
            if len(self.stretches) == 1:  # of fewer series, before there were so many
                (number,) = self.stretches
                self.stretches[number] = _last(self.stretches[number], self._room())
                self.dropped += held - self._room()
                return
            self.apart *= 2

    def frames(self) -> list[Frame]:
        """All that is kept, in order of time."""
        return [frame for some in (*self.stretches.values(), self.newest) for frame in some]


def _ticks(frames: list[Frame]) -> int:
    return sum(len(frame.time) for frame in frames)


def _last(frames: list[Frame], ticks: int) -> list[Frame]:
    """The newest of them, so many ticks in all."""
    kept = list[Frame]()
    for frame in reversed(frames):
        part = frame[max(len(frame.time) - ticks, 0) :]
        kept.insert(0, replace(part, time=part.time.copy(), values=part.values.copy()))
        ticks -= len(part.time)
    return kept


def learn(
    pipeline: Pipeline,
    detector: Detector,
    history: Past,
    spans: Iterable[Span],
    store: Store,
    world: World,
    tell: Tell,
    in_use: bool = True,
) -> Card:
    """Fit one detector, validate it, and keep the model; a program that runs takes it from there.

    Raises StateError if fitting failed: nothing is kept then.
    """
    began = world.monotonic()
    together, left_out = spared(history.frame, spans, detector.labelled)
    if history.dropped:
        left_out[THINNED] = history.dropped
    seen = labelled(detector, together, store, pipeline.name)
    found = fit_apart(detector, {}, seen, validating=True, tell=tell)
    seconds = round((world.monotonic() - began) / 1e9, 3)
    card = carded(detector, pipeline.name, together, found, left_out)
    card = replace(card, trained=world.now(), seconds=seconds)
    return replace(card, id=store.save_model(card.said(), found.states, in_use))
