"""Models are fitted while serving goes on: one at a time, and the old one stays if it fails."""

import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from amiss.data import DAY, HOUR, MINUTE
from amiss.errors import ConfigError, StateError, Unreachable
from amiss.model import Card
from amiss.run import fit, training
from amiss.run.fit import fit_here
from amiss.run.training import (
    Trainee,
    look_up,
    model_of,
    past,
    recorded,
    retrain,
    trainees,
    wanted,
)
from amiss.run.watch import close
from amiss.steps.judge import name_of
from run.rig import EVERY, PATIENCE, START, Rig, pipeline
from run.test_watch import same

FOREST, REGRESSION = 0, 1


@pytest.fixture
def rig(rig: Rig) -> Rig:
    rig.pipeline = pipeline(joint=True)
    rig.start()
    rig.run(120)
    return rig


@pytest.fixture
def quick(monkeypatch) -> None:
    """Fitting in this process, which is quicker."""
    monkeypatch.setattr(training, "fit_apart", lambda d, s, h, stop=None, **how: fit_here(d, s, h))


def looked_up(rig: Rig) -> list[Trainee]:
    found = trainees([rig.watch])
    assert [look_up(one, rig.store) for one in found] == [True, True]
    return found


def trained(rig: Rig, which: int = FOREST, samples: int = 100) -> Card:
    trainee = looked_up(rig)[which]
    return retrain(trainee, samples, rig.store, rig.watch.world)


def test_a_model_is_put_to_use_at_the_next_tick(rig, quick) -> None:
    forest, regression = looked_up(rig)
    assert (forest.type, regression.type) == ("isolation_forest", "linear_regression")
    assert model_of(forest, recorded(rig.watch)).state == "waiting"
    name = name_of(forest.detector)
    card = retrain(forest, 100, rig.store, rig.watch.world)
    assert card.samples == 100
    assert card.features == ("cpu_percent", "load", "processes")
    assert (card.first, card.last) == (START + 20 * EVERY, START + 119 * EVERY)
    assert np.isnan(rig.watch.seen.joint[name][1].values).all()
    rig.run(1)
    assert np.isfinite(rig.watch.seen.joint[name][1].values).all()
    shown = model_of(forest, recorded(rig.watch))
    assert (shown.state, shown.id, shown.samples) == ("in use", card.id, 100)
    retrain(regression, 100, rig.store, rig.watch.world)
    rig.run(2)
    forecast = rig.watch.seen.forecasts[name_of(regression.detector)]["cpu_percent"]
    assert forecast[0] == pytest.approx(20, abs=3)


def test_a_kill_after_a_model_was_installed_goes_on_with_it(rig, quick, tmp_path) -> None:
    card = trained(rig)
    regression = trained(rig, REGRESSION)
    rig.run(1)
    before = {name: dict(state) for name, state in rig.watch.states.items()}
    rig.start()
    assert same(rig.watch.states, before)
    rig.run(5)
    ran = rig.watch.states
    rig.start()
    assert rig.watch.progress.replayed == 5
    assert same(rig.watch.states, ran)
    assert [t.card for t in looked_up(rig)] == [card, regression]


def test_a_kill_before_a_model_was_installed_has_it_fitted_again(rig, quick) -> None:
    trained(rig)
    rig.start()
    trainee = looked_up(rig)[FOREST]
    assert trainee.card is None
    assert wanted(trainee, None, rig.clock.now(), recorded(rig.watch)) == 100


def test_a_stop_before_the_next_tick_keeps_the_model(rig, quick) -> None:
    card = trained(rig)
    close(rig.watch)
    rig.start()
    assert looked_up(rig)[FOREST].card == card
    rig.run(1)
    assert all(np.isfinite(rig.watch.seen.joint[card.detector][1].values).ravel())


def test_a_damaged_model_is_fitted_again_and_the_watch_goes_on(rig, quick, caplog) -> None:
    card = trained(rig)
    rig.run(1)
    rig.store.close()
    with sqlite3.connect(rig.folder / "amiss.db") as db:
        db.execute("UPDATE model SET body = substr(body, 1, 100)")
    db.close()
    rig.start()
    trainee = looked_up(rig)[FOREST]
    assert trainee.card is None
    assert f"the stored model {card.id}" in caplog.text
    rig.run(1)
    assert np.isfinite(rig.watch.seen.joint[card.detector][1].values).all()
    assert wanted(trainee, None, rig.clock.now(), recorded(rig.watch)) == 100
    assert retrain(trainee, 100, rig.store, rig.watch.world).id


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (49, "n_samples: 49 is not between 50 and 20000"),
        (20_001, "n_samples: 20001 is not between 50 and 20000"),
        (500, "120 samples are recorded so far; 500 were asked for"),
    ],
)
def test_what_cannot_be_asked_for_is_no_failure_of_the_model(rig, samples, reason) -> None:
    trainee = looked_up(rig)[FOREST]
    with pytest.raises(ConfigError, match=f"^{reason}$"):
        retrain(trainee, samples, rig.store, rig.watch.world)
    assert not trainee.failed
    assert trainee.running is None
    assert model_of(trainee, 120).state == "waiting"


class Gate:
    """Fitting that waits to be let go."""

    def __init__(self, monkeypatch) -> None:
        self.entered, self.open, self.runs = threading.Event(), threading.Event(), 0
        monkeypatch.setattr(training, "fit_apart", self.fit)

    def fit(self, detector, states, history, stop=None, **how):
        self.runs += 1
        self.entered.set()
        assert self.open.wait(PATIENCE)
        return fit_here(detector, states, history)


class Counted:
    """A lock that says when so many have gone through."""

    def __init__(self, wanted: int) -> None:
        self.lock, self.left, self.all = threading.Lock(), wanted, threading.Event()

    def __enter__(self) -> None:
        self.lock.acquire()
        self.left -= 1

    def __exit__(self, *exc: object) -> None:
        if self.left == 0:
            self.all.set()
        self.lock.release()


def test_a_hundred_equal_requests_share_one_run(rig, monkeypatch) -> None:
    gate, trainee = Gate(monkeypatch), looked_up(rig)[FOREST]
    trainee.lock = Counted(100)  # type: ignore[assignment]
    with ThreadPoolExecutor(100) as pool:
        asked = [pool.submit(retrain, trainee, 100, rig.store, rig.watch.world) for _ in range(100)]
        assert trainee.lock.all.wait(PATIENCE)
        with pytest.raises(Unreachable, match="is being trained just now"):
            retrain(trainee, 110, rig.store, rig.watch.world)
        assert model_of(trainee, 120).state == "training"
        gate.open.set()
        cards = {one.result(PATIENCE).id for one in asked}
    assert (len(cards), gate.runs) == (1, 1)
    assert len(rig.store.models()) == 1


def test_others_go_on_while_one_is_trained(rig, monkeypatch) -> None:
    gate, (forest, regression) = Gate(monkeypatch), looked_up(rig)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(retrain, forest, 100, rig.store, rig.watch.world)
        assert gate.entered.wait(PATIENCE)
        rig.run(5)
        gate.open.set()
        retrain(regression, 100, rig.store, rig.watch.world)
        asked.result(PATIENCE)


def test_a_worker_that_fails_leaves_the_old_model_in_use(rig, monkeypatch) -> None:
    trainee = looked_up(rig)[FOREST]
    with monkeypatch.context() as patch:
        patch.setattr(training, "fit_apart", lambda d, s, h, stop=None, **how: fit_here(d, s, h))
        card = retrain(trainee, 100, rig.store, rig.watch.world)
    rig.run(1)
    before = rig.watch.states[card.detector]["path"]
    with monkeypatch.context() as patch:
        patch.setattr(fit, "COMMAND", (sys.executable, "-c", "raise MemoryError('no room')"))
        with pytest.raises(StateError, match="no room"):
            retrain(trainee, 120, rig.store, rig.watch.world)
    rig.run(1)
    assert rig.watch.states[card.detector]["path"] is before
    shown = model_of(trainee, 120)
    assert (shown.state, shown.id) == ("in use", card.id)
    assert shown.reason == "the last training failed: fitting failed: MemoryError: no room"
    monkeypatch.setattr(training, "fit_apart", lambda d, s, h, stop=None, **how: fit_here(d, s, h))
    assert retrain(trainee, 120, rig.store, rig.watch.world).samples == 120
    assert model_of(trainee, 120).reason == ""


def test_when_a_model_is_fitted_by_itself(rig) -> None:
    trainee = looked_up(rig)[FOREST]
    now = rig.clock.now()

    def card(samples: int, age: int = 0, **figures: int) -> Card:
        return Card("f", "f", "made", "1", samples, now - age, 1.0, 0, 0, (), figures=figures)

    for had, every, count, asks in [
        (None, None, 99, None),
        (None, None, 100, 100),
        (None, None, 9000, 8640),
        (card(100), None, 719, None),
        (card(100), None, 720, 720),
        (card(700, asked=8640), None, 9000, None),  # no more were kept
        (card(70, asked=100), None, 720, 720),
        (card(500), None, 9000, None),  # somebody asked for just these
        (card(8640, DAY), None, 30_000, None),
        (card(8640, DAY), DAY, 30_000, 20_000),
        (card(8640, HOUR), DAY, 30_000, None),
    ]:
        trainee.card = had
        assert wanted(trainee, every, now, count) == asks, (had, every, count)
    trainee.card, trainee.tried = None, now
    assert wanted(trainee, None, now + 9 * MINUTE, 100) is None
    assert wanted(trainee, None, now + 10 * MINUTE, 100) == 100
    assert wanted(trainee, None, now - HOUR, 100) == 100


def test_what_was_recorded_before_a_pause_counts(rig) -> None:
    close(rig.watch)
    rig.clock.time += 300 * EVERY
    rig.start()
    rig.run(60)
    found = past(rig.watch, rig.store, 150, rig.watch.world)
    assert len(found.time) == 150
    assert (np.diff(found.time) > 0).all()
    assert found.time[0] == START + 30 * EVERY
    assert len(past(rig.watch, rig.store, 500, rig.watch.world).time) == 180


def test_systems_that_change_before_a_model_is_installed(rig, quick) -> None:
    trainee = looked_up(rig)[FOREST]
    retrain(trainee, 100, rig.store, rig.watch.world)
    model = rig.watch.fitted[0]
    rig.watch.fitted[0] = training.Fitted(model.detector, ('host="gone"',), model.states)
    rig.run(2)
    assert int(rig.watch.states[f"{model.detector}.rank"]["total"][0]) == 2


def test_trainees_outlive_a_reload_with_their_watch(rig) -> None:
    before = looked_up(rig)
    assert trainees([rig.watch], before) == before
    assert not any(one.stop.is_set() for one in before)
    assert trainees([], before) == []
    assert all(one.stop.is_set() for one in before)
    assert isinstance(before[0], Trainee)
