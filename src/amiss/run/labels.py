"""What people said of incidents, as the label that a classifier learns from."""

from math import nan

import numpy as np

from amiss.component import FEEDBACK, Detector
from amiss.data import Frame
from amiss.fitting import spared
from amiss.run.exclude import MOST_INCIDENTS, not_learned
from amiss.store import Store


def to_learn(
    detector: Detector, history: Frame, store: Store, pipeline: str
) -> tuple[Frame, Frame, dict[str, int]]:
    """History (T, systems, F) without what is not to be learned, the same with labels, and how many
    ticks were left out by reason.
    """
    spans = not_learned(store, pipeline, int(history.time[0]))
    together, left_out = spared(history, spans, detector.labelled)
    return together, labelled(detector, together, store, pipeline), left_out


def labelled(detector: Detector, history: Frame, store: Store, pipeline: str) -> Frame:
    """History (T, systems, F) with one metric more, for a detector whose label is `feedback`,
    or that of one of its members.

    1 in incidents that were called amiss; 0 in those that were called normal and where there was
    none; NaN in those of which nobody spoke. As it is for other detectors, and where a metric has
    that name.
    """
    if not _asks(detector) or FEEDBACK in history.features:
        return history
    words = {one.incident: one.word for one in store.said() if one.word != "acknowledged"}
    label = np.zeros(history.values.shape[:2])
    start = int(history.time[0]) if len(history.time) else 0
    found = store.incidents(since=start, limit=MOST_INCIDENTS, pipeline=pipeline)
    # where two overlap a problem counts most, and what is not known more than what is normal
    for word, value in ((None, nan), ("amiss", 1.0)):
        for each in found:
            if words.get(each.id) == word and each.system in history.keys:
                end = each.seen if each.until is None else each.until
                within = (history.time >= each.since) & (history.time <= end)
                label[within, history.keys.index(each.system)] = value
    values = np.concatenate([history.values, label[:, :, None]], axis=2)
    return Frame(history.time, history.keys, (*history.features, FEEDBACK), values)


def _asks(detector: Detector) -> bool:
    members = getattr(detector, "detectors", ())
    return any(getattr(one, "label", None) == FEEDBACK for one in (detector, *members))
