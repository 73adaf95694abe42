"""The default stack says what the reference implementation of it said, number by number.

The reference is one loop in float64 over one series; here it is many kernels, with state in
float32 and whole counts, so scores agree to a hundredth of a nat. Its numbers on made-up series
of ten kinds were written down once, in golden/stack: every 25th sample (of the longest one every
500th) and all that are strange, and at which samples it alerted with a budget of one a week. One
of the series is long enough for the counts to be halved twice.
"""

from pathlib import Path

import numpy as np
import pytest

from amiss.data import SECOND, Frame
from amiss.decide import budget
from amiss.evaluate.metrics import SINGLE
from amiss.steps.judge import Opinion, judge
from made import KINDS, series

GOLDEN = Path(__file__).parent / "golden" / "stack"
LENGTH = {"white": 45_000}


def said_of(kind: str) -> Opinion:
    """All that is thought of a series of this kind."""
    t, x = series(kind, LENGTH.get(kind, 4000))
    frame = Frame(t * SECOND, ("a",), ("value",), x[:, None, None])
    return judge(SINGLE, {}, frame)[1]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_scores_bands_and_alerts(kind: str) -> None:
    with np.load(GOLDEN / f"{kind}.npz") as found:
        golden = dict(found)
    opinion = said_of(kind)
    scores, rows = opinion.scores, golden["row"]
    np.testing.assert_allclose(scores.values[rows, 0], golden["score"], atol=0.01)
    assert scores.expected is not None
    assert scores.lower is not None
    assert scores.upper is not None
    for said, name in (
        (scores.expected, "expected"),
        (scores.lower, "lower"),
        (scores.upper, "upper"),
    ):
        np.testing.assert_allclose(said[rows, 0, 0], golden[name], rtol=1e-4, atol=2e-3)
    time = series(kind, LENGTH.get(kind, 4000))[0] * SECOND
    _, alerts = budget.ration(budget.init(1), time, scores.values, opinion.interval, a_week=1.0)
    assert np.flatnonzero(alerts[:, 0]).tolist() == golden["alert"].tolist()
