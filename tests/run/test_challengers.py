"""Models are fitted beside the one in use when that is asked for, and only then."""

from itertools import pairwise

import pytest

from amiss.data import DAY, HOUR, SECOND
from amiss.run import challengers, training
from amiss.run.challengers import due, renew, waiting
from amiss.run.fit import fit_here
from amiss.run.models import promote, rollback
from amiss.run.training import Trainee, follow, look_up, model_of, retrain, trainees
from amiss.run.watch import close
from amiss.settings import Retrain
from run.rig import EVERY, Rig, pipeline

SCHEDULED, DRIFTING = Retrain(every=DAY), Retrain(drift=True)


@pytest.fixture
def rig(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(training, "fit_apart", lambda d, s, h, stop=None, **how: fit_here(d, s, h))
    monkeypatch.setattr(challengers, "BLOCK", 30 * EVERY)
    monkeypatch.setattr(challengers, "ALARM", 60)
    rig.pipeline = pipeline(joint=True)
    rig.start()
    rig.run(150)
    return rig


def fitted(rig: Rig) -> Trainee:
    forest, _ = trainees([rig.watch])
    look_up(forest, rig.store)
    retrain(forest, 140, rig.store, rig.watch.world)
    return forest


def settled(rig: Rig, forest: Trainee) -> list[float]:
    """What is known of all blocks, once each has been looked at."""
    looks = [challengers.look(rig.store, forest.card, rig.clock.now()) for _ in range(12)]
    assert {len(b) - len(a) for a, b in pairwise(looks)} <= set(range(challengers.AT_ONCE + 1))
    assert looks[-1] == looks[-2]
    return looks[-1]


def test_nothing_is_fitted_that_was_not_asked_for(rig: Rig) -> None:
    forest = fitted(rig)
    later = rig.clock.now() + 1000 * DAY
    assert due(forest, None, rig.store, later) == ""
    assert due(forest, SCHEDULED, rig.store, forest.card.trained + DAY - 1) == ""
    assert due(forest, SCHEDULED, rig.store, forest.card.trained + DAY) == "on schedule"


def test_a_challenger_waits_beside_the_model_in_use_until_a_person_wants_it(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    forest = fitted(rig)
    rig.run(60)
    own = forest.card.id
    card = retrain(forest, 140, rig.store, rig.watch.world, "on schedule")
    assert card.figures["why"] == "on schedule"
    assert f"challenger {card.id} was fitted: on schedule" in caplog.text
    assert [m.id for m in rig.store.models(in_use=True)] == [own] == [forest.card.id]
    said = model_of(forest, 210)
    assert (said.id, said.state) == (own, "in use")
    assert said.reason == f"challenger {card.id} waits: compare it, and put it to use if better"
    assert waiting(forest, rig.store) == card.id  # as it is looked up after a restart
    assert due(forest, SCHEDULED, rig.store, card.trained + HOUR) == ""
    promote(rig.store, card.id)
    assert follow(forest, rig.store)
    assert (forest.card.id, model_of(forest, 210).reason) == (card.id, "")
    assert waiting(forest, rig.store) == ""


def test_scores_that_stay_high_ask_for_one_challenger(rig: Rig) -> None:
    forest = fitted(rig)
    rig.run(30 * 30)
    close(rig.watch)
    looked = settled(rig, forest)
    assert len(looked) == 29
    assert due(forest, DRIFTING, rig.store, rig.clock.now()) == ""
    rig.numbers.say = lambda time, found: {
        name: value * 3 + time // SECOND % 7 for name, value in found.items()
    }
    rig.run(30 * 20)
    close(rig.watch)
    assert settled(rig, forest)[:29] == looked
    why = due(forest, DRIFTING, rig.store, rig.clock.now())
    assert why.startswith(f"the scores of {forest.card.id} have been higher of late than ever")
    assert "rare if medians of six hours were independent" in why
    retrain(forest, 140, rig.store, rig.watch.world, why)
    assert due(forest, DRIFTING, rig.store, rig.clock.now() + DAY) == ""  # one for each model


def test_back_goes_to_what_served_and_never_to_a_challenger_nobody_chose(rig: Rig) -> None:
    forest = fitted(rig)
    first, challenging = forest.card, []
    for _ in range(2):
        rig.run(30)
        challenging.append(retrain(forest, 140, rig.store, rig.watch.world, "on schedule"))
    assert {card.figures["against"] for card in challenging} == {first.id}
    promote(rig.store, challenging[1].id)
    assert rollback(rig.store, first.name).id == first.id
    promote(rig.store, challenging[0].id)
    follow(forest, rig.store)
    rig.run(30)
    newest = retrain(forest, 140, rig.store, rig.watch.world)
    assert newest.id not in {first.id, *(card.id for card in challenging)}
    assert rollback(rig.store, first.name).id == challenging[0].id
    assert rollback(rig.store, first.name).id == first.id


def test_a_challenger_that_was_refused_is_not_fitted_again(rig: Rig) -> None:
    forest = fitted(rig)
    rig.run(60)
    card = retrain(forest, 140, rig.store, rig.watch.world, "its scores were high")
    rig.store.delete_model(card.id)
    assert renew(forest, rig.store)
    assert model_of(forest, 210).reason == ""
    assert not renew(forest, rig.store)
    after = card.trained + DAY - 1
    assert due(forest, Retrain(every=DAY, drift=True), rig.store, after) == ""
    assert due(forest, SCHEDULED, rig.store, after + 1) == "on schedule"
    assert rig.store.get_meta(training.noted(forest.card))["told"] == forest.card.id


def test_a_challenger_that_is_the_model_in_use_is_none(rig: Rig) -> None:
    forest = fitted(rig)
    before = rig.store.models()
    rig.clock.time += DAY
    retrain(forest, 140, rig.store, rig.watch.world, "on schedule")
    assert rig.store.models() == before
    assert model_of(forest, 150).reason == ""
    assert waiting(forest, rig.store) == ""
    assert due(forest, SCHEDULED, rig.store, rig.clock.now() + HOUR) == ""


def test_a_challenger_is_fitted_on_what_is_kept(rig: Rig) -> None:
    forest = fitted(rig)
    rig.run(10)
    world = rig.watch.world
    card = retrain(forest, 1000, rig.store, world, "on schedule", by_itself=True)
    assert (card.samples, card.figures["asked"]) == (160, 1000)
