"""Train a pipeline's models on what was recorded, beside a program that may run."""

from collections import deque
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
from amiss.run.commits import NOTHING
from amiss.run.fit import Tell, fit_apart
from amiss.run.training import LEAST, carded
from amiss.store import Store
from amiss.systems import view
from amiss.world import World

MOST_BYTES = 2**29  # of history held; the oldest ticks go first


@dataclass(frozen=True, slots=True)
class Past:
    """What a pipeline's models can learn from."""

    frame: Frame  # metrics (T, systems, F)
    dropped: int  # ticks that there was no room for, the oldest


def past(
    pipeline: Pipeline, batches: Iterable[Records], tell: Callable[[int], None] = lambda _: None
) -> Past:
    """Records of the past, by time -> metrics of systems; `tell` hears of times (ns).

    Memory: half a gigabyte of numbers at most. Raises ConfigError if there are too few ticks.
    """
    state, held, size, dropped, last = pipeline.features.init(), deque[Frame](), 0, 0, 0

    def hold(records: Records) -> None:
        nonlocal state, size, dropped
        state, frame = pipeline.features.step(state, records)
        held.append(frame)
        size += frame.values.nbytes
        while size > MOST_BYTES and len(held) > 1:
            gone = held.popleft()
            size, dropped = size - gone.values.nbytes, dropped + len(gone.time)

    for records in batches:
        hold(records)
        last = int(records.time.max(initial=last))
        tell(last)
    # nothing more is to come, so the tick that the last record lies in is complete
    hold(replace(NOTHING, watermark=last + pipeline.every))
    keys = tuple(dict.fromkeys(key for frame in held for key in frame.keys))
    time = np.concatenate([frame.time for frame in held])
    if len(time) < LEAST:
        raise ConfigError(f"{len(time)} samples are too few to train on; {LEAST} are needed")
    values = np.concatenate([align(frame, keys).values for frame in held])
    return Past(view(Frame(time, keys, ("value",), values), pipeline.by), dropped)


def learn(
    pipeline: Pipeline,
    detector: Detector,
    history: Frame,
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
    together, left_out = spared(history, spans, detector.labelled)
    found = fit_apart(detector, {}, together, validating=True, tell=tell)
    seconds = round((world.monotonic() - began) / 1e9, 3)
    card = carded(detector, pipeline.name, together, found, left_out)
    card = replace(card, trained=world.now(), seconds=seconds)
    return replace(card, id=store.save_model(card.said(), found.states, in_use))
