"""Detectors that give windows back, `autoencoder` and `aer`: what they find, and when."""

import numpy as np
import pytest
from pydantic import ValidationError

from amiss import fitting
from amiss.component import Detector
from amiss.data import SECOND, Floats, Frame, State
from amiss.detectors.aer import Aer
from amiss.detectors.autoencoder import Autoencoder
from made import START
from rhythms import DAY, NAMES, rhythm

KINDS: dict[str, Autoencoder | Aer] = {
    "autoencoder": Autoencoder(window=24, steps=300),
    "dense": Aer(window=24, steps=300),
    "linear": Aer(kind="linear", window=24),
    "bilstm": Aer(kind="bilstm", window=10, steps=100, batch=16, rate=0.01),
}


def frame(x: Floats, names: tuple[str, ...] = NAMES, start: int = 0) -> Frame:
    time = (START + 600 * (start + np.arange(len(x)))) * SECOND
    return Frame(time, ('host="a"',), names, x[:, None, :])


@pytest.fixture(scope="module")
def fitted() -> dict[str, State]:
    history = frame(rhythm(10))
    return {name: one.fit(one.init(1, 3), history) for name, one in KINDS.items()}


def copy(state: State) -> State:
    return {name: array.copy() for name, array in state.items()}


@pytest.mark.parametrize("name", KINDS)
def test_the_same_history_gives_the_same_weights_to_the_bit(
    fitted: dict[str, State], name: str
) -> None:
    detector, history = KINDS[name], frame(rhythm(10))
    again = detector.fit(detector.init(1, 3), history)
    assert again.keys() == fitted[name].keys()
    for column in again:
        np.testing.assert_array_equal(fitted[name][column], again[column])


@pytest.mark.parametrize("name", KINDS)
def test_a_fault_that_each_metric_hides_is_found(fitted: dict[str, State], name: str) -> None:
    """CPU is as high at night as it is by day: no value is unusual."""
    x = rhythm(4, seed=1)
    night = slice(3 * DAY + 100, 3 * DAY + 116)
    x[night, 1] = 60.0  # instead of 18
    _, scores = KINDS[name].step(copy(fitted[name]), frame(x))
    usual = np.nanquantile(scores.values[: 3 * DAY, 0], 0.99)
    strangest = night.start + int(scores.values[night, 0].argmax())
    assert scores.values[strangest, 0] > 3 * usual
    assert scores.blame is not None
    assert 1 in np.argsort(scores.blame[strangest, 0])[-2:]  # it is mixed with what it goes with
    there = slice(KINDS[name].window, None)
    np.testing.assert_allclose(scores.blame[there].sum(axis=2), scores.values[there])


@pytest.mark.parametrize("name", KINDS)
def test_it_has_no_opinion_until_the_window_is_full(fitted: dict[str, State], name: str) -> None:
    detector, x = KINDS[name], rhythm(1, seed=2)
    state, first = detector.step(copy(fitted[name]), frame(x))
    assert np.flatnonzero(np.isfinite(first.values[:, 0])).min() == detector.window - 1
    _, later = detector.step(state, frame(x, start=DAY + 5))
    np.testing.assert_array_equal(np.isnan(later.values), np.isnan(first.values))
    np.testing.assert_allclose(later.values, first.values)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_scored_is_not_cut(fitted: dict[str, State], name: str) -> None:
    heights = []
    for height in (1e4, 1e6):
        x = rhythm(1, seed=3)
        x[100, 0] += height
        _, scores = KINDS[name].step(copy(fitted[name]), frame(x))
        heights.append(scores.values[100, 0])
    assert heights[1] > 50 * heights[0]


@pytest.mark.parametrize("name", KINDS)
def test_a_metric_that_vanishes_is_not_scored_and_one_that_is_new_is_left_out(
    fitted: dict[str, State], name: str
) -> None:
    x = rhythm(1, seed=4)
    _, all_there = KINDS[name].step(copy(fitted[name]), frame(x))
    wider = np.column_stack([x, 1e6 * np.ones(len(x))])
    _, more = KINDS[name].step(copy(fitted[name]), frame(wider, (*NAMES, "disk")))
    np.testing.assert_allclose(more.values, all_there.values)
    _, fewer = KINDS[name].step(copy(fitted[name]), frame(x[:, :2], NAMES[:2]))
    assert np.isfinite(fewer.values[KINDS[name].window :]).all()


@pytest.mark.parametrize("name", KINDS)
def test_too_little_to_learn_from(name: str) -> None:
    detector = KINDS[name]
    state = detector.fit(detector.init(1, 3), frame(rhythm(1)[:3]))
    assert not len(state["weights"])
    _, scores = detector.step(state, frame(rhythm(1)))
    assert np.isnan(scores.values).all()


@pytest.mark.parametrize("detector", [Autoencoder(window=500), Aer(kind="linear", window=500)])
def test_its_state_stays_under_the_bound_whatever_is_asked_for(detector: Detector) -> None:
    x = np.random.default_rng(0).normal(size=(640, 201))
    names = tuple(f"m{i:03}" for i in range(201))
    small = detector.model_copy(update={"steps": 1, "components": 1})
    (state,) = fitting.fit(small, {}, frame(x, names)).values()  # as it is kept
    state, _ = small.step(state, frame(x[:2], names))
    own = sum(array.nbytes for name, array in state.items() if name not in small.shared)
    assert own == small.state_bytes


def test_what_would_take_too_long_to_solve_is_refused() -> None:
    with pytest.raises(ValidationError, match="at most 4000"):
        Aer(kind="linear", window=500, components=9)


@pytest.mark.parametrize("kind", ["dense", "linear"])
def test_hindsight_knows_more_and_changes_nothing(fitted: dict[str, State], kind: str) -> None:
    detector, state = KINDS[kind], copy(fitted[kind])
    assert isinstance(detector, Aer)
    x = rhythm(4, seed=5)
    x[300:310, 2] += 20.0
    x[400] = np.nan
    final = detector.hindsight(state, frame(x))
    for name, array in state.items():
        np.testing.assert_array_equal(array, fitted[kind][name])
    assert np.isfinite(np.delete(final.values[:, 0], 400)).all()
    assert np.isnan(final.values[400, 0])
    assert 290 <= np.nanargmax(final.values[:, 0]) < 320
    assert final.blame is not None
    assert np.nanargmax(final.blame[305, 0]) == 2
    short = detector.hindsight(state, frame(x[: 2 * detector.window - 1]))
    assert np.isnan(short.values).all()
