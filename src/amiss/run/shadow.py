"""What a model would have said since it was fitted: it steps through all that was recorded.

A replay is to the bit what live would have said, so this is a model in the shadow of the one in
use, and costs nothing before somebody asks.
"""

from dataclasses import dataclass
from math import log
from typing import Annotated

import numpy as np
from pydantic import TypeAdapter, ValidationError

from amiss.component import AnyOf, Detector
from amiss.data import DAY, Array, Floats, Frame, Times, parse_key, series_key
from amiss.errors import ConfigError, StateError
from amiss.judge import judge_jointly
from amiss.model import Card, card_of
from amiss.store import Store
from amiss.systems import view

TOLD = log(1000.0)  # nats from which on a moment counts as told of: p <= .001
MOST = 50_000  # ticks
STEP = 4096  # ticks judged at once


@dataclass(frozen=True, slots=True)
class Shadow:
    """What a model said of each moment."""

    card: Card
    time: Times  # (T,)
    nats: Floats  # (T, systems); NaN where it has no opinion


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same moments, which neither was fitted on."""

    samples: int
    first: int  # ns
    last: int
    told: tuple[int, int]  # moments with p <= .001, by each
    both: int  # by both of them
    agreement: float  # rank correlation of their scores, -1 to 1; NaN if too few
    apart: tuple[tuple[int, float, float], ...]  # moments they differ most on: ns, nats, nats


def shadow(store: Store, model: str, until: int) -> Shadow:
    """A model over what was recorded since it was fitted, up to a time (ns).

    Raises ConfigError if there is no such model, StateError if it is damaged or of before.
    """
    kept, states = store.load_model(model)
    card = card_of(kept.card, kept.id)
    detector = detector_of(card)
    frame = recorded_since(store, card, card.last, until)
    nats = np.full((len(frame.time), len(card.systems)), np.nan)
    for at in range(0, len(frame.time), STEP):
        states, _, said, _ = judge_jointly(detector, states, frame[at : at + STEP])
        nats[at : at + STEP] = said.values
    return Shadow(card, frame.time, nats)


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


def compare(one: Shadow, other: Shadow) -> Comparison:
    """Two models of the same systems on the moments that both have an opinion on.

    Raises ConfigError if there is no such moment.
    """
    time, at, also = np.intersect1d(one.time, other.time, return_indices=True)
    shared = [s for s in one.card.systems if s in other.card.systems]
    a = one.nats[at][:, [one.card.systems.index(s) for s in shared]]
    b = other.nats[also][:, [other.card.systems.index(s) for s in shared]]
    known = np.isfinite(a) & np.isfinite(b)
    if not known.any():
        raise ConfigError(
            f"nothing was recorded since {one.card.id} and {other.card.id} were fitted that "
            "both have an opinion on; compare them later"
        )
    when = np.broadcast_to(time[:, None], known.shape)[known]
    a, b = a[known], b[known]
    most = np.argsort(-np.abs(a - b), kind="stable")[:5]
    return Comparison(
        samples=len(a),
        first=int(when.min()),
        last=int(when.max()),
        told=(int((a >= TOLD).sum()), int((b >= TOLD).sum())),
        both=int(((a >= TOLD) & (b >= TOLD)).sum()),
        agreement=_rank_correlation(a, b),
        apart=tuple((int(when[i]), float(a[i]), float(b[i])) for i in most),
    )


def rate(told: int, comparison: Comparison) -> float:
    """Moments told of a day."""
    return told / max((comparison.last - comparison.first) / DAY, 1e-9)


def _rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's, equal values sharing their mean rank; NaN if one of them never changes."""
    x, y = _ranks(a), _ranks(b)
    if len(a) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _ranks(x: Floats) -> Array:
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    mean: Array = (ends - (count - 1) / 2.0)[place]
    return mean


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
