"""Rules about fields of single records: mean of status over 5 minutes, by system. Pure.

A field of a system is a series whose samples come when they come. Where a rule holds, it is told
at the first record of each minute, of the field and not of that record's subject.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from amiss.component import Detector
from amiss.data import MINUTE, Array, Floats, Frame, State, parse_key, series_key
from amiss.decide.finding import Finding
from amiss.decide.judged import LEAST
from amiss.memory import grow
from amiss.steps.judge import States, name_of
from amiss.steps.singles import labelled, records_of, said_of
from amiss.steps.strange import Strange

MOST = 1000  # fields of systems that a rule is about; later ones are left out
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Held:
    """Where a rule holds, of which field."""

    t: int  # the record
    key: str
    found: Finding


def judge_fields(
    detectors: Sequence[Detector], states: States, frame: Frame, by: tuple[str, ...]
) -> tuple[States, list[Held]]:
    """What rules say of the fields of records (T, 1, F) that are numbers, in order; learn.

    Cost: that of the rule for each record and field that it is about.
    """
    states, held = dict(states), list[Held]()
    numbers = [name for name in frame.features if name not in frame.categories]
    if not len(frame.time) or not numbers or not any(one.rule for one in detectors):
        return states, held
    systems = labelled(records_of(frame), by)
    whose = dict.fromkeys(systems.tolist())
    keys = {
        series_key(name, parse_key(f"x{{{system}}}")[1]): (name, system)
        for system in whose
        for name in numbers
    }
    for detector in detectors:
        if detector.rule is None:
            continue
        name, asked = f"{name_of(detector)}.each", tuple(keys)
        for key in (asked[s] for s in detector.chosen(asked)):
            field, system = keys[key]
            rows = np.flatnonzero(systems == system)
            states[name], some = _judge(detector, states.get(name, {}), frame, rows, field, key)
            held += some
    return states, sorted(held, key=lambda one: (one.t, one.key))


def _judge(
    detector: Detector, state: State, frame: Frame, rows: Array, field: str, key: str
) -> tuple[State, list[Held]]:
    known = state.get("keys", np.zeros(0, "U1"))
    if key not in known and len(known) >= MOST:
        return state, []
    if key not in known:
        known = np.append(known, key)
    own = {name: column for name, column in state.items() if name not in ("keys", "told")}
    own = grow(own, partial(_init, detector), len(known))
    told = np.append(state.get("told", np.zeros(0, np.int64)), NEVER)[: len(known)]
    s = int(np.flatnonzero(known == key)[0])
    view = _view(detector, frame, rows, field, key)
    part, scores = detector.step({name: column[s : s + 1].copy() for name, column in own.items()},
                                 view)  # fmt: skip
    for name, column in part.items():
        own[name][s : s + 1] = column
    held, (title, severity) = list[Held](), detector.rule or ("", "low")
    for i in np.flatnonzero(scores.values[:, 0] > 0).tolist():
        if view.time[i] // MINUTE > told[s]:
            told[s] = view.time[i] // MINUTE
            why, t = detector.tell(view, scores, i, 0), int(rows[i])
            found = Finding(why, (title,), severity, said_of(records_of(frame), t))
            held.append(Held(t, key, found))
    return {"keys": known, "told": told, **own}, held


def _init(detector: Detector, series: int) -> State:
    return detector.init(series, len(detector.needs))


def _view(detector: Detector, frame: Frame, rows: Array, field: str, key: str) -> Frame:
    """The records of one system as samples of one series (T, 1)."""
    here = frame[rows]
    column = {name: here.values[:, 0, f] for f, name in enumerate(frame.features)}
    divisor = column.get(getattr(detector, "divided_by", ""), np.full(len(rows), np.nan))
    planes = {"value": column[field], "divisor": divisor}
    nothing = np.full(len(rows), np.nan)
    values = np.stack([planes.get(name, nothing) for name in detector.needs], axis=1)
    return Frame(here.time, (key,), detector.needs, values[:, None, :])


def told(
    those: Strange,
    held: Sequence[Held],
    frame: Frame,
    interval: Floats,
    watched: Floats,
    seen: Array,
) -> Strange:
    """Strange records, and what rules say of fields, in order of time."""
    if not held:
        return those
    at, n = np.array([one.t for one in held]), len(held)
    return those.and_also(
        Strange(
            time=frame.time[at],
            key=[one.key for one in held],
            score=np.full(n, LEAST),
            interval=interval[at],
            watched=watched[at],
            blame=[()] * n,
            said=[""] * n,
            found=[one.found for one in held],
            among=[0] * n,
        )
    )
