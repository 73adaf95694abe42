"""Every law holds for every detector there is: a new one is tested by being in the folder."""

from contextlib import nullcontext, suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.component import Detector, find
from amiss.data import Floats
from amiss.detectors.rule import Rule
from amiss.errors import StateError
from laws.laws import LAWS, METRICS, Subject, numbers, of, systems
from made import Chance
from onnx_made import made_up

MADE = {"file": str(made_up("reconstruction", 2, 4)), "metrics": METRICS[:2], "window": 4,
        "score": "reconstruction", "standardise": True}  # fmt: skip
NEEDED: dict[str, dict[str, object]] = {
    "aer": {"window": 6, "steps": 20},
    "autoencoder": {"window": 5, "layers": (6, 2), "steps": 20},
    "lstm": {"units": (4, 3), "window": 10, "steps": 20, "batch": 8},
    "rule": {"metric": "s", "above": 0.5},
    "classifier": {"label": "load1"},
    "onnx": MADE,
    "ensemble": {
        "detectors": [
            {"type": "isolation_forest"},
            {"type": "dbscan"},
            {"type": "linear_regression", "targets": ["cpu_percent"]},
            {"type": "classifier", "label": "load1"},
        ]
    },
}
"""By type: what a detector must be told that has no default, or that makes it quick to train."""
RULES: list[dict[str, object]] = [
    {"above": 0.2, "of": "mean", "over": "20m"},
    {"outside": [-1, 1], "of": "max", "over": "1h", "for": "10m"},
    {"below": 2, "of": "sum", "over": "30m", "divided_by": "u"},
    {"above": -1, "below": 1, "per": "1h", "of": "min", "over": "40m"},
    {"above": 3, "of": "count", "over": "20m", "where": {"host": "*"}},
    {"absent": "1s", "for": "1s"},
]
"""Other settings that take other ways through the code."""

DETECTORS = [
    kind(**NEEDED.get(name, {}))
    for name, kind in find("amiss.detectors", Detector).items()
    if not kind.each  # of one series only: tests/laws/test_singles.py
]
DETECTORS += [Rule.model_validate({"metric": "s", **said}) for said in RULES]
SUBJECTS = [of(d) for d in DETECTORS] + [of(d, fitted=True) for d in DETECTORS if d.fits()]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_law(subject: Subject, law: str) -> None:
    @given(numbers(special=law == "extremes"), st.integers(0, 120))
    def holds(x: Floats, at: int) -> None:
        LAWS[law](subject, x, min(at, len(x)))

    holds()


FITTED = [detector for detector in DETECTORS if detector.fits()]


@pytest.mark.parametrize("detector", FITTED, ids=lambda detector: detector.type)
class TestFitting:
    @settings(max_examples=10)
    @given(x=numbers(special=True))
    def test_takes_what_comes(self, detector: Detector, x: Floats) -> None:
        """Fitting on next to nothing, on holes and on the worst numbers raises nothing, but that
        one that needs labels may say that they are missing.
        """
        frame = systems(np.concatenate([x, x]))
        state = detector.init(x.shape[1], len(METRICS))
        with suppress(StateError) if hasattr(detector, "label") else nullcontext():
            state = detector.fit(state, frame)
        _, scores = detector.step(state, frame)
        assert not np.isinf(scores.values).any()

    def test_is_the_same_each_time_and_leaves_the_history_alone(self, detector: Detector) -> None:
        x = Chance(1).normal(100 * 2 * 3).reshape(100, 2, 3)
        frame = systems(x)
        frame.values.flags.writeable = False
        once, twice = (detector.fit(detector.init(2, 3), frame) for _ in range(2))
        assert once.keys() == twice.keys()
        assert once.keys() - {"loss"} == detector.init(2, 3).keys()
        for name in once:
            np.testing.assert_array_equal(once[name], twice[name])
        np.testing.assert_array_equal(frame.values, x)
