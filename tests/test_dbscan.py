"""Distance to the nearest core, against what scikit-learn calls a core and noise."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.cluster import DBSCAN

from amiss.data import Floats, Frame, State
from amiss.detecting import snapshots
from amiss.detectors import dbscan
from amiss.detectors.dbscan import Dbscan, bend
from made import Chance

NAMES = tuple("abcdef")


def frame(x: Floats) -> Frame:
    """(T, F) snapshots of one system."""
    return Frame(np.arange(len(x)), ('host="h"',), NAMES[: x.shape[1]], x[:, None, :])


def fitted(x: Floats, **said: object) -> tuple[Dbscan, State]:
    detector = Dbscan.model_validate(said)
    return detector, detector.fit(detector.init(1, x.shape[1]), frame(x))


def crowds(n: int, seed: int = 1) -> Floats:
    """Three metrics in one of two crowds, and one in fifty anywhere."""
    chance = Chance(seed)
    x = 0.2 * chance.normal(3 * n).reshape(n, 3)
    x += np.where(chance.uniform(n) < 0.3, 5.0, 0.0)[:, None] * [1, -1, 1]
    anywhere = chance.uniform(n) < 0.02
    x[anywhere] += 20.0 * chance.uniform(3 * n).reshape(n, 3)[anywhere] - 10.0
    return x * [1.0, 1e6, 1e-3]


@pytest.mark.parametrize("said", [{"eps": 0.3}, {"eps": 0.15, "min_samples": 20}, {}])
def test_cores_and_noise_are_those_of_scikit_learn(said: dict[str, float]) -> None:
    x = crowds(800)
    detector, state = fitted(x, **said)
    _, rows, _ = snapshots.learn(frame(x))
    theirs = DBSCAN(eps=float(state["eps"][0]), min_samples=detector.min_samples).fit(rows)
    np.testing.assert_array_equal(state["cores"], rows[np.sort(theirs.core_sample_indices_)])
    scores = detector.step(state, frame(x))[1].values[:, 0]
    np.testing.assert_array_equal(scores > 1.0, theirs.labels_ == -1)
    assert 0 < (scores > 1.0).sum() < 400


def test_the_score_is_the_distance_in_units_of_eps() -> None:
    detector, state = fitted(crowds(500), eps=0.4)
    new = crowds(30, seed=5)
    rows, _ = snapshots.rows_of(state, frame(new))
    apart = rows[:, None, :] - state["cores"][None, :, :]
    wanted = np.sqrt((apart**2).sum(axis=2)).min(axis=1) / 0.4
    np.testing.assert_allclose(detector.step(state, frame(new))[1].values[:, 0], wanted, rtol=1e-12)


def test_what_is_far_from_all_crowds_is_strange_and_blamed() -> None:
    detector, state = fitted(crowds(1000))
    new = np.array([[0.0, 0.0, 0.0], [5.0, -5e6, 5e-3], [0.0, -5e6, 0.0], [0.0, 0.0, 9.0]])
    _, scores = detector.step(state, frame(new))
    assert (scores.values[:2, 0] <= 1.0).all()
    assert (scores.values[2:, 0] > 1.0).all()
    assert scores.blame is not None
    assert np.argmax(scores.blame[2:, 0], axis=1).tolist() == [1, 2]


def test_eps_is_found_where_the_distances_bend() -> None:
    """Nine in ten lie near, and then the distances rise."""
    reach = np.concatenate([np.linspace(0.10, 0.12, 900), np.linspace(0.12, 5.0, 100)])
    assert bend(reach) == pytest.approx(0.12, abs=0.001)
    assert bend(np.full(50, 0.7)) == 0.7
    assert bend(np.zeros(50)) == dbscan.LEAST


def test_cores_that_are_too_many_are_thinned_and_none_is_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = crowds(1500)
    _, whole = fitted(x, eps=0.4)
    monkeypatch.setattr(dbscan, "CORES", 300)
    _, thinned = fitted(x, eps=0.4)
    assert len(thinned["cores"]) == 300 < len(whole["cores"])
    away, _ = dbscan.nearest(thinned["cores"], whole["cores"])
    some = whole["cores"][snapshots.evenly(len(whole["cores"]), 300)]
    by_chance, _ = dbscan.nearest(some, whole["cores"])
    assert away.max() < 0.2 < by_chance.max()


def test_no_crowd_leaves_the_old_ones() -> None:
    _, state = fitted(crowds(300))
    alone = frame(np.arange(30.0).reshape(10, 3) ** 3)
    assert Dbscan(eps=1e-3).fit(state, alone) is state


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"eps": 0}, "greater than 0"),
        ({"min_samples": 0}, "greater than or equal to 1"),
        ({"metric": "cosine"}, "Extra inputs"),
    ],
)
def test_settings_that_make_no_sense(said: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Dbscan.model_validate(said)
