"""The isolation forest against plain trees, and what it ranks by."""

from math import log

import numpy as np
import pytest

from amiss.detecting import trees
from amiss.detecting.trees import EULER, TREES


def usual(n: int) -> float:
    return 2 * (log(n - 1) + EULER) - 2 * (n - 1) / n if n > 2 else max(0.0, n - 1.0)


def rows(count: int = 500) -> np.ndarray:
    return np.log1p(np.random.default_rng(3).poisson(3.0, (count, 4)).astype(float))


def test_scores_are_those_of_the_trees() -> None:
    x = rows()
    grown = trees.grow(x)
    column, split, path = grown["feature"], grown["threshold"], grown["path"]
    found = trees.score(grown, x[:20])
    for row, score in zip(x, found.tolist(), strict=False):
        depths = []
        for tree in range(TREES):
            node = 0
            while column[tree, node] >= 0:
                node = 2 * node + (1 if row[column[tree, node]] <= split[tree, node] else 2)
            depths.append(path[tree, node])
        assert score == pytest.approx(2 ** -(np.mean(depths) / usual(256)))
    leaves = trees.leaves(grown, x[:20])
    np.testing.assert_allclose(trees.score_leaves(grown, leaves), found)


def test_a_leaf_is_as_deep_as_it_lies_and_what_it_holds_would_take() -> None:
    """Of no more rows than a subsample has, which is then all of them."""
    x = rows(200).astype(np.float32)
    grown = trees.grow(x)
    found = trees.leaves(grown, x)
    for tree in range(0, TREES, 10):
        column, split = grown["feature"][tree], grown["threshold"][tree]
        for leaf in set(found[:, tree].tolist()):
            held, node, depth = x[found[:, tree] == leaf], leaf, 0
            while node > 0:
                left, node, depth = node % 2 == 1, (node - 1) // 2, depth + 1
                assert ((held[:, column[node]] <= split[node]) == left).all()
            assert depth <= 8
            assert grown["path"][tree, leaf] == pytest.approx(depth + usual(len(held)))
            assert depth == 8 or (held == held[0]).all()  # no split sets equal rows apart


def test_a_lone_row_in_a_leaf_is_as_deep_as_its_leaf() -> None:
    grown = trees.grow(np.array([[0.0], [1.0]]))
    assert set(grown["path"][:, 1].tolist()) == {1.0}
    assert (grown["feature"][:, 0] == 0).all()
    assert ((grown["threshold"][:, 0] >= 0) & (grown["threshold"][:, 0] < 1)).all()


def test_the_far_is_strange_and_the_repeated_is_not() -> None:
    x = np.append(rows(), np.full((60, 4), 8.0), axis=0)
    grown = trees.grow(x)
    alone, often, usual_one = trees.score(grown, np.array([[8.0, 0, 8, 0], [8.0] * 4, x[0]]))
    assert alone > often > 0.0
    assert alone > usual_one
    lonely = trees.grow(np.append(rows(), np.full((1, 4), 8.0), axis=0))
    assert trees.score(lonely, np.full((1, 4), 8.0))[0] > often


def test_the_same_rows_make_the_same_forest() -> None:
    one, other = trees.grow(rows()), trees.grow(rows())
    assert all((one[name] == other[name]).all() for name in one)


def test_rows_that_are_all_alike() -> None:
    for x in (np.ones((100, 3)), np.ones((1, 3))):
        assert np.isfinite(trees.score(trees.grow(x), np.array([[1.0, 2, 3]]))).all()
