"""A back-test is live over the past: the same incidents, whatever the batches."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from amiss.data import DAY, SECOND, Frame, Incident, Records
from amiss.errors import StateError
from amiss.evaluate.kept import Kept, records_of, series_of
from amiss.evaluate.recording import batches
from amiss.pipeline import Pipeline
from amiss.run import replay as module
from amiss.run.commits import NOTHING
from amiss.run.fit import fit_here
from amiss.run.replay import replay
from amiss.run.watch import close
from amiss.steps.judge import name_of
from amiss.store import Block, Checkpoint, Store
from run.rig import EVERY, START, Numbers, Rig, pipeline

TICKS = 900


def exact(time: int, found: dict[str, float]) -> dict[str, float]:
    """Numbers that the history, with its 24 bits, keeps as they are."""
    return {name: round(value * 1024) / 1024 for name, value in found.items()}


def told(found: Iterable[object]) -> list[Incident]:
    return [each for outcome in found for each in outcome.incidents]  # type: ignore[attr-defined]


def log(store: Store) -> list[Incident]:
    return [revision for _, revision in store.revisions(0, 10_000)]


def kept(store: Store, most: int = 1 << 16) -> Kept:
    return Kept(store, "the history", tuple(series_of(store, "made", ())), most)


@pytest.fixture
def lived(tmp_path) -> Rig:
    rig = Rig(tmp_path, numbers=Numbers(exact))
    rig.start()
    rig.run(TICKS)
    close(rig.watch)
    yield rig
    rig.close()


def test_it_tells_what_live_told(lived) -> None:
    with closing(Store(lived.folder / "amiss.db", reading=True)) as store:
        past = kept(store)
        assert (past.first, past.last) == (START, START + (TICKS - 1) * EVERY)
        found = told(replay(lived.pipeline, past.records(past.first, past.last)))
    live = log(lived.store)
    assert len({each.id for each in live}) > 3
    assert {each.state for each in live} == {"open", "resolved"}
    assert found == live  # ids, times, members, scores, sentences: all of it


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_batches_change_nothing(lived, most: int) -> None:
    past = kept(lived.store, most)
    assert told(replay(lived.pipeline, past.records(past.first, past.last))) == log(lived.store)


def test_a_series_that_was_seen_once_and_a_gap_of_a_year_hold_nothing_up(tmp_path) -> None:
    with closing(Store(tmp_path / "amiss.db")) as store:
        time = START + np.array([0, 365]) * DAY
        nothing = np.full((2, 2), np.nan)
        value = np.array([[1.0, 5.0], [2.0, np.nan]])
        block = Block(("a", "b"), time, value, *([nothing] * 4))
        store.commit("made", {}, NOTHING, (), Checkpoint({}, (block,)))
        past = kept(store)
        found = [x for part in past.records(past.first, past.last) for x in part.value.tolist()]
        later = [x for part in past.records(START + 1, past.last) for x in part.value.tolist()]
        assert (found, later) == ([1.0, 5.0, 2.0], [2.0])


def made(ticks: int) -> Records:
    chance = np.random.default_rng(4)
    keys = tuple(f'{name}{{host="a"}}' for name in ("cpu_percent", "load1", "processes"))
    values = 20 + chance.normal(size=(ticks, 3, 1))
    values[ticks // 2 : ticks // 2 + 20] += 8
    return records_of(Frame(START + EVERY * np.arange(ticks), keys, ("value",), values))


def test_models_are_fitted_when_they_are_due_whatever_the_batches(monkeypatch) -> None:
    asked = list[int]()

    def fit(detector, states, history):
        asked.append(len(history.time))
        return fit_here(detector, states, history)

    monkeypatch.setattr(module, "fit_apart", fit)
    whole = pipeline(joint=True)
    forest = next(name_of(d) for d in whole.detectors if d.type == "isolation_forest")
    ways = [list(replay(whole, batches(made(300), most))) for most in (10, 10**6)]
    assert asked == 2 * [100, 100]
    for way in ways:
        score = np.concatenate([o.joint[forest].values[:, 0] for o in way if len(o.frame.time)])
        assert np.isnan(score[:100]).all()
        assert np.isfinite(score[101:]).all()
    assert told(ways[0]) == told(ways[1]) != []


def test_a_model_that_cannot_be_fitted_is_counted_and_the_rest_goes_on(monkeypatch) -> None:
    def fit(*_):
        raise StateError("no")

    monkeypatch.setattr(module, "fit_apart", fit)
    found = list(replay(pipeline(joint=True), batches(made(150))))
    skipped = {reason: n for outcome in found for reason, n in outcome.skipped.items()}
    assert skipped == {
        "model isolation_forest could not be fitted": 1,
        "model linear_regression could not be fitted": 1,
    }
    assert sum(len(outcome.frame.time) for outcome in found) == 150


def test_the_last_tick_is_judged_though_nothing_comes_after_it() -> None:
    late = Records(np.array([START + SECOND]), np.array(["x"]), np.array([1.0]))
    *_, last = replay(pipeline(), batches(late))
    assert last.frame.time.tolist() == [START + EVERY]


def test_lines_that_are_not_in_order_are_not_late_for_a_model(monkeypatch) -> None:
    asked = list[int]()

    def fit(detector, states, history):
        asked.append(len(history.time))
        return fit_here(detector, states, history)

    monkeypatch.setattr(module, "fit_apart", fit)
    said = {**pipeline(joint=True).model_dump(), "features": {"type": "grid", "every": "5s"}}
    grid, past = Pipeline.model_validate(said), made(300)
    jumps = past.time + (np.arange(len(past)) * 7919 % 13 - 6) * SECOND
    mixed = replace(past, time=jumps, watermark=int(jumps.max()) - 13 * SECOND)
    found = list(replay(grid, [mixed, NOTHING]))
    assert not any("late" in outcome.skipped for outcome in found)
    assert all(90 <= ticks <= 110 for ticks in asked)
    assert asked
