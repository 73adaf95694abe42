"""Members that are calibrated, what they say together, and what that means."""

import numpy as np
import pytest
from pydantic import ValidationError

from amiss import config
from amiss.component import Detector
from amiss.data import Floats, Frame, State
from amiss.decide import tail
from amiss.detectors.classifier import Classifier
from amiss.detectors.dbscan import Dbscan
from amiss.detectors.ensemble import Ensemble
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.linear_regression import LinearRegression
from amiss.detectors.one_class_svm import OneClassSvm
from amiss.errors import ConfigError, StateError
from amiss.run.figures import left_out
from amiss.run.fit import fit_apart
from amiss.steps.judge import name_of
from made import Chance

NAMES = ("a", "b", "c", "suspicious")
THREE = (IsolationForest(), OneClassSvm(), Dbscan())


def frame(x: Floats, names: tuple[str, ...] = NAMES) -> Frame:
    """(T, F) snapshots of one system."""
    return Frame(np.arange(len(x)), ('host="h"',), names[: x.shape[1]], x[:, None, :])


def noise(n: int, seed: int = 1) -> Floats:
    """Three metrics, two of which go together."""
    x = Chance(seed).normal(3 * n).reshape(n, 3)
    x[:, 1] = x[:, 0] + 0.3 * x[:, 1]
    return x


def fitted(
    x: Floats, members: tuple[Detector, ...] = THREE, **said: object
) -> tuple[Ensemble, State]:
    ensemble = Ensemble(detectors=members, **said)
    return ensemble, ensemble.fit(ensemble.init(1, x.shape[1]), frame(x))


def votes_of(ensemble: Ensemble, state: State, x: Frame) -> Floats:
    """(K, T, S); the state stays as it is."""
    votes = ensemble.step({name: array.copy() for name, array in state.items()}, x)[1].votes
    assert votes is not None
    return np.moveaxis(votes, 2, 0)


def told(ensemble: Ensemble, state: State, x: Floats) -> Floats:
    return ensemble.step(state, frame(x))[1].values[:, 0]


def test_each_member_is_calibrated_by_what_it_said_of_rows_it_had_not_seen() -> None:
    x, new = noise(1000), noise(50, seed=2)
    ensemble, state = fitted(x)
    votes = votes_of(ensemble, state, frame(new))
    for k, detector in enumerate(THREE):
        own = detector.fit(detector.init(1, 3), frame(x[:800]))
        past = np.sort(detector.step(own, frame(x[800:]))[1].values[:, 0])
        wanted = tail.nats(past, detector.step(own, frame(new))[1].values[:, 0])
        np.testing.assert_array_equal(votes[k, :, 0], wanted)


@pytest.mark.parametrize("voting", ["mean", "any", "majority", "all"])
def test_p_keeps_its_promise_on_samples_like_those_of_the_past(voting: str) -> None:
    """A share a has p <= a; the mean may have a little more (and none of them twice as many)."""
    shares, two = list[float](), (IsolationForest(trees=20), Dbscan())
    for seed in range(8):
        ensemble, state = fitted(noise(1000, seed), two, voting=voting)
        found = told(ensemble, state, noise(500, 100 + seed))
        shares.append(float(np.mean(found >= np.log(20))))
    assert np.mean(shares) < 0.05 * (1.6 if voting == "mean" else 1.2)


@pytest.mark.parametrize(
    ("said", "votes", "wanted"),
    [
        ({}, [1.0, 2.0, 6.0], np.log(np.mean(np.exp([1.0, 2.0, 6.0])))),
        ({"weights": (1, 1, 2)}, [1.0, 2.0, 6.0], np.log(np.mean(np.exp([1.0, 2.0, 6.0, 6.0])))),
        ({"weights": (1, 1, 2)}, [1.0, np.nan, 6.0], np.log(np.mean(np.exp([1.0, 6.0, 6.0])))),
        ({"voting": "any"}, [1.0, 2.0, 6.0], 6.0 - np.log(3)),
        ({"voting": "any"}, [1.0, np.nan, 6.0], 6.0 - np.log(2)),
        ({"voting": "majority"}, [1.0, 2.0, 6.0], 2.0 - np.log(3 / 2)),
        ({"voting": "majority"}, [np.nan, 2.0, 6.0], 2.0),
        ({"voting": "all"}, [1.0, 2.0, 6.0], 1.0),
        ({"voting": "all"}, [np.nan, np.nan, 6.0], 6.0),
        ({"voting": "any"}, [0.1, 0.2, 0.3], 0.0),
        ({}, [np.nan, np.nan, np.nan], np.nan),
    ],
)
def test_votes_are_put_together(said: dict[str, object], votes: list[float], wanted: float) -> None:
    ensemble = Ensemble.model_validate({"detectors": THREE, **said})
    found = ensemble.fused(np.array(votes)[:, None, None])
    np.testing.assert_allclose(found[0, 0], wanted, rtol=1e-12)


def test_the_confidence_is_the_share_of_anomalies_where_its_assumptions_hold() -> None:
    """p uniform of the normal ones, x p^(x-1) of the others, x uniform; one in ten is one."""
    chance, n = Chance(5), 400_000
    ensemble = Ensemble(detectors=THREE, contamination=0.1)
    bad = chance.uniform(n) < 0.1
    s = chance.exponential(n) / np.where(bad, chance.uniform(n), 1.0)
    sure = ensemble.confidence(s)
    assert ((sure >= 0.0) & (sure <= 1.0)).all()
    for low, high in [(0.05, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.0)]:
        here = (sure >= low) & (sure < high)
        assert np.mean(bad[here]) == pytest.approx(np.mean(sure[here]), abs=0.03)
    line = ensemble.confidence(np.linspace(0.0, 30.0, 10_001))
    assert (np.diff(line) >= 0.0).all()
    assert ensemble.confidence(np.array([0.0]))[0] == pytest.approx(1 / 19)


def test_what_breaks_the_rule_of_two_metrics_is_strange_and_they_are_blamed() -> None:
    ensemble, state = fitted(noise(2000))
    new = noise(30, seed=7)
    new[10] = [2.0, -2.0, 0.0]
    _, scores = ensemble.step(state, frame(new))
    assert np.argmax(scores.values[:, 0]) == 10
    assert scores.blame is not None
    assert np.argsort(scores.blame[10, 0]).tolist()[0] == 2
    assert ensemble.confidence(scores.values[10])[0] > 0.5


def test_it_says_who_disagrees() -> None:
    """A value far from all others in a metric that does not matter to the regression."""
    ensemble, state = fitted(noise(1000), (Dbscan(), LinearRegression(targets=("a",))))
    x = noise(30, seed=3)
    x[20, 2] = 40.0
    votes = ensemble.step(state, frame(x))[1].votes
    assert votes is not None
    why = [ensemble.voices(one)[1:] for one in votes[:, 0]]
    assert why[20][0].startswith("dbscan 1.00")
    assert why[20][1].startswith("linear_regression 0.")
    assert why[20][2] == "they disagree"
    assert sum("they disagree" in one for one in why) < 5
    assert ensemble.voices(votes[20, 0])[0] == "confidence 1.00"
    assert ensemble.voices(np.full(2, np.nan)) == ()


def test_it_forecasts_what_a_member_forecasts() -> None:
    x = noise(500)
    members = (IsolationForest(), LinearRegression(targets=("a",)))
    ensemble, state = fitted(x, members)
    alone = members[1]
    own = alone.fit(alone.init(1, 3), frame(x[:400]))
    state, _ = ensemble.step(state, frame(x[:50]))
    own, _ = alone.step(own, frame(x[:50]))
    np.testing.assert_allclose(ensemble.forecast(state)["a"], alone.forecast(own)["a"])


def labelled(n: int, seed: int = 1) -> Floats:
    """One in ten is suspicious, and has more of the third metric."""
    x, bad = noise(n, seed), Chance(seed + 50).uniform(n) < 0.1
    x[bad, 2] += 4.0
    return np.column_stack([x, bad])


def test_labels_are_read_by_those_who_learn_from_them_alone() -> None:
    members = (IsolationForest(), Classifier(label="suspicious"))
    ensemble, state = fitted(labelled(1000), members)
    assert state["0.names"].tolist() == state["1.names"].tolist() == ["a", "b", "c"]
    late = labelled(1000)[800:, 3]
    assert len(state["past.0"]) == len(state["past.1"]) == 200 - late.sum()
    new = labelled(400, seed=3)
    scores = told(ensemble, state, new)
    assert np.median(scores[new[:, 3] > 0]) > np.quantile(scores[new[:, 3] == 0], 0.95)
    new[:, 3] = np.nan
    np.testing.assert_array_equal(told(ensemble, state, new), scores)


def test_a_member_that_cannot_learn_is_left_out() -> None:
    """Nobody has labelled anything yet."""
    members = (IsolationForest(), Dbscan(), Classifier(label="suspicious"))
    ensemble, state = fitted(noise(400), members)
    votes = votes_of(ensemble, state, frame(noise(20)))
    assert np.isfinite(votes[:2]).all()
    assert np.isnan(votes[2]).all()
    assert np.isfinite(told(ensemble, state, noise(20))).all()
    figures = fit_apart(ensemble, {}, frame(noise(400))).figures
    said = "classifier, which had too little to learn from"
    assert list(left_out(figures)) == [("left out", said)]
    two = Ensemble(detectors=members[:2])
    assert list(left_out(fit_apart(two, {}, frame(noise(400))).figures)) == []


def test_it_refuses_where_all_of_them_do() -> None:
    two = (Classifier(label="suspicious"), Classifier(label="suspicious", kind="logistic"))
    with pytest.raises(StateError, match="classifier: the history has no metric 'suspicious'"):
        fitted(noise(300), two)
    with pytest.raises(StateError, match="no metric 'suspicious'"):
        fit_apart(Ensemble(detectors=two), {}, frame(noise(300)))


def test_it_is_fitted_in_a_process_of_its_own() -> None:
    ensemble = Ensemble(detectors=THREE)
    state = fit_apart(ensemble, {}, frame(noise(300))).states[name_of(ensemble)]
    assert set(state) == set(ensemble.init(1, 3))
    assert all(len(state[f"past.{k}"]) == 60 for k in range(3))


def test_a_configuration_has_one() -> None:
    text = """
    pipelines:
      - name: host
        source: {type: host}
        features: {type: grid, every: 5s}
        detectors:
          - type: ensemble
            detectors: [{type: isolation_forest}, {type: dbscan, eps: 0.5, min_samples: 5}]
            voting: all
    """
    detector = config.parse(text, "amiss.yaml").pipelines[0].detectors[0]
    assert detector == Ensemble(
        detectors=(IsolationForest(), Dbscan(eps=0.5, min_samples=5)), voting="all"
    )
    with pytest.raises(ConfigError, match="did you mean 'dbscan'"):
        config.parse(text.replace("type: dbscan", "type: dbscn"), "amiss.yaml")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"detectors": THREE[:1]}, "at least 2"),
        ({"detectors": [*THREE, Dbscan()]}, "detector 'dbscan' is in it twice"),
        ({"detectors": [{"type": "dbscan"}, {"type": "mahalanobis"}]}, "mahalanobis"),
        ({"detectors": [{"type": "dbscan"}, {"type": "level"}]}, "level"),
        ({"detectors": THREE, "weights": [1, 2]}, "2 for 3 detectors; write one each"),
        ({"detectors": THREE, "weights": [1, 2, 3], "voting": "all"}, "nobody weighs more"),
        ({"detectors": THREE, "weights": [1, 2, 0]}, "greater than 0"),
        ({"detectors": THREE, "contamination": 0.7}, "less than or equal to 0.5"),
        ({"detectors": THREE, "voting": "most"}, "'mean', 'any', 'majority' or 'all'"),
    ],
)
def test_settings_that_make_no_sense(said: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Ensemble.model_validate(said)
