"""What a model would have said since it was fitted: it steps through all that was recorded.

A replay is to the bit what live would have said, so this is a model in the shadow of the one in
use, and costs nothing before somebody asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

import numpy as np
from pydantic import TypeAdapter, ValidationError

from amiss.component import AnyOf, Detector
from amiss.data import Floats, Frame, Times, parse_key, series_key
from amiss.errors import ConfigError, StateError
from amiss.fitting import errors
from amiss.model import Card, card_of, difference
from amiss.steps.judge import States, judge_jointly, name_of
from amiss.steps.systems import view
from amiss.store import Store

MOST = 50_000  # ticks
STEP = 4096  # ticks judged at once


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a model said of each moment."""

    card: Card
    time: Times  # (T,)
    nats: Floats  # (T, systems); NaN where it has no opinion
    error: Mapping[str, float | None] = field(default_factory=dict)  # of a forecast, by metric
    naive: Mapping[str, float | None] = field(default_factory=dict)  # of the value before
    label: Floats | None = None  # (T, systems), above 0 where a person called it suspicious


def shadow(store: Store, model: str, until: int) -> Shadow:
    """A model over what was recorded since it was fitted, up to a time (ns).

    Raises ConfigError if there is no such model, StateError if it is damaged or of before.
    """
    kept, _ = store.load_model(model)
    card = card_of(kept.card, kept.id)
    return _step(store, card, recorded_since(store, card, card.last, until))


def shadow_on(store: Store, model: str, frame: Frame, label: str = "") -> Shadow:
    """A model over metrics of systems (T, S, F), one of which may be a label that it is not shown.

    A lone system is the one that a model of a lone one knows, whatever it is called. Raises
    ConfigError if there is no such model, or if it knows none of these systems or metrics.
    """
    kept, _ = store.load_model(model)
    card = card_of(kept.card, kept.id)
    if len(frame.keys) == len(card.systems) == 1:
        frame = replace(frame, keys=card.systems)
    for what, known, there in (
        ("metrics", card.features, [name for name in frame.features if name != label]),
        ("systems", card.systems, frame.keys),
    ):
        if not set(known) & set(there):
            raise ConfigError(
                f"model {card.id} was fitted on other {what}: {difference(known, there)}"
            )
    order = [frame.keys.index(one) for one in card.systems if one in frame.keys]
    rows = [i for i, one in enumerate(card.systems) if one in frame.keys]
    columns = [f for f, name in enumerate(frame.features) if name != label]
    values = np.full((len(frame.time), len(card.systems), len(columns)), np.nan)
    values[:, rows] = frame.values[:, order][:, :, columns]
    names = tuple(frame.features[f] for f in columns)
    said = None
    if label in frame.features:
        said = np.full(values.shape[:2], np.nan)
        said[:, rows] = frame.column(label)[:, order]
    found = _step(store, card, Frame(frame.time, card.systems, names, values))
    return replace(found, label=said)


def _step(store: Store, card: Card, frame: Frame) -> Shadow:
    states, detector = store.load_model(card.id)[1], detector_of(card)
    nats = np.full((len(frame.time), len(card.systems)), np.nan)
    expected = None
    for at in range(0, len(frame.time), STEP):
        states, raw, said, _ = judge_jointly(detector, states, frame[at : at + STEP])
        nats[at : at + STEP] = said.values
        if raw.expected is not None:
            expected = np.full(frame.values.shape, np.nan) if expected is None else expected
            expected[at : at + STEP] = raw.expected
    error, naive = ({}, {}) if expected is None else errors(frame, expected)
    return Shadow(card, frame.time, nats, error, naive)


def recorded_since(store: Store, card: Card, after: int, until: int) -> Frame:
    """What a model reads of what was recorded after a time and up to another (ns)."""
    keys, by = _keys(card)
    frame = store.past(keys, after + 1, until)
    frame = view(frame[max(len(frame.time) - MOST, 0) :], by)
    if frame.keys == card.systems:  # the rows of the state are those of the card
        return frame
    order = [frame.keys.index(system) for system in card.systems]
    return Frame(frame.time, card.systems, frame.features, frame.values[:, order])


def detector_of(card: Card) -> Detector:
    """The detector that a model is of, with its settings. Raises StateError if it is not known."""
    adapter: TypeAdapter[Detector] = TypeAdapter(Annotated[Detector, AnyOf("amiss.detectors")])
    try:
        return adapter.validate_python(card.figures["settings"], context={"without_files": True})
    except (KeyError, ValidationError):
        raise StateError(
            f"model {card.id} is of a detector that this version does not have; train it again"
        ) from None


def check(card: Card, states: States) -> None:
    """Raises StateError if what a model holds does not fit what its card says that it is.

    Its settings are those of the detector that it is named after, its arrays have the kind and the
    columns of that detector, and it can judge the systems and metrics that it was fitted on.
    """
    detector = detector_of(card)
    if name_of(detector) != card.detector:
        raise StateError(f"model {card.id}: its settings are not those that it was fitted with")
    wanted = detector.init(len(card.systems), len(card.features))
    own = states.get(card.detector, {})
    bent = [
        name
        for name in sorted({*own, *wanted})
        if name not in own
        or name not in wanted
        or (own[name].ndim, own[name].dtype.kind) != (wanted[name].ndim, wanted[name].dtype.kind)
        or (name not in detector.shared and len(own[name]) != len(card.systems))
    ]
    if bent:
        raise StateError(f"model {card.id}: its arrays {', '.join(bent)} are not those of a model")
    shape = (2, len(card.systems), len(card.features))
    frame = Frame(card.last + np.arange(2), card.systems, card.features, np.zeros(shape))
    copied = {name: {c: a.copy() for c, a in state.items()} for name, state in states.items()}
    try:
        judge_jointly(detector, copied, frame)
    except Exception as exc:  # whatever arrays that do not fit each other make numpy raise
        raise StateError(f"model {card.id} cannot be used: {exc}") from None


def _keys(card: Card) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The series that a model reads, and the labels that name a system."""
    systems = [parse_key(f"x{{{system}}}")[1] for system in card.systems]
    by = tuple(dict.fromkeys(label for labels in systems for label in labels))
    keys = []
    for system in systems:
        for feature in card.features:
            name, labels = parse_key(feature)
            keys.append(series_key(name, {**labels, **system}))
    return tuple(keys), by
