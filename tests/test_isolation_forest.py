"""The forest on plain arrays, against scikit-learn's own."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest as Forest

from amiss.data import Floats, Frame, State
from amiss.detectors.isolation_forest import IsolationForest
from made import Chance

NAMES = tuple("abcdef")


def frame(x: Floats, names: tuple[str, ...] = NAMES) -> Frame:
    """(T, F) snapshots of one system."""
    return Frame(np.arange(len(x)), ('host="h"',), names[: x.shape[1]], x[:, None, :])


def fitted(x: Floats, **settings: int) -> tuple[IsolationForest, State]:
    forest = IsolationForest.model_validate(settings)
    return forest, forest.fit(forest.init(1, x.shape[1]), frame(x))


def told(forest: IsolationForest, state: State, x: Floats) -> Floats:
    return forest.step(state, frame(x))[1].values[:, 0]


def snapshots(n: int, seed: int = 1) -> Floats:
    return Chance(seed).normal(6 * n).reshape(n, 6) * [1, 10, 1e3, 1e9, 1e-3, 5]


@settings(max_examples=8)
@given(
    st.integers(0, 1000),
    st.integers(2, 400),
    st.sampled_from([{}, {"trees": 7, "samples": 50}, {"trees": 30, "samples": 2, "seed": 5}]),
)
def test_scores_are_those_of_scikit_learn(seed: int, n: int, said: dict[str, int]) -> None:
    x, new = snapshots(n, seed), 2 * snapshots(100, seed + 1)
    forest, state = fitted(x, **said)
    theirs = Forest(
        n_estimators=forest.trees,
        max_samples=min(forest.samples, n),
        random_state=forest.seed,
    ).fit(x)
    np.testing.assert_allclose(told(forest, state, new), -theirs.score_samples(new), rtol=1e-9)


def test_no_opinion_before_the_first_fit() -> None:
    forest = IsolationForest()
    assert np.isnan(told(forest, forest.init(1, 6), snapshots(5))).all()


def test_what_is_far_out_is_strange_and_blamed() -> None:
    forest, state = fitted(snapshots(500))
    new = snapshots(50, seed=9)
    new[20, 2] += 2e4
    new[20, 4] -= 8e-3
    _, scores = forest.step(state, frame(new))
    assert np.argmax(scores.values) == 20
    assert scores.blame is not None
    assert np.argsort(-scores.blame[20, 0])[:2].tolist() == [2, 4]


def test_metrics_come_in_any_order_and_some_do_not_come() -> None:
    """By name, not by place; what is missing counts as its median, what is new is left out."""
    x, new = snapshots(400), snapshots(60, seed=2)
    forest, state = fitted(x)
    usual = told(forest, state, new)
    turned = Frame(np.arange(60), ('host="h"',), NAMES[::-1], new[:, None, ::-1])
    np.testing.assert_array_equal(forest.step(state, turned)[1].values[:, 0], usual)
    more = np.column_stack([new, Chance(3).normal(60)])
    found = forest.step(state, frame(more, (*NAMES, "new")))[1]
    np.testing.assert_array_equal(found.values[:, 0], usual)
    assert found.blame is not None
    assert np.isnan(found.blame[:, 0, 6]).all()
    less = forest.step(state, frame(new[:, :4]))[1].values[:, 0]
    filled = new.copy()
    filled[:, 4:] = state["median"][4:]
    np.testing.assert_array_equal(less, told(forest, state, filled))


def test_a_metric_that_is_seldom_there_is_not_learnt() -> None:
    x = snapshots(300)
    x[40:, 3] = np.nan
    _, state = fitted(x)
    assert state["names"].tolist() == ["a", "b", "c", "e", "f"]


def test_a_constant_metric_does_no_harm() -> None:
    x = snapshots(300)
    x[:, 0] = 7.0
    forest, state = fitted(x)
    assert np.isfinite(told(forest, state, snapshots(10))).all()


@pytest.mark.parametrize("rows", [0, 1])
def test_next_to_nothing_to_learn_from_leaves_the_old_forest(rows: int) -> None:
    forest, state = fitted(snapshots(300))
    again = forest.fit(state, frame(snapshots(300)[:rows]))
    assert again is state


def test_scoring_needs_no_scikit_learn() -> None:
    """Serving stays small: neither scikit-learn nor scipy is imported."""
    code = (
        "import sys, numpy as np\n"
        "from amiss.data import Frame\n"
        "from amiss.detectors.isolation_forest import IsolationForest\n"
        "from amiss.detectors.linear_regression import LinearRegression\n"
        "f = IsolationForest()\n"
        "f.step(f.init(1, 1), Frame(np.zeros(1, int), ('a',), ('x',), np.zeros((1, 1, 1))))\n"
        "assert not {'sklearn', 'scipy', 'pandas'} & set(sys.modules), 'heavy'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=240)
