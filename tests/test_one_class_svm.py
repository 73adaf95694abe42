"""The boundary on plain arrays, against scikit-learn's own."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.svm import OneClassSVM

from amiss.data import Floats, Frame, State
from amiss.detecting import snapshots
from amiss.detectors import one_class_svm
from amiss.detectors.one_class_svm import EXACT, OneClassSvm, decision
from made import Chance

NAMES = tuple("abcdef")
SCALE = np.array([1, 10, 1e3, 1e9, 1e-3, 5])


def frame(x: Floats) -> Frame:
    """(T, F) snapshots of one system."""
    return Frame(np.arange(len(x)), ('host="h"',), NAMES[: x.shape[1]], x[:, None, :])


def fitted(x: Floats, **said: object) -> tuple[OneClassSvm, State]:
    svm = OneClassSvm.model_validate(said)
    return svm, svm.fit(svm.init(1, x.shape[1]), frame(x))


def noise(n: int, seed: int = 1) -> Floats:
    return Chance(seed).normal(6 * n).reshape(n, 6) * SCALE


def two_modes(n: int, seed: int = 1) -> Floats:
    """Two metrics, at -4 or at 4 together."""
    chance = Chance(seed)
    mode = np.where(chance.uniform(n) < 0.5, -4.0, 4.0)
    return mode[:, None] + 0.3 * chance.normal(2 * n).reshape(n, 2)


@pytest.mark.parametrize("said", [{}, {"nu": 0.3}, {"gamma": 2.5}, {"nu": 0.99, "gamma": 0.01}])
def test_exact_decisions_are_those_of_scikit_learn(said: dict[str, float]) -> None:
    svm, state = fitted(noise(500), **said)
    known, x, _ = snapshots.learn(frame(noise(500)))
    new, _ = snapshots.rows_of(known, frame(2 * noise(200, seed=2)))
    theirs = OneClassSVM(nu=svm.nu, gamma=svm.gamma or 1 / 6).fit(x)
    np.testing.assert_allclose(
        decision(state, new)[0], theirs.decision_function(new), rtol=1e-9, atol=1e-9
    )


def test_nystroem_decisions_are_those_of_scikit_learn() -> None:
    _, state = fitted(noise(700), kind="nystroem", landmarks=60, seed=3)
    known, x, _ = snapshots.learn(frame(noise(700)))
    new, _ = snapshots.rows_of(known, frame(2 * noise(200, seed=2)))
    near = Nystroem(gamma=1 / 6, n_components=60, random_state=3)
    theirs = SGDOneClassSVM(nu=0.05, random_state=3).fit(near.fit_transform(x))
    wanted = theirs.decision_function(near.transform(new))
    np.testing.assert_allclose(decision(state, new)[0], wanted, rtol=1e-9, atol=1e-9)


def test_the_score_is_1_at_the_boundary_and_a_share_of_nu_is_beyond() -> None:
    x = noise(1000)
    svm, state = fitted(x, nu=0.1)
    scores = svm.step(state, frame(x))[1].values[:, 0]
    assert np.mean(scores > 1.0) == pytest.approx(0.1, abs=0.02)
    assert scores.min() == 0.0
    rows, _ = snapshots.rows_of(state, frame(x))
    np.testing.assert_array_equal(scores > 1.0, decision(state, rows)[0] < 0.0)


@pytest.mark.parametrize("kind", ["exact", "nystroem"])
def test_what_lies_between_two_modes_is_strange(kind: str) -> None:
    """Each metric is as usual as can be, in the middle of its range."""
    svm, state = fitted(two_modes(1000), kind=kind)
    new = two_modes(50, seed=2)
    new[20] = [0.0, 0.0]
    new[30] = [4.0, -4.0]
    scores = svm.step(state, frame(new))[1].values[:, 0]
    assert set(np.argsort(-scores)[:2].tolist()) == {20, 30}


def test_what_is_far_from_those_nearby_is_blamed() -> None:
    """At 4 and 0.5 the second is to blame; at -4 and 0.5 too. The middle of all is no help."""
    svm, state = fitted(two_modes(1000))
    _, scores = svm.step(state, frame(np.array([[4.0, 0.5], [0.5, -4.0], [900.0, 4.0]])))
    assert scores.blame is not None
    assert np.argmax(scores.blame[:, 0], axis=1).tolist() == [1, 0, 0]


def test_many_snapshots_take_the_way_that_costs_less() -> None:
    _, exact = fitted(noise(200))
    _, many = fitted(noise(EXACT + 1), landmarks=40)
    assert len(exact["vectors"]) < 200
    assert len(many["vectors"]) == 40


def test_exact_learns_from_so_many_evenly_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_class_svm, "EXACT", 100)
    x = noise(1000)
    _, state = fitted(x, kind="exact")
    _, rows, _ = snapshots.learn(frame(x))
    theirs = OneClassSVM(nu=0.05, gamma=1 / 6).fit(rows[::10])
    np.testing.assert_array_equal(state["vectors"], theirs.support_vectors_)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"nu": 0.0}, "greater than 0"),
        ({"nu": 1.0}, "less than 1"),
        ({"gamma": -1}, "greater than 0"),
        ({"kind": "linear"}, "'exact' or 'nystroem'"),
        ({"landmarks": 1}, "greater than or equal to 2"),
    ],
)
def test_settings_that_make_no_sense(said: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        OneClassSvm.model_validate(said)
