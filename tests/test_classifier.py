"""Normal or suspicious: what is learned from labels, and what is refused."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression

from amiss.data import Floats, Frame, State
from amiss.detectors import classifier
from amiss.detectors.classifier import Classifier, platt
from amiss.errors import StateError
from amiss.run.fit import fit_apart
from amiss.steps.judge import name_of
from made import Chance

NAMES = ("failed", "bytes", "noise", "suspicious")


def frame(x: Floats, names: tuple[str, ...] = NAMES) -> Frame:
    """(T, F) snapshots of one system."""
    return Frame(np.arange(len(x)), ('host="h"',), names, x[:, None, :])


def labelled(n: int, seed: int = 1, less: float = 3.0) -> Floats:
    """The more failures, the likelier it is suspicious; the last column says if it was."""
    chance = Chance(seed)
    x = np.column_stack([chance.normal(n), np.exp(chance.normal(n) + 12), chance.normal(n)])
    odds = 4.0 * np.arcsinh(x[:, 0]) + np.arcsinh(x[:, 2]) - less
    y = chance.uniform(n) < 1.0 / (1.0 + np.exp(-odds))
    x[:, 0] = 20.0 + 5.0 * x[:, 0]
    return np.column_stack([x, y])


def fitted(x: Floats, **said: object) -> tuple[Classifier, State]:
    detector = Classifier.model_validate({"label": "suspicious", **said})
    return detector, detector.fit(detector.init(1, x.shape[1]), frame(x))


def early(y: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first four fifths of each kind."""
    kinds = np.flatnonzero(y), np.flatnonzero(~y)
    return np.sort(np.concatenate([rows[: len(rows) - len(rows) // 5] for rows in kinds]))


def told(detector: Classifier, state: State, x: Floats) -> Floats:
    return detector.confidence(detector.step(state, frame(x))[1].values[:, 0])


@pytest.mark.parametrize("kind", ["forest", "logistic"])
@pytest.mark.parametrize("weight", [None, 1.0, 30.0])
def test_it_tells_them_apart_and_its_probability_is_kept(kind: str, weight: float | None) -> None:
    """Of those said to be suspicious with 30 to 70 %, about half are, whatever they weigh."""
    new = labelled(4000, seed=2)
    detector, state = fitted(labelled(4000), kind=kind, weight=weight)
    p, y = told(detector, state, new), new[:, 3] > 0
    assert np.mean(p[y]) > np.mean(p[~y]) + 0.3
    assert np.mean(p) == pytest.approx(np.mean(y), abs=0.03)
    middle = (p > 0.3) & (p < 0.7)
    assert middle.sum() > 100
    assert np.mean(y[middle]) == pytest.approx(np.mean(p[middle]), abs=0.1)


@pytest.mark.parametrize("kind", ["forest", "logistic"])
def test_the_label_is_never_read_to_score(kind: str) -> None:
    x = labelled(600)
    detector, state = fitted(x, kind=kind)
    usual = told(detector, state, x)
    turned = x.copy()
    turned[:, 3] = np.where(x[:, 3] > 0, np.nan, 1.0)
    np.testing.assert_array_equal(told(detector, state, turned), usual)
    bare = frame(x[:, :3], NAMES[:3])
    np.testing.assert_array_equal(
        detector.confidence(detector.step(state, bare)[1].values[:, 0]), usual
    )
    only = np.full((3, 4), np.nan)
    only[:, 3] = 1.0
    assert np.isnan(told(detector, state, only)).all()
    assert "suspicious" not in state["names"].tolist()


def test_what_has_no_label_is_not_learned_from() -> None:
    x, half = labelled(1200), labelled(1200)
    half[::2, 3] = np.nan
    half[::2, 0] = -500.0
    detector, state = fitted(half)
    assert told(detector, state, x)[x[:, 3] > 0].mean() > 0.5


def test_logistic_weights_are_those_of_scikit_learn() -> None:
    x = labelled(1000)
    detector, state = fitted(x, kind="logistic", weight=3.0)
    y = x[:, 3] > 0
    first = early(y)
    z = np.arcsinh((x[:, :3] - state["centre"]) / state["spread"])
    theirs = LogisticRegression(max_iter=1000).fit(z[first], y[first], np.where(y[first], 3.0, 1.0))
    a, b = state["platt"]
    wanted = 1 / (1 + np.exp(-(a * theirs.decision_function(z) + b)))
    np.testing.assert_allclose(told(detector, state, x), wanted, rtol=1e-9)


def test_a_forest_is_that_of_scikit_learn() -> None:
    from sklearn.ensemble import RandomForestClassifier

    from amiss.detecting import snapshots, trees

    x = labelled(1000)
    _, state = fitted(x, trees=20, weight=1.0, seed=4)
    y = x[:, 3] > 0
    first = early(y)
    rows, _ = snapshots.rows_of(state, frame(x))
    theirs = RandomForestClassifier(20, min_samples_leaf=5, random_state=4)
    theirs.fit(rows[first].astype(np.float32), y[first], np.ones(len(first)))
    wanted = theirs.predict_proba(rows.astype(np.float32))[:, 1]
    np.testing.assert_allclose(trees.mean(state, rows), wanted, rtol=1e-9, atol=1e-12)
    moved = trees.moved(state, rows)
    roots = state["path"][:, 0].mean()
    np.testing.assert_allclose(roots + moved.sum(axis=1), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["forest", "logistic"])
def test_what_made_it_suspicious_is_blamed(kind: str) -> None:
    detector, state = fitted(labelled(3000), kind=kind)
    usual = np.median(labelled(3000), axis=0)
    strange = usual + np.array([20.0, 0.0, 0.0, 0.0])
    _, scores = detector.step(state, frame(np.array([usual, strange])))
    assert scores.values[1, 0] > scores.values[0, 0]
    assert scores.blame is not None
    assert np.argmax(scores.blame[1, 0, :3]) == 0
    assert np.isnan(scores.blame[:, 0, 3]).all()


def test_one_kind_alone_is_refused_in_a_sentence() -> None:
    x = labelled(300)
    x[:, 3] = 0.0
    with pytest.raises(StateError, match="of 300 samples with a label 0 are suspicious and 300"):
        fitted(x)
    x[:, 3] = np.nan
    with pytest.raises(StateError, match="of 0 samples with a label"):
        fitted(x)
    with pytest.raises(StateError, match="the history has no metric 'wrong'"):
        fitted(x, label="wrong")


def test_the_sentence_comes_out_of_the_worker_process() -> None:
    detector = Classifier(label="suspicious")
    x = labelled(60)
    x[:, 3] = 1.0
    with pytest.raises(StateError, match="60 are suspicious and 0 normal; it learns from both"):
        fit_apart(detector, {}, frame(x))
    states = fit_apart(detector, {}, frame(labelled(600))).states
    assert len(states[name_of(detector)]["feature"]) == 100


def test_normal_ones_are_thinned_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few are suspicious; all of them are learned from."""
    monkeypatch.setattr(classifier, "MOST", 400)
    detector, state = fitted(labelled(4000, less=6.5))
    new = labelled(4000, seed=2, less=6.5)
    p, y = told(detector, state, new), new[:, 3] > 0
    assert np.mean(p[y]) > np.mean(p[~y]) + 0.1
    assert np.mean(p) == pytest.approx(np.mean(y), abs=0.01)


def test_platt_finds_the_curve_that_made_the_labels() -> None:
    chance = Chance(3)
    u = 3 * chance.normal(20_000)
    y = chance.uniform(20_000) < 1 / (1 + np.exp(-(0.5 * u - 2.0)))
    assert platt(u, y) == pytest.approx([0.5, -2.0], abs=0.07)
    a, b = platt(-u, y)
    assert a == 0.0
    assert 1 / (1 + np.exp(-b)) == pytest.approx(y.mean(), abs=0.001)
    apart = platt(np.array([-3.0, -2.0, 2.0, 3.0] * 5), np.array([False, False, True, True] * 5))
    assert np.isfinite(apart).all()
    assert apart[0] > 0


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "Field required"),
        ({"label": ""}, "at least 1 character"),
        ({"label": "y", "kind": "boosting"}, "'forest' or 'logistic'"),
        ({"label": "y", "weight": 0}, "greater than 0"),
    ],
)
def test_settings_that_make_no_sense(said: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Classifier.model_validate(said)
