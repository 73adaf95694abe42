"""An incident that an ensemble took part in says what each of its models said."""

import pytest

from amiss.run import training
from amiss.run.fit import fit_here
from amiss.run.training import look_up, retrain, trainees
from amiss.words.message import as_json
from run.rig import Rig, pipeline

VOTING = {"type": "ensemble", "detectors": [{"type": "isolation_forest"}, {"type": "dbscan"}]}


def test_the_votes_of_an_ensemble_are_told_and_survive_a_restart(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "fit_apart", lambda d, s, h, stop=None, **how: fit_here(d, s, h))
    late = 2**62
    rig.numbers.say = lambda time, found: (
        found | ({"cpu_percent": 95.0, "processes": 300.0} if time >= late else {})
    )
    rig.pipeline = pipeline(detectors=[{"type": "level"}, VOTING])
    rig.start()
    rig.run(150)
    [voting] = trainees([rig.watch])
    look_up(voting, rig.store)
    retrain(voting, 140, rig.store, rig.watch.world)
    rig.run(120)
    late = 0
    rig.run(2)
    rig.start()  # as after a kill
    rig.run(1)
    members = [m for one in rig.store.incidents() for m in one.members]
    [whole] = [m for m in members if m.series.startswith("ensemble{") and m.score > 6.0][:1]
    sure, forest, crowd, *rest = whole.votes
    assert sure.startswith("confidence 0.") or sure == "confidence 1.00"
    assert forest.startswith("isolation_forest ") and crowd.startswith("dbscan ")
    assert rest in ([], ["they disagree"])
    assert {m.votes for m in members if not m.series.startswith("ensemble{")} == {()}
    said = [m for one in rig.store.incidents() for m in as_json(one)["members"]]
    assert list(whole.votes) in [list(m["votes"]) for m in said]
