"""A host whose metrics are each what they always were, but no longer go together."""

from collections.abc import Iterable, Iterator
from math import exp, log
from typing import Any

import numpy as np
import pytest

from amiss.data import MINUTE, Floats, Frame, Incident, Records
from amiss.decide.whole import higher, strangest
from amiss.detectors.mahalanobis import Mahalanobis
from amiss.memory import dump, load
from amiss.pipeline import Pipeline
from amiss.run.replay import replay
from amiss.steps.judge import judge_whole, name_of
from amiss.steps.outcome import Outcome
from amiss.words.message import as_json
from made import Chance
from test_size import Size

MONDAY = 1_772_409_600 * 10**9  # 2 March 2026
TICKS = 2000
BROKEN = slice(1800, 1830)
NAMES = tuple(
    f"{name}_per_second"
    for name in (
        "requests", "queries", "reads", "writes", "sent", "received",
        "hits", "misses", "logins", "jobs", "mails", "errors",
    )
)  # fmt: skip
NUMBERS = ("time", "name", "value")
PIPELINE = Pipeline.model_validate(
    {
        "name": "web",
        "source": {"type": "host"},
        "features": {"type": "grid", "every": "1m"},
        "detectors": [
            {"type": "level"},
            {"type": "step"},
            {"type": "drift"},
            {"type": "surprise"},
            {"type": "mahalanobis"},
            {"type": "mahalanobis", "seasonal": True},
        ],
        "budget": "1/day",
    }
)


def numbers() -> Floats:
    """Load that comes and goes, and twelve metrics that follow it; then two of them do not."""
    chance = Chance(3)
    noise = chance.normal(TICKS)
    load = np.empty(TICKS)
    at = 0.0
    for t in range(TICKS):
        at = 0.8 * at + 0.6 * noise[t]
        load[t] = 1.5 * np.tanh(at)
    own = chance.normal(12 * TICKS).reshape(TICKS, 12)
    values = 100 + 10 * (load[:, None] + 0.1 * own)
    values[BROKEN] = np.clip(values[BROKEN], 95, 105)
    values[BROKEN, 1] += 9  # queries are more than such requests ever made
    values[BROKEN, 6] -= 9
    return values


def ticks(values: Floats, host: str = "web-1") -> Iterator[Records]:
    for t, row in enumerate(values):
        time = MONDAY + (t + 1) * MINUTE
        there = np.flatnonzero(np.isfinite(row))
        labels = {"host": np.full(len(there), host)}
        names = np.array([NAMES[j] for j in there])
        yield Records(np.full(len(there), time), names, row[there], labels, None, time)


def run(batches: Iterator[Records], restart: int = -1) -> list[Outcome]:
    states, found = PIPELINE.init(), []
    for t, records in enumerate(batches):
        if t == restart:
            states = load(dump(states))
        states, outcome = PIPELINE.step(states, records)
        found.append(outcome)
    return found


def told(found: Iterable[Outcome]) -> list[Incident]:
    return [each for outcome in found for each in outcome.incidents]


def said(found: Iterable[Outcome]) -> list[dict[str, Any]]:
    """With null for NaN, which is not even itself."""
    return [as_json(each) for each in told(found)]


@pytest.fixture(scope="module")
def lived() -> list[Outcome]:
    return run(ticks(numbers()))


def test_it_is_told_once_and_says_which_metrics_do_not_fit(lived: list[Outcome]) -> None:
    values = numbers()
    before = values[: BROKEN.start]
    assert (values[BROKEN].min(axis=0) > before.min(axis=0)).all()
    assert (values[BROKEN].max(axis=0) < before.max(axis=0)).all()
    start = MONDAY + BROKEN.start * MINUTE
    opened, *more = [each for each in told(lived) if each.since > start]
    assert {each.id for each in more} == {opened.id}
    assert more[-1].state == "resolved"
    assert MONDAY + 1801 * MINUTE <= opened.since <= MONDAY + 1803 * MINUTE
    assert opened.breadth == 1
    (whole,) = opened.members
    assert whole.series == 'system{host="web-1"}'
    queries, hits = sorted(whole.blamed, key=lambda one: one.series, reverse=True)
    assert (queries.series, hits.series) == (
        'queries_per_second{host="web-1"}',
        'hits_per_second{host="web-1"}',
    )
    assert queries.observed > queries.expected
    assert hits.observed < hits.expected
    assert set(whole.blame) == {"queries_per_second", "hits_per_second"}
    assert opened.title.startswith("web-1: an unusual picture as a whole, most of all ")
    assert "given all others" in opened.title


def test_a_restart_in_the_middle_changes_nothing(lived: list[Outcome]) -> None:
    assert said(run(ticks(numbers()), restart=BROKEN.start + 10)) == said(lived)


def test_a_replay_tells_the_same(lived: list[Outcome]) -> None:
    def batches() -> Iterator[Records]:
        whole = list(ticks(numbers()))
        for at in range(0, len(whole), 100):
            part = whole[at : at + 100]
            columns = (np.concatenate([getattr(r, c) for r in part]) for c in NUMBERS)
            host = np.concatenate([r.labels["host"] for r in part])
            yield Records(*columns, {"host": host}, None, part[-1].watermark)

    assert said(replay(PIPELINE, batches())) == said(lived)


def test_a_metric_that_is_gone_makes_room_and_another_joins() -> None:
    """What nobody has any more is forgotten with its series; what comes later is looked at too."""
    short = PIPELINE.model_copy(update={"forget": 120 * MINUTE})
    values = numbers()[:700]
    values[300:, 2] = np.nan
    values[:400, 3] = np.nan
    states = short.init()
    for records in ticks(values):
        states, outcome = short.step(states, records)
    for detector in short.views:
        names = states[name_of(detector)]["names"].tolist()
        assert names == sorted(set(NAMES) - {NAMES[2]})
    assert np.isfinite(outcome.joint["system"].values).all()


def test_who_has_but_one_metric_is_no_system() -> None:
    values = np.full((200, 12), np.nan)
    values[:, 0] = numbers()[:200, 0]
    found = run(ticks(values))
    assert all(np.isnan(outcome.joint["system"].values).all() for outcome in found if outcome.joint)


def test_the_strangest_counts_for_all_and_absent_metrics_for_none() -> None:
    nats = np.array([[[1.0, 2.0, 0.0], [5.0, 0.0, 0.0]]])
    has = np.array([[True, True, True], [True, True, False]])
    found = strangest(nats, has, ("a", "b", "c"))
    expected = [np.log((np.e + np.e**2 + 1) / 3), np.log((np.e**5 + 1) / 2)]
    np.testing.assert_allclose(found[0], expected)


def test_f_and_blame_are_their_equations() -> None:
    """Of two systems, one of which lacks a metric; some numbers are not there."""
    chance, ticks = Chance(5), 400
    x = chance.normal(6 * ticks).reshape(ticks, 2, 3)
    x[:, 0, 1] += x[:, 0, 0]
    x[350, 0] = [9.0, -9.0, 0.0]
    x[100:105, 0, 2] = x[200, 1] = x[:, 1, 2] = np.nan
    nats = np.where(np.isfinite(x), 3 * chance.exponential(6 * ticks).reshape(x.shape) - 1, np.nan)
    has = np.array([[True, True, True], [True, True, False]])
    frame = Frame(MINUTE * np.arange(ticks), ("a", "b"), ("p", "q", "r"), x)
    views = (Mahalanobis(), Mahalanobis(seasonal=True))
    _, found, _, _ = judge_whole(views, {}, frame, nats, has)
    said = [view.step(view.init(2, 3), frame)[1] for view in views]
    assert found.blame is not None
    for s, D in enumerate((3, 2)):
        sizes = [Size() for _ in range(3)]
        for t in range(ticks):
            if np.isnan(x[t, s]).all():
                assert np.isnan(found.values[t, s])
                continue
            own = [max(nat, 0.0) if nat == nat else 0.0 for nat in nats[t, s].tolist()]
            H = log(sum(exp(one) for one in own[:D]) / D)
            of = [H, *(view.values[t, s] for view in said)]
            F = sum(size.step(one)[0] for size, one in zip(sizes, of, strict=True)) / 3
            assert found.values[t, s] == pytest.approx(F, rel=1e-6, abs=1e-6)
            blame = [own, *(np.nan_to_num(view.blame[t, s]).tolist() for view in said)]
            wanted = [sum(w[j] / (sum(w) or 1.0) for w in blame) for j in range(3)]
            assert found.blame[t, s].tolist() == pytest.approx(wanted, abs=1e-6)
    assert np.nanmax(found.values) > 3


def test_the_bar_of_one_of_many_is_higher() -> None:
    has = np.array([[True, True, True], [True, False, False]])
    assert higher(has).tolist() == pytest.approx([log(3) / 2, 0.0])
