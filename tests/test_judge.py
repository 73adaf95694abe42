"""The one scoring step: what the detectors think, calibrated, fused and shared out."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
import pytest

from amiss.component import Detector
from amiss.data import SECOND, Floats, Frame, Scores, State
from amiss.decide import budget, expect, rank, size
from amiss.detectors.drift import Drift
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.level import Level
from amiss.detectors.step import Step
from amiss.detectors.surprise import Surprise
from amiss.steps.judge import WARM, States, judge, judge_jointly, name_of
from amiss.threads import each
from made import KINDS, START, Chance, frame

STACK = (Level(), Step(), Drift(), Surprise())


class Planted(Detector):
    """So that what is made up here is never taken for a detector of the program."""

    def init(self, series: int, features: int) -> State:
        return {}


class Large(Planted):
    """Surprise, ten times over."""

    calibration = "size"
    type: Literal["large"] = "large"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        _, found = Surprise().step({}, frame)
        return state, Scores(frame.time, frame.keys, 10 * found.values)


class Shy(Planted):
    """Has an opinion on every other sample."""

    type: Literal["shy"] = "shy"

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        value = frame.column("value").copy()
        value[::2] = np.nan
        return state, Scores(frame.time, frame.keys, np.abs(value))


def noise(ticks: int, count: int = 1, seed: int = 1) -> Floats:
    return Chance(seed).normal(ticks * count).reshape(ticks, count)


def test_a_spike_is_strange_and_its_return_is_not() -> None:
    x = noise(1000)
    x[800] += 40
    _, opinion = judge(STACK, {}, frame(x))
    scores = opinion.scores.values[:, 0]
    assert np.nanargmax(scores) == 800
    assert scores[800] > 10
    assert scores[810] < 6


def test_the_band_holds_what_is_usual_and_not_the_spike() -> None:
    x = noise(2000)
    x[1500] += 40
    _, opinion = judge(STACK, {}, frame(x))
    scores = opinion.scores
    assert scores.lower is not None
    assert scores.upper is not None
    assert scores.expected is not None
    outside = (x < scores.lower[:, :, 0]) | (x > scores.upper[:, :, 0])
    assert outside[1500]
    assert 0.002 <= outside[200:].mean() <= 0.02  # 1 % was asked for
    assert (scores.lower <= scores.expected)[200:].all()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_99_of_100_samples_lie_in_the_band(kind: str) -> None:
    make, every = KINDS[kind]
    t = START + every * np.arange(20_000)
    x = make(len(t), t, Chance(3))[:, None]
    _, opinion = judge(STACK, {}, Frame(t * SECOND, ("a",), ("value",), x[:, :, None]))
    lower, upper = opinion.scores.lower, opinion.scores.upper
    assert lower is not None
    assert upper is not None
    outside = (x < lower[:, :, 0]) | (x > upper[:, :, 0])
    assert 0.002 <= outside[4000:].mean() <= 0.02


def test_how_many_samples_came_before() -> None:
    x = noise(300)
    x[::3] = np.nan
    states, first = judge(STACK, {}, frame(x)[:100])
    _, second = judge(STACK, states, frame(x)[100:])
    before = np.concatenate([first.before, second.before])[:, 0]
    seen = np.isfinite(x[:, 0])
    assert before.tolist() == (np.cumsum(seen) - seen).tolist()
    assert second.seen.tolist() == [seen.sum()]
    assert first.seen.tolist() == [seen[:100].sum()]  # and stays so
    assert WARM < 100


def test_one_detector_alone_will_do() -> None:
    for detector in (Step(), Surprise(), Shy()):
        _, opinion = judge([detector], {}, frame(noise(300)))
        assert np.isfinite(opinion.scores.values).any()


def test_without_a_detector_there_is_no_opinion() -> None:
    _, opinion = judge([], {}, frame(noise(300)))
    assert np.isnan(opinion.scores.values).all()


def test_a_view_without_an_opinion_is_left_out() -> None:
    _, both = judge([Step(), Shy()], {}, frame(noise(300)))
    _, alone = judge([Step()], {}, frame(noise(300)))
    np.testing.assert_array_equal(both.scores.values[::2], alone.scores.values[::2])
    assert (both.scores.values[1::2] != alone.scores.values[1::2]).any()


def test_of_two_sizes_the_larger_counts() -> None:
    """Calibrated by its own past, ten times the surprise is no larger."""
    x = noise(1500)
    x[1400] += 40
    _, one = judge([Step(), Surprise()], {}, frame(x))
    _, two = judge([Step(), Surprise(), Large()], {}, frame(x))
    np.testing.assert_allclose(two.scores.values, one.scores.values, atol=1e-6)


class Renewed(Step):
    """Returns arrays of its own instead of those it was given."""

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        state, scores = super().step({k: a.copy() for k, a in state.items()}, frame)
        return state, scores


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("detectors", [STACK, [Renewed()], []])
def test_blocks_and_threads_change_nothing(
    detectors: list[Detector], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = noise(120, 23)
    x[50:60, 7] = np.nan
    whole = judge(detectors, {}, frame(x))
    monkeypatch.setattr("amiss.steps.judge.BLOCK", 240)
    states: States = {}
    found = []
    for part in (slice(0, 40), slice(40, 41), slice(41, 120)):
        states, opinion = judge(detectors, states, frame(x)[part], each(threads))
        found.append(opinion)
    for name in ("values", "expected", "lower", "upper"):
        parts = np.concatenate([getattr(o.scores, name) for o in found])
        np.testing.assert_array_equal(parts, getattr(whole[1].scores, name))
    for name in ("interval", "before"):
        parts = np.concatenate([getattr(o, name) for o in found])
        np.testing.assert_array_equal(parts, getattr(whole[1], name))
    assert states.keys() == whole[0].keys()
    for name, state in states.items():
        for column, array in state.items():
            np.testing.assert_array_equal(array, whole[0][name][column])


def test_equal_settings_share_a_name_and_others_do_not() -> None:
    assert name_of(Drift(span=60)) == name_of(Drift())
    assert name_of(Drift()) != name_of(Drift(span=144))


def test_a_fitted_forest_is_calibrated_like_any_other() -> None:
    """Its raw score becomes nats against its own past; unfitted it has no opinion."""
    x = noise(900, 4).reshape(900, 1, 4)
    x[850] += 6
    whole = Frame(frame(x[:, 0]).time, ('host="a"',), ("a", "b", "c", "d"), x)
    forest = IsolationForest()
    states: States = {}
    states, raw, nats, before = judge_jointly(forest, states, whole[:100])
    assert np.isnan(nats.values).all()
    assert not before.any()
    states[name_of(forest)] = forest.fit(states[name_of(forest)], whole[:300])
    states, raw, nats, before = judge_jointly(forest, states, whole)
    assert np.argmax(raw.values) == np.argmax(nats.values) == 850
    assert nats.values[850] > 4.5
    assert before[:, 0].tolist() == list(range(900))


def test_what_came_before_is_not_forgotten_with_the_ranks() -> None:
    """Ranks forget half at 20,000 scores; how long a system was watched does not depend on it."""
    n = 20_300
    x = noise(n, 2).reshape(n, 1, 2)
    whole = Frame(frame(x[:, 0]).time, ('host="a"',), ("a", "b"), x)
    forest = IsolationForest(trees=2)
    fitted = {name_of(forest): forest.fit(forest.init(1, 2), whole[:300])}
    *_, before = judge_jointly(forest, fitted, whole)
    states, *_ = judge_jointly(forest, fitted, whole[: n - 1])
    *_, last = judge_jointly(forest, states, whole[n - 1 :])
    assert before[-1, 0] == last[0, 0] == n - 1


@pytest.mark.parametrize("module", [expect, rank, size, budget])
def test_states_are_as_large_as_their_docstrings_say(module: Any) -> None:
    found = re.search(r"([\d,]+) bytes each", module.init.__doc__)
    assert found
    said = int(found[1].replace(",", ""))
    assert sum(a.nbytes for a in module.init(1000).values()) == 1000 * said


def test_all_state_of_a_series_fits_in_two_kilobytes() -> None:
    states, _ = judge(STACK, {}, frame(noise(10, 100)))
    assert sum(a.nbytes for of in states.values() for a in of.values()) <= 2100 * 100


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (8, []),  # one block, which is not shared
        (10, [5, 5]),
        (17, [5, 5, 5, 2]),
        (64, [8] * 8),
        (100, [7] * 14 + [2]),
        (1000, [8] * 125),
    ],
)
def test_cores_have_as_much_to_do(
    count: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    firsts: list[int] = []

    def shared(what: Callable[[Any], None], blocks: Iterable[int]) -> Iterable[None]:
        firsts.extend(blocks)
        return map(what, firsts)

    monkeypatch.setattr("amiss.steps.judge.BLOCK", 8)
    judge(STACK, {}, frame(np.ones((1, count))), shared)
    assert np.diff([*firsts, count]).tolist() == sizes
