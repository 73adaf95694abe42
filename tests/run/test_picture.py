"""The picture says of everything what it does, and why."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amiss.data import DAY, HOUR, MINUTE, parse_key
from amiss.memory import align, place
from amiss.run import picture
from amiss.run.now import JointNow, Now
from amiss.run.picture import Log, budget_of, joint_of, paint, series_of
from amiss.run.predict import predict
from amiss.run.tell import Channel, SinkStatus
from amiss.run.watch import tick
from amiss.settings import default
from amiss.sinks.stdout import Stdout
from run.rig import EVERY, START, Brittle, Rig, pipeline

NOBODY: frozenset[str] = frozenset()
LOAD = 'load{host="made"}'


def painted(rig: Rig, log: Log | None = None, **said) -> Now:
    known = {
        "version": 1, "settings": default(), "watches": [rig.watch], "sinks": (), "models": (),
        "log": log or Log(), "now": rig.clock.now(), "started": START, "first": START,
        "config": "built in", "config_error": "", "stopping": False,
    }  # fmt: skip
    return paint(**known | said)


def test_before_the_first_sample(rig) -> None:
    rig.start()
    now = painted(rig)
    assert (now.phase, now.reason, now.series) == ("starting", "Waiting for the first samples", ())
    rig.watch.progress = replace(rig.watch.progress, health="waiting", reason="a.log: none")
    assert (painted(rig).phase, painted(rig).reason) == ("starting", "Waiting: a.log: none")
    assert predict(now).time == 0
    assert np.isnan(now.budget.bar)


def test_a_series_that_came_and_went_within_a_step_is_not_there_now(rig) -> None:
    """A kind of event, say, that a poll of two days has on the first of them alone."""
    rig.start()
    rig.run(24)
    seen = rig.watch.seen
    assert seen is not None
    outcome, gone = seen.outcome, align(seen.outcome.frame, (*seen.outcome.frame.keys, "gone"))
    scores = replace(
        outcome.scores, keys=gone.keys,
        **{name: place(getattr(outcome.scores, name), outcome.scores.keys, gone.keys)
           for name in ("values", "expected", "lower", "upper")},
    )  # fmt: skip
    late = np.append(outcome.seen, 0)
    rig.watch.seen = replace(seen, outcome=replace(outcome, frame=gone, scores=scores, seen=late))
    assert {one.key for one in series_of(rig.watch, NOBODY)} == set(outcome.frame.keys)


def test_warming_up_then_judged_then_silent(rig) -> None:
    rig.start()
    rig.run(24)
    now = painted(rig)
    assert now.phase == "warming up"
    assert now.reason == "First opinions: 24 of 96 samples; judged in about 6 minutes"
    assert {one.state for one in now.series} == {"warming up"}
    rig.run(68)
    assert painted(rig).reason == "First opinions: 92 of 96 samples; judged in about 1 minute"
    rig.run(28)
    now = painted(rig)
    assert (now.phase, now.reason) == ("watching", "3 series are judged")
    assert all(one.lower <= one.expected <= one.upper for one in now.series)
    assert all(0 < one.p <= 1 for one in now.series)
    rig.numbers.say = lambda time, found: {k: v for k, v in found.items() if k != "load"}
    rig.run(4)
    silent = next(one for one in painted(rig).series if one.key == LOAD)
    assert silent.state == "silent"
    assert silent.reason == "no data since 2026-03-07 14:09:55 UTC"
    assert silent.time == START + 119 * EVERY
    assert np.isnan(silent.value)


def test_how_often_samples_come_is_known_of_each_series(tmp_path: Path) -> None:
    """It makes what a score means, and neither the polls nor the quickest of them."""
    minutes = pipeline().model_copy(update={"features": Brittle(every=MINUTE)})
    rig = Rig(tmp_path, pipeline=minutes)
    rig.numbers.say = lambda time, found: {
        key: value for key, value in found.items() if key != "load" or time % (5 * MINUTE) == 0
    }
    rig.start()
    rig.run(12 * 44)
    now = painted(rig)
    often = {parse_key(one.key)[0]: one.every for one in now.series}
    assert often == {"cpu_percent": 60.0, "processes": 60.0, "load": 300.0}
    assert (now.pipelines[0].every, now.pipelines[0].tick) == (5.0, 60.0)
    slow = next(one for one in now.series if one.key == LOAD)
    assert now.at - slow.time == 4 * MINUTE
    assert (
        slow.reason == f"{slow.seen} of 96 samples; judged in about {5 * (96 - slow.seen)} minutes"
    )
    rig.numbers.say = lambda time, found: {k: v for k, v in found.items() if k != "load"}
    rig.run(12 * 16)
    assert next(one.state for one in painted(rig).series if one.key == LOAD) == "silent"
    rig.close()


def test_a_source_that_hangs_is_failing_and_one_that_has_nothing_new_is_not(rig) -> None:
    rig.start()
    rig.run(3)
    heard = rig.watch.progress.polled
    rig.clock.time = heard + 6 * EVERY
    assert painted(rig).pipelines[0].health == "good"
    rig.clock.time += 1
    assert painted(rig).phase == "warming up"
    hung = painted(rig).pipelines[0]
    assert (hung.health, hung.polled) == ("failing", heard)
    assert hung.reason == "no answer since 2026-03-07 14:00:10 UTC"
    rig.watch.cursor = {"time": rig.clock.time // EVERY * EVERY}
    tick(rig.watch, rig.told)  # it answers, and has nothing
    assert painted(rig).pipelines[0].health == "good"


def test_what_is_open_marks_its_series(rig) -> None:
    rig.start()
    rig.run(248)  # the trouble begins with the 240th
    log = picture.read_log(rig.store, rig.clock.now())
    assert log.open
    now = painted(rig, log)
    assert {one.key for one in now.series if one.amiss} == {m.series for m in now.open[0].members}
    assert now.budget.today == log.today >= 1


def test_the_budget_is_what_was_spent_over_the_days_there_were(rig) -> None:
    rig.start()
    rig.run(100)
    now = rig.clock.now()
    for first, days, achieved in [
        (now, 1 / 24, 14 * 24),
        (now - HOUR, 1 / 24, 14 * 24),
        (now - 2 * DAY, 2, 7),
        (now - 70 * DAY, 7, 2),
    ]:
        found = budget_of([rig.watch], Log((), 3, 14), now, first, 5.0)
        assert (found.asked, found.today, found.week) == (5.0, 3, 14)
        assert found.days == pytest.approx(days)
        assert found.achieved == pytest.approx(achieved)
        assert np.isfinite([found.bar, found.price]).all()


def test_one_look_is_of_one_tick_whatever_the_thread_does_meanwhile(rig) -> None:
    """The second half of the picture is read after further ticks, with other series."""
    rig.pipeline = pipeline(joint=True, forget="1m")
    rig.start()
    rig.run(3)
    whole = list(series_of(rig.watch, NOBODY))
    lazy, joint = series_of(rig.watch, NOBODY), joint_of(rig.watch, NOBODY)
    halves = [next(iter(lazy))]
    assert next(iter(joint)).system == 'host="made"'
    rig.numbers.say = lambda time, found: {"load": 1.0}
    rig.clock.time += 2 * HOUR
    rig.run(3)
    assert rig.watch.seen.outcome.frame.keys == (LOAD,)
    halves += list(lazy)
    assert [one.key for one in halves] == [one.key for one in whole]
    assert {one.time for one in halves} == {START + 2 * EVERY}
    assert len(list(joint)) == 1


def test_a_sink_that_waits_is_failing_and_one_that_was_refused_is_not() -> None:
    channel = Channel("file", Stdout(), None, None)  # type: ignore[arg-type]
    assert picture.sink_of(channel).health == "good"
    channel.status = SinkStatus(retried=3, last_error="no answer", waiting_since=START)
    waits = picture.sink_of(channel)
    assert (waits.health, waits.reason, waits.retried) == ("failing", "no answer", 3)
    channel.status = replace(channel.status, waiting_since=None, delivered=1, last=START)
    assert picture.sink_of(channel).health == "good"


def test_a_sink_that_refused_all_of_late_is_failing_and_says_why() -> None:
    channel = Channel("file", Stdout(), None, None)  # type: ignore[arg-type]
    no = SinkStatus(refused=1, refusals=1, last_error="x answered 400")
    channel.status = no
    first = picture.sink_of(channel)
    assert (first.health, first.reason) == ("failing", "refused all of the last 1: x answered 400")
    channel.status = replace(no, delivered=5)
    assert picture.sink_of(channel).health == "good"
    channel.status = replace(no, delivered=5, refused=3, refusals=3)
    third = picture.sink_of(channel)
    assert (third.health, third.reason) == ("failing", "refused all of the last 3: x answered 400")
    channel.status = replace(no, delivered=6, refused=3, refusals=0)
    assert picture.sink_of(channel).health == "good"


def test_a_prediction_is_of_one_system(rig) -> None:
    rig.start()
    rig.run(100)
    now = painted(rig)
    other = replace(now.series[0], system='host="b"', key='load{host="b"}', value=99.0)
    joint = [
        JointNow("isolation_forest", "made", system, 0.5, score, 0.1, False)
        for system, score in [('host="made"', 50.0), ('host="b"', 0.0)]
    ]
    forecast = {"cpu_percent": 21.0}
    joint.append(JointNow("linear_regression", "made", 'host="made"', 1, 0.1, 0.9, False, forecast))
    now = replace(now, series=(*now.series, other), joint=tuple(joint))
    said = predict(now)
    assert (said.anomaly, said.warming, said.score) == (True, False, 50.0)
    assert (said.target, said.forecast) == ("cpu_percent", 21.0)
    assert said.metrics.keys() == {"load", "cpu_percent", "processes"}
    assert said.metrics["load"] != 99.0
    assert predict(replace(now, joint=())).warming
