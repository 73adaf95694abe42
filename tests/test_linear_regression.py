"""The forecast, against normal equations written out, and what its interval promises."""

import numpy as np
import pytest
from pydantic import ValidationError

from amiss.data import Floats, Frame, State
from amiss.detectors.linear_regression import PENALTIES, LinearRegression
from made import Chance

NAMES = ("cpu_percent", "requests", "noise")


def frame(x: Floats, systems: int = 1) -> Frame:
    """(T, systems F) -> (T, systems, F)."""
    keys = tuple(f'host="{s}"' for s in range(systems))
    return Frame(np.arange(len(x)), keys, NAMES, x.reshape(len(x), systems, len(NAMES)))


def driven(n: int, seed: int = 1, noise: float = 1.0) -> Floats:
    """CPU follows the requests of a tick ago and its own past."""
    chance = Chance(seed)
    requests = 100 + 20 * chance.normal(n)
    x = np.zeros((n, 3))
    x[:, 1], x[:, 2] = requests, chance.normal(n)
    error = noise * chance.normal(n)
    x[0, 0] = 60.0
    for t in range(1, n):
        x[t, 0] = 10 + 0.4 * x[t - 1, 0] + 0.3 * x[t - 1, 1] + error[t]
    return x


def fitted(x: Floats, **said: object) -> tuple[LinearRegression, State]:
    detector = LinearRegression.model_validate(said)
    return detector, detector.fit(detector.init(1, 3), frame(x))


def by_hand(x: Floats, lags: int) -> tuple[Floats, Floats, Floats, float]:
    """Design matrix, targets, weights and penalty, by the normal equations."""
    mean, sd = x.mean(axis=0), x.std(axis=0)
    rows = []
    for t in range(len(x) - 1):
        past = [x[t - lags + 1 + i, 0] if t - lags + 1 + i >= 0 else np.nan for i in range(lags)]
        own = np.nan_to_num((np.array(past, np.float32).astype(float) - mean[0]) / sd[0])
        rows.append([*((x[t] - mean) / sd), *own, 1.0])
    X, y = np.array(rows), x[1:, 0]
    last = len(X) - len(X) // 5

    def solve(X: Floats, y: Floats, penalty: float) -> Floats:
        ridge = np.diag([*[penalty] * (X.shape[1] - 1), 1e-9])
        return np.linalg.inv(X.T @ X + ridge) @ X.T @ y

    errors = {p: y[last:] - X[last:] @ solve(X[:last], y[:last], p) for p in PENALTIES}
    penalty = min(PENALTIES, key=lambda p: np.mean(np.abs(errors[p])))
    return X, errors[penalty], solve(X, y, penalty), penalty


@pytest.mark.parametrize("lags", [0, 1, 6])
def test_weights_are_those_of_the_normal_equations(lags: int) -> None:
    x = driven(300)
    _, state = fitted(x, lags=lags)
    _, errors, weights, _ = by_hand(x, lags)
    np.testing.assert_allclose(state["weights"][:, 0], weights, rtol=1e-7, atol=1e-9)
    low, high, typical = state["errors"][:, 0]
    assert (low, high) == pytest.approx(np.quantile(errors, [0.025, 0.975]))
    assert typical == pytest.approx(np.mean(np.abs(errors)))


def test_a_step_forecasts_what_the_fit_would_have() -> None:
    """Expected at a tick is the forecast made from the tick before, by the same design."""
    x = driven(300)
    detector, state = fitted(x)
    _, scores = detector.step(state, frame(x))
    X, _, weights, _ = by_hand(x, detector.lags)
    assert scores.expected is not None
    np.testing.assert_allclose(scores.expected[7:, 0, 0], (X @ weights)[6:], rtol=1e-9)
    assert np.isnan(scores.expected[:, 0, 1:]).all()


def test_it_finds_the_law_and_its_interval_holds() -> None:
    x, new = driven(1500), driven(1000, seed=2)
    detector, state = fitted(x)
    _, scores = detector.step(state, frame(new))
    assert scores.expected is not None
    assert scores.lower is not None
    assert scores.upper is not None
    error = new[50:, 0] - scores.expected[50:, 0, 0]
    assert np.std(error) == pytest.approx(1.0, abs=0.1)  # what cannot be known is all that is left
    held = (scores.lower[50:, 0, 0] <= new[50:, 0]) & (new[50:, 0] <= scores.upper[50:, 0, 0])
    assert 0.90 < np.mean(held) < 0.99


def test_what_breaks_the_law_is_strange() -> None:
    new = driven(200, seed=3)
    new[150, 0] += 15
    detector, state = fitted(driven(800))
    _, scores = detector.step(state, frame(new))
    assert np.nanargmax(scores.values) == 150
    assert scores.blame is not None
    assert np.nanargmax(scores.blame[150, 0]) == 0


def test_the_next_value_is_at_hand() -> None:
    x = driven(400, noise=0.0)
    detector, state = fitted(x)
    assert np.isnan(detector.forecast(detector.init(2, 3))["cpu_percent"]).all()
    state, _ = detector.step(state, frame(x[:-1]))
    assert detector.forecast(state)["cpu_percent"] == pytest.approx([x[-1, 0]], abs=0.05)


def test_one_law_for_all_systems_each_with_its_own_past() -> None:
    x = np.hstack([driven(300, seed=1), driven(300, seed=2)])
    detector = LinearRegression()
    state = detector.fit(detector.init(2, 3), frame(x, 2))
    _, both = detector.step(state, frame(x, 2))
    alone = {
        name: a if name in detector.shared else a[:1] for name, a in detector.init(2, 3).items()
    }
    alone |= {name: state[name] for name in detector.shared}
    _, first = detector.step(alone, frame(x[:, :3]))
    np.testing.assert_allclose(both.values[:, 0], first.values[:, 0], rtol=1e-9)


def test_several_targets_and_the_worst_of_them() -> None:
    x = driven(400)
    detector, state = fitted(x, targets=["cpu_percent", "requests"])
    _, scores = detector.step(state, frame(x))
    assert scores.blame is not None
    np.testing.assert_allclose(scores.values[5:, 0], np.nanmax(scores.blame[5:, 0], axis=1))


def test_a_target_that_is_not_there() -> None:
    detector, state = fitted(driven(300), targets=["swap_percent"])
    assert not len(state["weights"])
    _, scores = detector.step(state, frame(driven(10)))
    assert np.isnan(scores.values).all()


def test_a_silent_system_keeps_its_forecast() -> None:
    x = driven(300)
    detector, state = fitted(x)
    state, _ = detector.step(state, frame(x))
    before = detector.forecast(state)["cpu_percent"].copy()
    state, scores = detector.step(state, frame(np.full((3, 3), np.nan)))
    assert np.isnan(scores.values).all()
    np.testing.assert_array_equal(detector.forecast(state)["cpu_percent"], before)


def test_its_state_stays_under_the_bound_whatever_is_asked_for() -> None:
    most = LinearRegression(targets=tuple(f"m{i}" for i in range(20)), lags=60)
    own = {name: a for name, a in most.init(10, 3).items() if name not in most.shared}
    assert sum(a.nbytes for a in own.values()) == 10 * most.state_bytes
    with pytest.raises(ValidationError, match="at most 20"):
        LinearRegression(targets=tuple(f"m{i}" for i in range(21)))
