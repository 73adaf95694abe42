"""Simple methods and their treatment: causal, and against plain versions."""

from itertools import pairwise
from math import erfc, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.evaluate.quality.baselines import BASELINES, Opinion, among
from amiss.evaluate.quality.treatment import interval_of, layered, plain

CHANCE = np.random.default_rng(0)
VALUES = CHANCE.normal(size=(400, 3))
VALUES[50:60, 1] = np.nan
TIME = np.arange(400) * 300
START = 100


@pytest.mark.parametrize("name", BASELINES)
def test_nothing_is_looked_at_before_its_turn(name: str) -> None:
    other = VALUES.copy()
    other[300:] = 1000.0
    whole, changed = (BASELINES[name](values, START) for values in (VALUES, other))
    cut = BASELINES[name](VALUES[:300], START)
    for one in (changed, cut):
        assert one.nats[:300].tolist() == whole.nats[:300].tolist()
        assert one.raw[:300].tolist() == whole.raw[:300].tolist()
    for treat in (plain, layered):
        said, less = (treat(TIME[: len(o.raw)], o, 300.0, 1.0) for o in (whole, cut))
        assert less.score.tolist() == said.score[:300].tolist()
        assert less.alert.tolist() == said.alert[:300].tolist()


def test_random_is_a_valid_p_and_flag_all_flags_all() -> None:
    many = np.zeros((20_000, 1))
    p = np.exp(-BASELINES["random"](many, 10).nats)
    assert (p <= 0.01).mean() == pytest.approx(0.01, abs=0.003)
    assert len(set(BASELINES["flag-all"](many, 10).nats)) == 1


@settings(deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=40))
def test_difference_and_ewma_read_like_their_equations(numbers: list[int]) -> None:
    values = np.array(numbers, float)[:, None]
    far = [abs(b - a) for a, b in pairwise(numbers)]
    expected = [0.0, 0.0]
    for n in range(1, len(far)):
        mean = sum(far[:n]) / n
        expected.append(far[n] / mean if mean else 60.0 * (far[n] > 0))
    assert BASELINES["|difference|"](values, 1).nats == pytest.approx(expected)
    mean, variance, said = float(numbers[0]), 0.0, [0.0]
    for x in numbers[1:]:
        z = abs(x - mean) / sqrt(variance) if variance else 0.0
        said.append(-log(erfc(z / sqrt(2))) if z < 25 else z * z / 2 + log(z * sqrt(np.pi / 2)))
        variance = 0.95 * (variance + 0.05 * (x - mean) ** 2)
        mean += 0.05 * (x - mean)
    assert BASELINES["EWMA z"](values, 1).nats == pytest.approx(said)


def test_the_forest_finds_what_is_unlike_the_past() -> None:
    values = VALUES[:, :1].copy()
    values[350] = 30.0
    said = BASELINES["isolation forest"](values, START)
    assert said.nats[START:].argmax() in (250, 251)  # the leap there, or the one back
    assert said.nats.max() == pytest.approx(log(START + 1), abs=1e-3)


def test_among_is_the_share_of_the_past_that_is_as_high() -> None:
    raw = np.array([1.0, 2.0, 3.0, 2.0, 9.0, 10.0])
    said = among(raw, 3)
    assert np.exp(-said[:4]) == pytest.approx([1.0, 3 / 4, 2 / 4, 3 / 4], abs=1e-3)
    assert said[5] > said[4] > said[2]


def test_the_plain_treatment_is_a_fixed_bar_and_a_silence() -> None:
    nats = np.zeros(400)
    nats[[10, 20, 200, 390]] = 9.0, 10.0, 5.0, 9.0
    opinion = Opinion(nats, nats)
    said = plain(TIME, opinion, 300.0, 1.0)  # ln 2016 = 7.6; 12 h are 144 rows
    assert np.flatnonzero(said.alert).tolist() == [10, 390]
    often = plain(TIME, opinion, 300.0, 70.0)  # ln 28.8 = 3.4; 10 minutes
    assert np.flatnonzero(often.alert).tolist() == [10, 20, 200, 390]


def test_the_layer_ranks_and_says_nothing_too_early() -> None:
    raw = CHANCE.exponential(size=400)
    raw[[20, 399]] = 50.0
    said = layered(TIME, Opinion(raw, raw), 300.0, 1.0)
    assert said.score[100:].argmax() == 299
    assert not said.alert[:96].any()  # it has seen too little


def test_the_interval_is_that_of_the_rows_to_learn_from() -> None:
    assert interval_of(np.array([0, 60, 120, 180, 9999]), 4) == 60.0
    assert interval_of(np.array([0, 60, 120]), 0) == 60.0
