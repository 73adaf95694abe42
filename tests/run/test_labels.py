"""What people said of incidents teaches a classifier, when somebody asks for it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from amiss.component import FEEDBACK
from amiss.data import MINUTE, Frame, Records
from amiss.detectors.classifier import Classifier
from amiss.detectors.ensemble import Ensemble
from amiss.detectors.isolation_forest import IsolationForest
from amiss.fitting import fit
from amiss.memory import nested
from amiss.run import feedback
from amiss.run.audited import Trail
from amiss.run.labels import labelled, to_learn
from amiss.steps.judge import name_of
from amiss.store import Store
from amiss.world import World
from servers.incidents import incident

WEB, DB = 'host="web"', 'host="db"'
TICKS = 600
TEACHABLE = Classifier(label=FEEDBACK, trees=10)


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    store = Store(tmp_path / "amiss.db")
    yield Trail(tmp_path, store, World(now=lambda: TICKS * MINUTE))
    store.close()


def happen(trail: Trail, id: str, first: int, last: int, system: str = WEB) -> None:
    one = incident(id, since=first * MINUTE, seen=last * MINUTE, until=last * MINUTE,
                   system=system, state="resolved")  # fmt: skip
    nothing = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
    trail.store.commit("host", {}, nothing, [one])


def history() -> Frame:
    """Two metrics of two systems by the minute; of one the first is high for a while, twice."""
    values = np.random.default_rng(5).normal(size=(TICKS, 2, 2))
    values[100:140, 0, 0] += 8.0
    values[500:540, 0, 0] += 8.0
    values[300:340, 0, 1] += 8.0
    return Frame(MINUTE * np.arange(TICKS), (WEB, DB), ("errors", "load"), values)


def test_moments_are_labelled_by_what_was_said(trail: Trail) -> None:
    for id, first, last in (("bad", 100, 139), ("fine", 300, 339), ("unsaid", 400, 409)):
        happen(trail, id, first, last)
    happen(trail, "other", 100, 139, DB)
    feedback.say(trail, "joe", "bad", "amiss")
    feedback.say(trail, "joe", "fine", "normal")
    feedback.say(trail, "joe", "unsaid", "acknowledged")
    found = labelled(TEACHABLE, history(), trail.store, "host")
    label = found.column(FEEDBACK)
    assert np.flatnonzero(label[:, 0] == 1).tolist() == list(range(100, 140))
    assert np.flatnonzero(np.isnan(label[:, 0])).tolist() == list(range(400, 410))
    assert np.flatnonzero(np.isnan(label[:, 1])).tolist() == list(range(100, 140))
    assert np.isnan(label).sum() + (label == 1).sum() + (label == 0).sum() == 2 * TICKS


def test_others_see_history_as_it_is(trail: Trail) -> None:
    frame = history()
    for detector in (IsolationForest(), Classifier(label="suspicious")):
        assert labelled(detector, frame, trail.store, "host") is frame
    own = Frame(frame.time, frame.keys, ("errors", FEEDBACK), frame.values)
    assert labelled(TEACHABLE, own, trail.store, "host") is own


def test_it_learns_the_problem_and_not_the_false_alarm(trail: Trail) -> None:
    happen(trail, "bad", 100, 139)
    happen(trail, "again", 500, 539)
    happen(trail, "fine", 300, 339)
    for id, word in (("bad", "amiss"), ("again", "amiss"), ("fine", "normal")):
        feedback.say(trail, "joe", id, word)
    frame, seen, left_out = to_learn(TEACHABLE, history(), trail.store, "host")
    assert left_out == {} and frame.features == ("errors", "load")
    state = fit(TEACHABLE, {}, seen)[name_of(TEACHABLE)]
    rows = np.array([[[0.0, 0.0]], [[8.0, 0.0]], [[0.0, 8.0]]])
    found = TEACHABLE.step(state, Frame(MINUTE * np.arange(3), (WEB,), frame.features, rows))[1]
    usual, problem, alarm = TEACHABLE.confidence(found.values)[:, 0].tolist()
    assert problem > 0.5 > max(usual, alarm)


def test_in_an_ensemble_it_learns_the_same_and_its_company_learns_of_no_problem(
    trail: Trail,
) -> None:
    forest = IsolationForest(trees=10)
    both = Ensemble(detectors=(TEACHABLE, forest))
    for id, first, last in (("bad", 100, 139), ("unsaid", 200, 209), ("again", 410, 439)):
        happen(trail, id, first, last)
    happen(trail, "fine", 300, 339)
    for id, word in (("bad", "amiss"), ("again", "amiss"), ("fine", "normal")):
        feedback.say(trail, "joe", id, word)
    frame, seen, left_out = to_learn(both, history(), trail.store, "host")
    assert left_out == {} and frame.features == ("errors", "load")
    held = nested(both.fit(both.init(2, 3), seen))
    rows = seen[: TICKS * 4 // 5]
    alone = TEACHABLE.fit(TEACHABLE.init(2, 3), rows)
    assert all(np.array_equal(held["0"][name], alone[name]) for name in TEACHABLE.shared)
    spared = rows.values[:, :, :2].copy()
    for first, last in ((100, 139), (200, 209), (410, 439)):
        spared[first : last + 1, 0] = np.nan
    told = Frame(rows.time, rows.keys, frame.features, spared)
    alone = forest.fit(forest.init(2, 2), told)
    assert all(np.array_equal(held["1"][name], alone[name]) for name in forest.shared)
    assert len(held["past"]["0"]) and len(held["past"]["1"])
