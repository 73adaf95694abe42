"""A model that is not in use steps through what was recorded as if it were."""

import numpy as np
import pytest

from amiss.errors import ConfigError
from amiss.run import fit, training
from amiss.run.compared import compare, rate
from amiss.run.fit import fit_here
from amiss.run.shadow import Shadow, shadow
from amiss.run.training import look_up, retrain, trainees
from amiss.run.watch import close
from amiss.steps.judge import name_of
from run.rig import EVERY, START, Rig, pipeline


@pytest.fixture
def rig(rig: Rig, monkeypatch) -> Rig:
    monkeypatch.setattr(training, "fit_apart", lambda d, s, h, stop=None, **how: fit_here(d, s, h))
    rig.pipeline = pipeline(joint=True)
    rig.start()
    rig.run(150)
    return rig


def trained(rig: Rig, samples: int) -> training.Card:
    [forest, _] = trainees([rig.watch])
    look_up(forest, rig.store)
    return retrain(forest, samples, rig.store, rig.watch.world)


def test_a_shadow_says_what_live_said(rig: Rig) -> None:
    """To the digits that history is kept with."""
    card = trained(rig, 120)
    rig.run(60)
    said = rig.watch.seen.joint[card.detector][1]
    close(rig.watch)
    found = shadow(rig.store, card.id, rig.clock.now())
    assert found.time.tolist() == [START + t * EVERY for t in range(150, 210)]
    assert found.nats[-1, 0] == pytest.approx(said.values[-1, 0], abs=0.05)


def test_two_models_on_the_same_moments(rig: Rig) -> None:
    small, large = trained(rig, 60), trained(rig, 140)
    rig.run(80)
    close(rig.watch)
    one, other = (shadow(rig.store, card.id, rig.clock.now()) for card in (small, large))
    found = compare(one, other)
    assert found.samples == len(one.time) == 80
    assert found.told[0] == int((one.nats >= np.log(1000)).sum())
    assert -1 <= found.agreement <= 1
    assert len(found.apart) == 5


def test_the_numbers_of_a_comparison(rig: Rig) -> None:
    card = trained(rig, 60)
    day = 86_400 * 10**9
    time = np.array([0, 1, 2, 3]) * day
    one = Shadow(card, time, np.array([[1.0], [8.0], [2.0], [7.0]]))
    other = Shadow(card, time[1:], np.array([[9.0], [np.nan], [3.0]]))
    found = compare(one, other)
    assert (found.samples, found.told, found.both) == (2, (2, 1), 1)
    assert (found.first, found.last) == (day, 3 * day)
    assert rate(found.told[0], found) == 1.0
    assert [at // day for at, *_ in found.apart] == [3, 1]
    same = compare(one, one)
    assert same.agreement == pytest.approx(1.0)
    upside = compare(one, Shadow(card, time, -one.nats))
    assert upside.agreement == pytest.approx(-1.0)


def test_figures_of_labels_and_forecasts(rig: Rig) -> None:
    card = trained(rig, 60)
    time, nats = np.arange(4) + card.last, np.array([[1.0], [8.0], [2.0], [7.0]])
    label = np.array([[0.0], [1.0], [1.0], [0.0]])
    one = Shadow(card, time, nats, {"a": 1.0, "b": 3.0}, {"a": 2.0, "b": 2.0}, label)
    found = compare(one, Shadow(card, time, -nats))
    assert found.labelled == 2
    side, other = found.sides
    assert (side.told, side.often, side.found, side.known) == (2, 2, 1, 1)
    assert side.off == 1.0 and np.isnan(other.off)
    assert side.area == 0.75  # of four pairs three are ranked right
    assert other.area == 0.25
    assert side.middle == 4.5


def test_nothing_to_compare_on_yet(rig: Rig) -> None:
    card = trained(rig, 60)
    close(rig.watch)
    empty = shadow(rig.store, card.id, rig.clock.now())
    with pytest.raises(ConfigError, match="there is no moment that both"):
        compare(empty, empty)


def test_a_promoted_model_is_taken_by_the_program_that_runs(rig: Rig) -> None:
    first, second = trained(rig, 60), trained(rig, 140)
    rig.run(1)
    [forest, _] = trainees([rig.watch])
    assert look_up(forest, rig.store)
    assert forest.card == second
    assert not training.follow(forest, rig.store)
    rig.store.promote(first.id)
    assert training.follow(forest, rig.store)
    assert forest.card == first
    rig.run(1)
    wanted = rig.store.load_model(first.id)[1][first.detector]["path"]
    np.testing.assert_array_equal(rig.watch.states[first.detector]["path"], wanted)
    assert not training.follow(forest, rig.store)


def test_a_model_of_other_metrics_does_not_serve(rig: Rig) -> None:
    card = trained(rig, 60)
    rig.run(1)
    [forest, _] = trainees([rig.watch])
    look_up(forest, rig.store)
    states = rig.store.load_model(card.id)[1]
    states[card.detector]["norm"] = states[card.detector]["norm"] + 1
    other = card.said() | {"features": ["pressure"], "trained": card.trained + 1}
    rig.store.save_model(other, states)
    before = rig.watch.states[name_of(forest.detector)]["path"]
    assert training.follow(forest, rig.store)
    assert (
        "fitted on other metrics: it knows pressure; it does not know cpu_percent" in forest.failed
    )
    rig.run(1)
    assert rig.watch.states[name_of(forest.detector)]["path"] is before
    assert forest.card == card
    assert not training.follow(forest, rig.store)  # said once


def test_stages_are_told_of_by_the_worker() -> None:
    from run.test_fit import FOREST, history

    told: list[fit.Stage] = []
    found = fit.fit_apart(FOREST, {}, history(), validating=True, tell=told.append)
    assert [stage.doing for stage in told] == ["validating", "fitting"]
    assert told[1].seconds is not None
    assert 0 <= found.figures["validation"]["told"]["0.01"] <= 1
    assert found.figures["memory_mb"] > 10
