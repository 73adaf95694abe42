"""What holds for every detector that is fitted on snapshots, whatever the history is like."""

import subprocess
import sys

import numpy as np
import pytest

from amiss.component import Detector, find
from amiss.data import Floats, Frame, State
from amiss.errors import StateError
from amiss.run.fit import fit_apart, fit_here
from amiss.steps.judge import name_of
from laws.test_detectors import NEEDED
from made import Chance

LABEL = "load1"  # what the laws give a classifier to learn from
NAMES = ("cpu_percent", LABEL, "c", "d", "e", "f")
KINDS = [
    pytest.param(kind(**NEEDED.get(name, {})), id=name)
    for name, kind in find("amiss.detectors", Detector).items()
    if kind.joint and kind.fits()
]
pytestmark = pytest.mark.parametrize("detector", KINDS)


def frame(x: Floats) -> Frame:
    """(T, F) snapshots of one system."""
    names = (*NAMES, *(f"m{f}" for f in range(x.shape[1] - len(NAMES))))
    return Frame(np.arange(len(x)), ('host="h"',), names[: x.shape[1]], x[:, None, :])


def noise(n: int, wide: int = 6, seed: int = 1) -> Floats:
    """Half of the labels are above 0; of those the first metric is higher."""
    x = Chance(seed).normal(wide * n).reshape(n, wide)
    x[:, 0] += np.where(x[:, 1] > 0, 3.0, 0.0)
    return x


def fitted(detector: Detector, x: Floats) -> State:
    return detector.fit(detector.init(1, x.shape[1]), frame(x))


def told(detector: Detector, state: State, x: Floats) -> Floats:
    own = detector.init(1, x.shape[1])
    kept = {name: state[name] if name in detector.shared else own[name] for name in own}
    return detector.step(kept | {n: state[n] for n in detector.shared}, frame(x))[1].values[:, 0]


def test_a_metric_with_holes_and_one_that_is_never_there(detector: Detector) -> None:
    x = noise(400)
    x[::3, 2], x[:, 3] = np.nan, np.nan
    scores = told(detector, fitted(detector, x), noise(40, seed=2))
    assert np.isfinite(scores[5:]).all()


def test_metrics_that_never_change(detector: Detector) -> None:
    x = noise(300)
    x[:, 2:] = 7.0
    new = noise(20, seed=2)
    new[:, 2:] = 7.0
    assert np.isfinite(told(detector, fitted(detector, x), new)[5:]).all()


def test_nothing_but_one_row_again_and_again(detector: Detector) -> None:
    x = np.tile(noise(2), (150, 1))
    x[:, [0, 2, 3, 4, 5]] = 1.0
    new = x[:30].copy()
    assert np.isfinite(told(detector, fitted(detector, x), new)[5:]).all()


def test_three_rows_are_learned_from_or_refused(detector: Detector) -> None:
    try:
        found = fit_here(detector, {}, frame(noise(3))).states
    except StateError as exc:
        assert str(exc).startswith(("nothing to learn from", "classifier: of 3 samples"))
    else:
        assert not np.isinf(told(detector, found[name_of(detector)], noise(20))).any()


def test_huge_values_among_the_usual_ones(detector: Detector) -> None:
    x = noise(500)
    x[50, 2], x[60, 3], x[70, 4], x[80, 5] = 1e150, -1e150, np.inf, 1.7e308
    state = fitted(detector, x)
    scores = told(detector, state, np.vstack([noise(20, seed=2), x[48:90]]))
    assert np.isfinite(scores[5:]).all()


def test_a_hundred_thousand_snapshots(detector: Detector) -> None:
    """What is kept of them does not grow with their number."""
    state = fitted(detector, noise(100_000, wide=20))
    assert sum(state[name].nbytes for name in detector.shared) < 40e6
    assert np.isfinite(told(detector, state, noise(30, wide=20, seed=2))[10:]).all()


def test_the_same_in_another_process_to_the_bit(detector: Detector) -> None:
    history = frame(noise(500))
    here = fit_here(detector, {}, history).states[name_of(detector)]
    apart = fit_apart(detector, {}, history).states[name_of(detector)]
    assert here.keys() == apart.keys()
    for name in here:
        assert here[name].tobytes() == apart[name].tobytes(), name


def test_scoring_imports_no_library_of_learning(detector: Detector) -> None:
    """Serving stays small: neither scikit-learn nor scipy."""
    said = detector.model_dump_json()
    code = (
        "import sys, numpy as np\n"
        "from typing import Annotated\n"
        "from pydantic import TypeAdapter\n"
        "from amiss.component import AnyOf, Detector\n"
        "from amiss.data import Frame\n"
        f"d = TypeAdapter(Annotated[Detector, AnyOf('amiss.detectors')]).validate_json({said!r})\n"
        "d.step(d.init(1, 1), Frame(np.zeros(1, int), ('a',), ('x',), np.zeros((1, 1, 1))))\n"
        "assert not {'sklearn', 'scipy', 'pandas'} & set(sys.modules), 'heavy'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=240)
