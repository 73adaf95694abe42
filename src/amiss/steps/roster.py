"""Series come and go: which ones have a column, and whose memory is dropped.

The table of them has a row for each: its key, and when (ns) it was last observed.
"""

from collections.abc import Sequence

import numpy as np

from amiss import memory
from amiss.component import Detector
from amiss.data import HOUR, Frame, State, Times
from amiss.steps import apart
from amiss.steps.judge import WHOLE, States, name_of
from amiss.steps.systems import distinct, features_of

NEVER = np.iinfo(np.int64).min


def init() -> State:
    """The table before the first series."""
    return {"keys": np.zeros(0, "U1"), "last": np.zeros(0, np.int64)}


def pieces(table: State, frame: Frame, after: int) -> list[slice]:
    """The ticks in one piece, or cut where the hour has come to forget a silent series.

    So the memory does not depend on how ticks came in batches. `after` ns it is forgotten.
    """
    time = frame.time
    if not len(time) or time[-1] - table["last"].min(initial=time[0]) <= after:
        return [slice(None)]
    keys = memory.rows(tuple(table["keys"].tolist()), frame)
    there = np.isfinite(memory.align(frame, keys).values).any(axis=2)
    before = np.full(len(keys), NEVER)
    before[: len(table["last"])] = table["last"]
    last = np.vstack([before, np.where(there, time[:, None], NEVER)[:-1]])
    last = np.maximum.accumulate(last, axis=0)
    due = (last > NEVER) & (last < (_hour(time) - after)[:, None])
    cuts = [int(t) + 1 for t in np.flatnonzero((due[1:] & ~due[:-1]).any(axis=1))]
    return [slice(a, b) for a, b in zip([0, *cuts], [*cuts, None], strict=True)]


def forget(
    detectors: Sequence[Detector], states: States, frame: Frame, by: tuple[str, ...], after: int
) -> States:
    """Drop the memory of series silent for `after` ns; the hour counts, not the tick."""
    table = states["series"]
    if not len(frame.time):
        return states
    kept = table["last"] >= _hour(frame.time[:1]) - after
    if kept.all():
        return states
    keys = tuple(table["keys"].tolist())
    left = tuple(table["keys"][kept].tolist())
    systems = {system: i for i, system in enumerate(distinct(keys, by))}
    rows = {
        False: np.flatnonzero(kept),
        True: np.array([systems[system] for system in distinct(left, by)], np.int64),
    }
    states = states | {"series": memory.keep(table, kept)}
    states["expect"] = memory.keep(states["expect"], kept)
    states = apart.forget(apart.among(detectors), states, keys, kept)
    for detector in detectors:
        if detector.each or detector.apart:  # the former knows of records, and of no series
            continue
        name = name_of(detector)
        states[name] = memory.keep(states[name], rows[detector.joint], detector.shared)
        if detector.joint:
            states[name] = detector.retain(states[name], features_of(left, by))
        for past in (f"{name}.rank", f"{name}.size", f"{name}.count"):
            if past in states:
                states[past] = memory.keep(states[past], rows[detector.joint])
    if WHOLE in states:
        states[WHOLE] = memory.keep(states[WHOLE], rows[True])
    return states


def admit(states: States, frame: Frame, most: int) -> tuple[States, Frame, dict[str, int]]:
    """Give each series its column, `most` of them, and remember when it was last seen.

    Also what was left out, by reason.
    """
    table, skipped = states["series"], {}
    known = tuple(table["keys"].tolist())
    wanted = memory.rows(known, frame)
    keys = wanted[: max(most, len(known))]  # a lower cap drops nothing learned
    if len(wanted) > len(keys):
        refused = memory.align(frame, wanted[len(keys) :])
        skipped["over the cap of series"] = int(np.isfinite(refused.values).sum())
    frame = memory.align(frame, keys)
    last = np.concatenate([table["last"], np.zeros(len(keys) - len(known), np.int64)])
    if len(frame.time):
        there = np.isfinite(frame.values[:, :, 0])
        latest = frame.time[len(frame.time) - 1 - there[::-1].argmax(axis=0)]
        last = np.where(there.any(axis=0), latest, last)
    return states | {"series": {"keys": np.array(keys, dtype=str), "last": last}}, frame, skipped


def _hour(time: Times) -> Times:
    """The beginning of the hour that each time lies in."""
    return time // HOUR * HOUR
