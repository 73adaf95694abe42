"""What of records was left out before there was a frame, by reason."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from amiss.data import Records, State, measured

FUTURE = "from the future"
LEFT = "subjects that left for others"
DROPPED = {"late": "late", FUTURE: "ahead", LEFT: "gone"}
"""Why features leave records out, and what they count them in."""
BESIDE = {"over the cap of kinds": ("pulse", "refused"), LEFT: ("streaks", "gone")}
"""The same of what judges single records, and whose memory it is."""

FAILED = "failed"
"""A column of a detector (S,): windows of each system that its network says nothing of."""
UNSAID = "windows that a network cannot be run on"


def left_out(features: State, records: Records) -> Counter[str]:
    """What of these records was left out before there was a frame, by reason."""
    skipped = Counter(records.skipped)
    number = records.value if records.text is None else records.value[records.text == ""]
    skipped["not a number"] += int(np.isnan(measured(number)).sum())
    for reason, column in DROPPED.items():
        if column in features:
            skipped[reason] += int(features[column][0])
            features[column] = np.zeros(1, np.int64)
    return +skipped


def displaced(states: Mapping[str, State]) -> Counter[str]:
    """For what there was no room among kinds and runs of records since the last call."""
    skipped = Counter[str]()
    for reason, (name, column) in BESIDE.items():
        skipped[reason] += int(states[name][column][0])
        states[name][column] = np.zeros(1, np.int64)
    return +skipped


def failed(states: Mapping[str, State], names: Iterable[str]) -> dict[str, int]:
    """How many windows networks of these detectors failed on since the last call, members too."""
    count = 0
    for state in (states.get(name, {}) for name in names):
        for column in state:
            if column.rpartition(".")[2] == FAILED:
                count += int(state[column].sum())
                state[column] = np.zeros_like(state[column])
    return {UNSAID: count} if count else {}
