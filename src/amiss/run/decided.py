"""Why something was found, or was not: each step of a pipeline in words, for LOG_LEVEL=DEBUG."""

from collections.abc import Container, Iterator, Sequence
from math import isfinite

import numpy as np

from amiss.data import SECOND, Floats, Records
from amiss.decide import budget
from amiss.decide import opened as group
from amiss.decide.judged import LEAST
from amiss.pipeline import Pipeline
from amiss.steps.judge import WARM, States
from amiss.steps.outcome import Outcome
from amiss.steps.systems import systems_of
from amiss.words.message import write_time

SHOWN = 3  # series of a step that are told of, the strangest
HYSTERESIS = 2.0  # as in decide/group.py: so far below the bar what is strange joins what is open


def decisions(
    pipeline: Pipeline, states: States, records: Records, outcome: Outcome
) -> Iterator[str]:
    """A line for what came, one for each of the strangest series and systems, and what followed.

    `states` are those after the step.
    """
    frame = outcome.frame
    left = "".join(f"; {n} {why}" for why, n in sorted(outcome.skipped.items()))
    yield f"{len(records)} records, {len(frame.time)} ticks of {len(frame.keys)} series{left}"
    if not len(frame.time):
        yield "nothing judged: no tick is complete yet"
        return
    memory = states.get("group", {}).get("memory")
    past = group.load(memory.tobytes()) if memory is not None else group.Memory()
    seconds = pipeline.every / SECOND
    bar = float(budget.bar(np.array([seconds]), pipeline.budget, past.price or 0.0)[0])
    bar = max(bar, LEAST)
    systems = systems_of(frame.keys, pipeline.by)
    yield from _series(outcome, bar, [system in past.opened for system in systems])
    yield from _systems(outcome, bar, past.opened)
    for incident in outcome.incidents:
        yield f"incident {incident.id}, {incident.state} ({incident.severity}): {incident.sentence}"
    if not outcome.incidents:
        open_ = ", ".join(f"{one.id} of {system}" for system, one in past.opened.items())
        yield f"no news of open incidents: {open_}" if open_ else "no incident"


def _series(outcome: Outcome, bar: float, opened: Sequence[bool]) -> Iterator[str]:
    frame, scores = outcome.frame, outcome.scores
    for s, t in _strangest(scores.values):
        nats, value = float(scores.values[t, s]), float(frame.values[t, s, 0])
        band = ""
        if scores.lower is not None and scores.upper is not None:
            low, high = float(scores.lower[t, s, 0]), float(scores.upper[t, s, 0])
            if isfinite(low) and isfinite(high):
                band = f" ({low:.6g} to {high:.6g} expected)"
        learned = int(outcome.seen[s])
        why = f"still learning: {learned} of {WARM} samples" if learned < WARM else ""
        at = write_time(int(frame.time[t]))
        said = why or verdict(nats, bar, opened[s])
        yield f"{frame.keys[s]} was {value:.6g}{band} at {at}: {nats:.2f} nats; {said}"
    unheard = [k for k, x in zip(frame.keys, scores.values.T, strict=True) if np.isnan(x).all()]
    if unheard:
        more = f" and {len(unheard) - SHOWN} more" if len(unheard) > SHOWN else ""
        yield f"no opinion on {', '.join(unheard[:SHOWN])}{more}: nothing seen, or too little known"


def _systems(outcome: Outcome, bar: float, opened: Container[str]) -> Iterator[str]:
    for detector, scores in outcome.joint.items():
        name = detector.partition("-")[0]
        if not np.isfinite(scores.values).any():
            yield f"{name}: no opinion: no model is fitted, or it has no past to compare with yet"
        for s, t in _strangest(scores.values):
            nats, at = float(scores.values[t, s]), write_time(int(scores.time[t]))
            system = scores.keys[s]
            said = verdict(nats, bar, system in opened)
            yield f"{name} of {system} at {at}: {nats:.2f} nats; {said}"


def verdict(nats: float, bar: float, opened: bool) -> str:
    """What a score comes to; `opened`: its system has an incident that is open after this step."""
    if nats >= bar:
        if opened:
            return f"above the bar of {bar:.2f}: in the open incident, unless back in its band"
        return f"above the bar of {bar:.2f}: opens an incident, unless told lately or little known"
    if opened and nats >= max(bar - HYSTERESIS, LEAST):
        return f"below the bar of {bar:.2f}, and near enough to join the open incident"
    return f"below the bar of {bar:.2f}: usual enough"


def _strangest(values: Floats) -> list[tuple[int, int]]:
    """The series with the highest scores, and when that was; none without any."""
    if not values.size:
        return []
    known = np.where(np.isnan(values), -np.inf, values)
    best = known.max(axis=0)
    order = [int(s) for s in np.argsort(-best, kind="stable")[:SHOWN] if np.isfinite(best[s])]
    return [(s, int(known[:, s].argmax())) for s in order]
