"""Recall at a rate of false alerts, budgets and bands, against plain versions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.evaluate.quality import recall
from amiss.evaluate.quality.coverage import coverage
from amiss.evaluate.quality.inputs import Curve, spans
from amiss.evaluate.quality.kept import kept

WEEK = 604800


def curve(rows: int, *events: tuple[int, int], start: int = 0, every: int = 3600) -> Curve:
    return Curve("a", np.arange(rows) * every, np.zeros(rows), events, start)


def counted(it: Curve, score: np.ndarray, theta: float) -> tuple[int, int]:
    """Events found and false alerts, row by row."""
    found = sum(any(score[r] >= theta for r in range(a, b)) for a, b in it.judged())
    false, last = 0, -100
    for row in range(it.start, len(score)):
        if score[row] >= theta and not any(a <= row < b for a, b in it.events):
            false += row - last > recall.APART
            last = row
    return found, false


@given(st.integers(0, 10**6))
def test_counts_are_those_of_a_look_at_each_row(seed: int) -> None:
    chance = np.random.default_rng(seed)
    its = [curve(300, (90, 95), (140, 170), (250, 251), start=int(n)) for n in (80, 93, 150)]
    scores = [np.round(chance.exponential(size=300), 1) for _ in its]
    scores[0][chance.random(300) < 0.2] = np.nan
    theta = np.array([0.5, 1.0, 2.5, 4.0])
    found = recall.count(its, scores, theta)
    for c, (it, score) in enumerate(zip(its, scores, strict=True)):
        known = np.nan_to_num(score, nan=-1.0)
        said = [counted(it, known, limit) for limit in theta]
        assert [*zip(found.found[c], found.false[c], strict=True)] == said


def test_the_threshold_comes_from_the_other_half() -> None:
    """Two curves a week long, each with two false alerts beside its event: one is put up with."""
    its = [curve(169, (100, 103)), curve(169, (100, 103))]
    scores = [np.zeros(169), np.zeros(169)]
    scores[0][[20, 60, 101]] = 3.0, 5.0, 4.0
    scores[1][[20, 60, 101]] = 6.0, 8.0, 7.0
    counts = recall.count(its, scores, np.arange(1.0, 9.0))
    # learned on the first: 4 lets through 5 alone, and both false alerts of the second;
    # learned on the second: 7 finds nothing in the first and lets nothing through
    assert recall.crossed(counts) == (pytest.approx(0.5), pytest.approx(1.0))


def test_to_flag_everything_is_no_threshold() -> None:
    it, score = curve(400, (300, 303), start=200), np.full(400, 5.0)
    assert recall.thetas([score[200:]]).tolist() == []
    assert recall.crossed(recall.count([it, it], [score, score], np.zeros(0))) == (0.0, 0.0)
    assert recall.past([it], [score]) == np.inf


def test_the_past_alone_sets_a_threshold_without_labels() -> None:
    it = curve(2 * 168 * 4 + 1, start=168 * 4)  # four weeks to learn from; the last two are asked
    score = np.linspace(0.0, 1.0, len(it.time))
    score[[350, 400, 500, 600]] = 7.0, 9.0, 8.0, 7.5
    theta = recall.past([it], [score])
    assert 7.5 < theta <= 8.0


def test_a_budget_is_counted_in_judged_rows() -> None:
    it = curve(337, (200, 210), start=168)  # one week is judged
    quiet = curve(337, start=168)
    alert = np.zeros(337, bool)
    alert[[5, 201, 205, 300]] = True
    found = kept([it, quiet], [alert, np.zeros(337, bool)])
    assert found.ratio == pytest.approx(3 / 2)
    assert found.within == 0.0
    assert (found.recall, found.precision) == (1.0, pytest.approx(2 / 3))
    assert kept([it], [np.isin(np.arange(337), [201, 300])]).within == 1.0


def test_long_gaps_were_not_watched() -> None:
    time = np.append(np.arange(100) * 60, 10 * WEEK)
    it = Curve("a", time, np.zeros(101), (), 0)
    assert it.weeks() == pytest.approx((99 * 60 + 600) / WEEK)


def test_coverage_counts_normal_points_with_a_band() -> None:
    nan = np.nan
    value = np.array([1.0, 2.0, 9.0, nan, 5.0, 5.0])
    lower = np.array([0.0, 2.5, 0.0, 0.0, nan, 0.0])
    upper = np.array([2.0, 3.0, 3.0, 9.0, 9.0, 9.0])
    normal = np.array([True, True, False, True, True, True])
    found = coverage([(value, lower, upper, normal), (value[:1],) * 3 + (normal[:1],)])
    assert found.banded.tolist() == [3, 1]  # not: the event, the gap, the half of a band
    assert found.bare.tolist() == [1, 0]
    assert found.share == pytest.approx(3 / 4)
    assert np.isnan(coverage([]).share)


@given(st.lists(st.booleans()))
def test_spans_are_runs_of_what_is_set(flags: list[bool]) -> None:
    again = np.zeros(len(flags), bool)
    for a, b in spans(np.array(flags, bool)):
        assert a < b
        assert not again[max(a - 1, 0) : b].any()  # apart, and in order
        again[a:b] = True
    assert again.tolist() == flags
