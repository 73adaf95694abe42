"""What of records was left out before there was a frame, by reason."""

from collections import Counter

import numpy as np

from amiss.data import Records, State, measured

FUTURE = "from the future"
DROPPED = {"late": "late", FUTURE: "ahead", "subjects that left for others": "gone"}
"""Why features leave records out, and what they count them in."""


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
