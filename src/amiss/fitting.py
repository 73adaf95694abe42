"""Fit a detector on history, and say how it does on what came after.

For the figures the history is cut once, by time: fitted on the first four fifths, judged on the
last. They say how much to believe of the model that is then fitted on all of it.

    told      share of samples with p <= .01 and with p <= .001: .01 and .001 if all is well
    error     root of the mean squared error of what was expected, by feature
    naive     the same of expecting the last value again; NaN where it is not one tick away
    strange   the median and the 99th percentile of raw scores, of the past and of the rest
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, log

import numpy as np

from amiss.component import Detector
from amiss.data import Floats, Frame
from amiss.errors import StateError
from amiss.model import NAMED, Figures
from amiss.steps.judge import States, judge_jointly, name_of

EARLY = 0.8  # share of the history that is fitted on
LEAST = 20  # ticks on either side, below which there is no validation
ASKED = (0.01, 0.001)
INCIDENTS = "during incidents"


@dataclass(frozen=True, slots=True)
class Span:
    """What is not to be learned from: a time (ns, both ends included) of a system, "" for all."""

    start: int
    end: int
    why: str
    system: str = ""


def trained(detectors: Iterable[Detector]) -> list[Detector]:
    """Those that judge whole systems and have anything to fit."""
    return [detector for detector in detectors if detector.joint and detector.fits()]


def fit(detector: Detector, states: States, history: Frame) -> States:
    """What it learns of history (T, S, F). Raises StateError if nothing could be learned."""
    return fit_with_loss(detector, states, history)[0]


def fit_with_loss(
    detector: Detector, states: States, history: Frame
) -> tuple[States, dict[str, list[float | None]]]:
    """The same, and how training went: {} for what is not trained in steps.

    Nothing of the rows of history is kept, as they are of the past.
    """
    name = name_of(detector)
    init = detector.init(len(history.keys), len(history.features))
    fitted = detector.fit(states.get(name) or init, history)
    if all(fitted[column].tobytes() == init[column].tobytes() for column in detector.shared):
        gone = [one for one in getattr(detector, "targets", ()) if one not in history.features]
        which = f": there is no {', '.join(gone)}, but {_some(history.features)}" if gone else ""
        raise StateError(
            f"nothing to learn from: in {len(history.time)} samples too few of the metrics that "
            f"{detector.type} needs were there{which}"  # type: ignore[attr-defined]
        )
    kept = {c: fitted[c] if c in detector.shared else init[c] for c in init}
    curve = fitted.get("loss", np.zeros((3, 0)))
    if not curve.size:
        return {name: kept}, {}
    rows = zip(("epochs", "training", "validation"), curve, strict=True)
    return {name: kept}, {row: [_number(x) for x in said] for row, said in rows}


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def spared(
    history: Frame, spans: Iterable[Span], labelled: bool = False
) -> tuple[Frame, dict[str, int]]:
    """History without what lies in these spans, which is NaN then, and ticks left out by reason.

    Who learns from labels is not spared incidents: they are what it is to know.
    """
    values, counts = history.values.copy(), Counter[str]()
    for span in spans:
        if labelled and span.why == INCIDENTS:
            continue
        within = (history.time >= span.start) & (history.time <= span.end)
        systems = np.array([span.system in ("", key) for key in history.keys])
        rows = np.ix_(within, systems)
        counts[span.why] += int(np.isfinite(values[rows]).any(axis=(1, 2)).sum())
        values[rows] = np.nan
    return Frame(history.time, history.keys, history.features, values), +counts


def validate(detector: Detector, history: Frame) -> Figures:
    """The figures; empty where there is too little history. Cost: a fit on four fifths of it."""
    cut = int(EARLY * len(history.time))
    if min(cut, len(history.time) - cut) < LEAST:
        return {}
    early, late = history[:cut], history[cut:]
    try:
        learned = fit(detector, {}, early)
    except StateError:
        return {}
    states, past, *_ = judge_jointly(detector, learned, early)
    states, raw, after, _ = judge_jointly(detector, states, late)
    nats = after.values
    judged = np.isfinite(nats)
    if not judged.any():
        return {}
    told = {str(a): float(np.mean(nats[judged] >= -log(a))) for a in ASKED}
    figures: Figures = {
        "from": int(late.time[0]),
        "samples": int(judged.sum()),
        "told": told,
        "strange": {"past": _spread(past.values), "rest": _spread(raw.values)},
    }
    if raw.expected is not None:
        figures["error"], figures["naive"] = errors(late, raw.expected)
    return figures


def _spread(raw: Floats) -> list[float | None]:
    there = raw[np.isfinite(raw)]
    return [_number(np.quantile(there, q)) for q in (0.5, 0.99)] if len(there) else [None, None]


def errors(
    frame: Frame, expected: Floats
) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Root of the mean squared error by feature: of the forecast (T, S, F), and of the last value.

    Without those that were never forecast.
    """
    own, naive = {}, {}
    for f, name in enumerate(frame.features):
        value, forecast = frame.values[1:, :, f], expected[1:, :, f]
        before = frame.values[:-1, :, f]
        both = np.isfinite(value) & np.isfinite(forecast) & np.isfinite(before)
        if both.any():
            own[name] = _number(np.sqrt(np.mean((value - forecast)[both] ** 2)))
            naive[name] = _number(np.sqrt(np.mean((value - before)[both] ** 2)))
    return own, naive


def _number(x: float) -> float | None:
    """As JSON can hold it."""
    return float(x) if isfinite(x) else None
