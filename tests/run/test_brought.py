"""A model that comes from elsewhere is looked at before it is taken in."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from amiss.component import Detector
from amiss.data import State
from amiss.detectors.aer import Aer
from amiss.detectors.autoencoder import Autoencoder
from amiss.detectors.classifier import Classifier
from amiss.detectors.dbscan import Dbscan
from amiss.detectors.ensemble import Ensemble
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.linear_regression import LinearRegression
from amiss.detectors.lstm import Lstm
from amiss.detectors.one_class_svm import OneClassSvm
from amiss.errors import StateError
from amiss.model import Card
from amiss.run.carded import carded
from amiss.run.fit import fit_here
from amiss.run.shadow import check
from run.test_fit import history

FOREST = IsolationForest(trees=5)


def brought(detector: Detector) -> tuple[Card, Mapping[str, State]]:
    frame = history(200)
    if isinstance(detector, Classifier):
        name = frame.features[0]
        detector = Classifier(label=name)
    found = fit_here(detector, {}, frame)
    return carded(detector, "made", frame, found, {}), found.states


@pytest.mark.parametrize(
    "detector",
    [
        FOREST,
        OneClassSvm(),
        Dbscan(),
        LinearRegression(targets=("x",)),
        Lstm(units=(2,), window=5, steps=3),
        Autoencoder(layers=(2,), window=5, steps=3),
        Aer(window=5, steps=3),
        Ensemble(detectors=(FOREST, Dbscan())),
        Classifier(label="x"),
    ],
    ids=lambda detector: detector.type,
)
def test_what_was_fitted_is_taken_in_and_left_as_it_is(detector: Detector) -> None:
    card, states = brought(detector)
    before = {name: {c: a.copy() for c, a in state.items()} for name, state in states.items()}
    check(card, dict(states))
    for name, state in before.items():
        for column, array in state.items():
            np.testing.assert_array_equal(states[name][column], array)


def test_other_settings_and_other_arrays_are_refused() -> None:
    card, states = brought(FOREST)
    own = states[card.detector]
    settings = card.figures | {"settings": FOREST.model_copy(update={"trees": 6}).model_dump()}
    with pytest.raises(StateError, match="its settings are not those that it was fitted with"):
        check(replace(card, figures=settings), dict(states))
    for changed in (
        {name: array for name, array in own.items() if name != "threshold"},
        own | {"more": np.zeros(1)},
        own | {"threshold": own["threshold"].ravel()},
        own | {"threshold": own["threshold"].astype(np.int64)},
    ):
        with pytest.raises(StateError, match="are not those of a model"):
            check(card, {**states, card.detector: changed})
    with pytest.raises(StateError, match="cannot be used"):
        wrong = {"names": own["names"], "median": own["median"][:0]}
        check(card, {**states, card.detector: own | wrong})
