"""VUS-PR, average precision, ROC-AUC, F1, grouping: against versions that read like the words."""

from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from amiss.evaluate.quality.grouping import grouping_accuracy
from amiss.evaluate.quality.inputs import spans
from amiss.evaluate.quality.ranking import average_precision, f1, ranked, roc_auc
from amiss.evaluate.quality.vus import THRESHOLDS, vus_pr, width_of

seeds = st.integers(0, 10**6)


def joined(events: list[tuple[int, int]], half: int, rows: int) -> list[tuple[int, int]]:
    """First and last row of events with so much more on both sides."""
    wide = [[a - half, b - 1 + half] for a, b in events]
    for n in range(len(wide) - 1, 0, -1):
        if wide[n][0] <= wide[n - 1][1]:
            wide[n - 1][1] = wide.pop(n)[1]
    return [(max(a, 0), min(b, rows - 1)) for a, b in wide]


def naive_vus(score: np.ndarray, label: np.ndarray, width: int) -> float:
    """One width after the other, one threshold after the other, one row after the other."""
    rows, events, falling = len(score), spans(label), sorted(score, reverse=True)
    thetas = [falling[int(k)] for k in np.linspace(0, rows - 1, THRESHOLDS)]
    widest = {r for a, b in joined(events, width // 2, rows) for r in range(a, b + 1)}
    volume = []
    for edge in range(width + 1):
        soft = [float(x) for x in label]
        for a, b in events:
            for k in range(1, edge // 2 + 1):
                for row in (a - k, b - 1 + k):
                    if 0 <= row < rows:
                        soft[row] = soft[row] + sqrt(1 - k / edge)
        soft = [min(x, 1.0) for x in soft]
        area = recall = 0.0
        for theta in thetas:
            flagged = {r for r in range(rows) if score[r] >= theta}
            caught = sum(soft[r] for r in flagged & widest)
            weight = sum(1.0 if label[r] else soft[r] * (r in flagged) for r in widest)
            wide = joined(events, edge // 2, rows)
            met = sum(any(r in flagged for r in range(a, b + 1)) for a, b in wide) / len(wide)
            now = min(caught / ((label.sum() + weight) / 2), 1.0) * met
            area += (now - recall) * caught / len(flagged)
            recall = now
        volume.append(area)
    return sum(volume) / len(volume)


@settings(max_examples=12, deadline=None)
@given(seeds)
def test_vus_is_what_its_definition_says(seed: int) -> None:
    chance = np.random.default_rng(seed)
    label = np.zeros(70, int)
    for a in chance.choice(64, 3, replace=False):
        label[a : a + int(chance.integers(1, 6))] = 1
    score = np.round(chance.random(70) + label * chance.random(), 1)
    width = int(chance.integers(0, 14))
    assert vus_pr(score, label, width) == pytest.approx(naive_vus(score, label, width), abs=1e-12)


def test_vus_of_the_labels_themselves_and_of_nothing() -> None:
    label = np.isin(np.arange(500), np.arange(200, 230)).astype(int)
    assert vus_pr(label.astype(float), label, 0) == pytest.approx(1.0)
    assert vus_pr(np.zeros(500), label, 0) == pytest.approx(30 / 500)


def test_edges_are_as_wide_as_a_period() -> None:
    t = np.arange(3000)
    assert width_of(np.sin(2 * np.pi * t / 48)) == 48
    assert width_of(np.ones(100)) == 125
    assert width_of(t.astype(float)) == 125


@given(seeds, st.integers(2, 60))
def test_ranking_agrees_with_scikit_learn(seed: int, rows: int) -> None:
    chance = np.random.default_rng(seed)
    label = np.append(chance.integers(0, 2, rows), [0, 1])
    score = chance.integers(0, 8, rows + 2) / 4
    assert average_precision(label, score) == pytest.approx(average_precision_score(label, score))
    assert roc_auc(label, score) == pytest.approx(roc_auc_score(label, score))


def test_labels_that_are_all_alike_have_no_ranking() -> None:
    assert isnan(roc_auc(np.ones(3), np.arange(3.0)))
    assert isnan(average_precision(np.zeros(3), np.arange(3.0)))


def test_f1_by_hand() -> None:
    label, alert = np.array([1, 1, 1, 0, 0]), np.array([True, True, False, True, False])
    assert f1(label, alert) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert f1(label, np.zeros(5, bool)) == (0.0, 0.0, 0.0)


def test_what_is_missing_is_as_low_as_the_lowest() -> None:
    assert ranked(np.array([3.0, np.nan, 2.0])).tolist() == [3.0, 2.0, 2.0]
    assert ranked(np.full(2, np.nan)).tolist() == [0.0, 0.0]


def test_grouping_counts_lines_of_groups_that_are_exactly_right() -> None:
    label = ["a", "a", "b", "b", "c"]
    assert grouping_accuracy(label, [1, 1, 2, 2, 3]) == 1.0
    assert grouping_accuracy(label, [1, 1, 2, 3, 4]) == 3 / 5  # one is split
    assert grouping_accuracy(label, [1, 1, 2, 2, 2]) == 2 / 5  # two are one
    assert grouping_accuracy(label, [1] * 5) == 0.0
