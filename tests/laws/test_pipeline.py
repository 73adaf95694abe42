"""The laws hold for a pipeline as a whole: from records to incidents."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.data import HOUR, MINUTE, SECOND, Incident, Records, parse_key, series_key
from amiss.memory import dump, load
from amiss.pipeline import Pipeline
from amiss.steps.judge import States, name_of
from amiss.steps.outcome import Outcome, join
from laws.laws import METRICS, SPECIAL, fit
from made import START, Chance

EVERY, TICKS = MINUTE, 700
HOSTS = ("a", "b", "c")
PIPELINE = Pipeline.model_validate(
    {
        "name": "all",
        "source": {"type": "host"},
        "features": {"type": "grid", "every": "1m"},
        "detectors": [
            {"type": "level"},
            {"type": "step"},
            {"type": "drift"},
            {"type": "surprise"},
            {"type": "isolation_forest"},
            {"type": "linear_regression"},
        ],
        "budget": "50/day",
        "forget": "2h",
    }
)


@cache
def ticks() -> tuple[Records, ...]:
    """Three hosts for twelve hours, a batch a minute: they come and go, and each has its trouble.

    The second is there from the third hour; the third is away for three hours, and forgotten.
    Some values are the worst there are, and the busiest process is told every other minute.
    """
    chance, found = Chance(3), []
    for t in range(TICKS):
        time = START * SECOND // EVERY * EVERY + t * EVERY
        rows = []
        for host in HOSTS:
            if (host == "b" and t < 130) or (host == "c" and 200 <= t < 390):
                continue
            noise = chance.normal(3)
            for i, metric in enumerate(METRICS):
                value = 50 + 10 * i + noise[i] + (40 if 450 <= t < 470 and host == "a" else 0)
                value += 60 if 600 <= t < 603 and host != "b" and i < 2 else 0
                value = SPECIAL[t % len(SPECIAL)] if t in (300, 310, 320) and i == 1 else value
                rows.append((metric, host, value, ""))
            if t % 2:
                rows.append(("top_cpu", host, 97.0, f"burn{t}"))
        if t == 350:
            rows.append(("late", "a", 1.0, ""))
        found.append(_records(time, rows))
    return tuple(found)


def _records(time: int, rows: Sequence[tuple[str, str, float, str]]) -> Records:
    parsed = [parse_key(row[0]) for row in rows]
    return Records(
        time=np.full(len(rows), time),
        name=np.array([name for name, _ in parsed]),
        value=np.array([row[2] for row in rows]),
        labels={
            "host": np.array([row[1] for row in rows]),
            "mount": np.array([labels.get("mount", "") for _, labels in parsed]),
        },
        text=np.array([row[3] for row in rows]),
        watermark=time,
    )


def merged(batches: Sequence[Records]) -> Records:
    """Several batches as one."""
    return Records(
        np.concatenate([b.time for b in batches]),
        np.concatenate([b.name for b in batches]),
        np.concatenate([b.value for b in batches]),
        {k: np.concatenate([b.labels[k] for b in batches]) for k in batches[0].labels},
        np.concatenate([b.text for b in batches if b.text is not None]),
        batches[-1].watermark,
    )


def begin() -> States:
    """The memory at the start, with fitted models."""
    states = PIPELINE.init()
    for detector in PIPELINE.detectors:
        if detector.joint:
            states[name_of(detector)] = detector.init(0, 3) | fit(detector)
    return states


def run(
    batches: Iterable[Records], pipeline: Pipeline = PIPELINE, states: States | None = None
) -> tuple[States, list[Outcome]]:
    states, found = begin() if states is None else states, []
    for batch in batches:
        states, outcome = pipeline.step(states, batch)
        found.append(outcome)
    return states, found


def cut(at: Iterable[int]) -> list[Records]:
    """The same ticks in batches."""
    edges = sorted({0, TICKS, *at})
    return [merged(ticks()[a:b]) for a, b in pairwise(edges)]


@cache
def one_by_one() -> tuple[States, list[Outcome]]:
    """How it runs live."""
    return run(ticks())


def incidents(outcomes: Iterable[Outcome]) -> list[str]:
    """As text, since NaN is not equal to itself."""
    return [repr(incident) for outcome in outcomes for incident in outcome.incidents]


def skipped(outcomes: Iterable[Outcome]) -> Counter[str]:
    return sum((Counter(outcome.skipped) for outcome in outcomes), Counter())


def same_states(left: States, right: States) -> None:
    assert left.keys() == right.keys()
    for name in left:
        assert left[name].keys() == right[name].keys()
        for column in left[name]:
            a, b = left[name][column], right[name][column]
            np.testing.assert_array_equal(a, b, err_msg=f"{name}/{column}")


def test_there_is_something_to_see() -> None:
    """Incidents open, are resolved, and say why; the rest of this file compares them."""
    _, outcomes = one_by_one()
    found: list[Incident] = [i for outcome in outcomes for i in outcome.incidents]
    assert {i.state for i in found} == {"open", "resolved"}
    assert {i.system for i in found} >= {'host="a"', 'host="c"'}
    assert any(i.evidence for i in found)
    assert any(member.blame for i in found for member in i.members)
    sizes = [len(outcome.frame.keys) for outcome in outcomes]
    assert max(sizes) > sizes[-1] > min(sizes)  # series come, and are forgotten


@settings(max_examples=6)
@given(st.lists(st.integers(0, TICKS), max_size=6))
def test_split(at: list[int]) -> None:
    """However the ticks come in batches: the same incidents, the same scores, the same memory."""
    states, outcomes = run(cut(at))
    live, each = one_by_one()
    assert incidents(outcomes) == incidents(each)
    same_states(states, live)
    whole, parts = join(outcomes), join(each)
    assert set(whole.frame.keys) == set(parts.frame.keys)
    columns = [whole.frame.keys.index(key) for key in parts.frame.keys]
    np.testing.assert_array_equal(whole.frame.values[:, columns], parts.frame.values)
    np.testing.assert_array_equal(whole.scores.values[:, columns], parts.scores.values)
    assert whole.scores.upper is not None
    np.testing.assert_array_equal(whole.scores.upper[:, columns], parts.scores.upper)
    assert skipped(outcomes) == skipped(each)


@settings(max_examples=2)
@given(st.integers(0, TICKS))
def test_restart(at: int) -> None:
    """Written down and read again anywhere, it goes on the same."""
    states, before = run(ticks()[:at])
    states, after = run(ticks()[at:], states=load(dump(states)))
    live, each = one_by_one()
    assert incidents(before) + incidents(after) == incidents(each)
    same_states(states, live)


@pytest.mark.parametrize("host", HOSTS)
def test_company(host: str) -> None:
    """A host scores the same alone: any engine may divide the hosts."""
    _, alone = run(only(batch, host) for batch in cut([]))
    mine, whole = join(alone), join(one_by_one()[1])
    columns = [whole.frame.keys.index(key) for key in mine.frame.keys]
    rows = np.isin(whole.frame.time, mine.frame.time)
    np.testing.assert_array_equal(whole.scores.values[rows][:, columns], mine.scores.values)
    for name, scores in mine.joint.items():
        column = whole.joint[name].keys.index(f'host="{host}"')
        together = whole.joint[name].values[rows, column]
        np.testing.assert_allclose(together, scores.values[:, 0], atol=1e-6)


def only(batch: Records, host: str) -> Records:
    rows = batch.labels["host"] == host
    assert batch.text is not None
    return Records(
        batch.time[rows],
        batch.name[rows],
        batch.value[rows],
        {name: column[rows] for name, column in batch.labels.items()},
        batch.text[rows],
        batch.watermark,
    )


def test_order_within_a_batch() -> None:
    """However the records of one batch are mixed."""
    batches = []
    for seed, batch in enumerate(cut(range(50, TICKS, 50))):
        mixed = np.argsort(Chance(seed).uniform(len(batch)))
        assert batch.text is not None
        labels = {name: column[mixed] for name, column in batch.labels.items()}
        records = (batch.time[mixed], batch.name[mixed], batch.value[mixed], labels)
        batches.append(Records(*records, batch.text[mixed], batch.watermark))
    states, outcomes = run(batches)
    live, each = one_by_one()
    assert incidents(outcomes) == incidents(each)
    same_states(
        {k: v for k, v in states.items() if k != "context"},
        {k: v for k, v in live.items() if k != "context"},
    )


def test_purity() -> None:
    """Records are never changed, and need not be writable."""
    batch = merged(ticks())
    assert batch.text is not None
    arrays = [batch.time, batch.name, batch.value, batch.text, *batch.labels.values()]
    copies = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    run([batch])
    for a, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(a, copy)


def test_what_an_outcome_holds_is_not_changed_by_the_next_step() -> None:
    """The picture that others look at stays as it was while the thread goes on."""
    states, outcomes = run(ticks()[:30])
    kept = repr(outcomes[-1])
    run(ticks()[30:60], states=states)
    assert repr(outcomes[-1]) == kept


def test_another_detector_leaves_the_memory_of_the_others_alone() -> None:
    """A reload drops what is no longer there, and starts what is new."""
    fewer = PIPELINE.model_copy(update={"detectors": PIPELINE.detectors[1:4]})
    states, _ = run([merged(ticks()[:150])])
    kept = {name: {c: a.copy() for c, a in of.items()} for name, of in states.items()}
    states, _ = fewer.step(states, merged(ticks()[150:151]))
    gone = {name_of(d) for d in PIPELINE.detectors} - {name_of(d) for d in fewer.detectors}
    assert not [name for name in states if name.partition(".")[0] in gone]
    assert {name.partition(".")[0] for name in kept} > {name.partition(".")[0] for name in states}
    step = name_of(fewer.detectors[0])
    assert states[step]["last"].shape == kept[step]["last"].shape
    states, _ = PIPELINE.step(states, merged(ticks()[151:152]))
    level = name_of(PIPELINE.detectors[0])
    assert states[level]["count"].tolist() == [1] * len(states["series"]["keys"])


CAPPED = PIPELINE.model_copy(update={"max_series": 5})


def test_the_first_to_come_are_in_and_the_rest_are_counted() -> None:
    """Whatever the batch; and who was refused comes in when there is room."""
    live, each = run(ticks(), CAPPED)
    assert len(live["series"]["keys"]) == 5
    assert set(live["series"]["keys"].tolist()) - set(each[10].frame.keys)
    for at in ([], [200, 400]):
        states, outcomes = run(cut(at), CAPPED)
        same_states(states, live)
        assert skipped(outcomes) == skipped(each)
    assert skipped(each)["over the cap of series"] > 0


def test_a_forgotten_series_comes_back_as_a_new_one() -> None:
    """After `forget`, nothing is left of it: it warms up again."""
    _, outcomes = one_by_one()
    key = series_key("cpu_percent", {"host": "c"})
    seen = [int(o.seen[o.frame.keys.index(key)]) if key in o.frame.keys else None for o in outcomes]
    assert seen[199] == 200
    assert seen[389] is None
    assert seen[390] == 1
    assert PIPELINE.forget == 2 * HOUR
