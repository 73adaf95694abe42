"""One of many that goes another way is told, against what; one that always differs is not."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import MINUTE, Floats, Frame, Incident, Records
from amiss.detecting.chosen import groups
from amiss.detectors.peers import Peers
from amiss.memory import dump, load
from amiss.pipeline import Pipeline
from made import Chance
from test_rule import MONDAY


def distances(x: Floats) -> Floats:
    """Of one group (T, M)."""
    time = MONDAY + MINUTE * np.arange(len(x))
    keys = tuple(f'latency_seconds{{host="{s}"}}' for s in range(x.shape[1]))
    frame = Frame(time, keys, ("value",), x[:, :, None])
    detector = Peers()
    planes = {"value": x, **detector.beside(frame, keys)}
    view = Frame(time, keys, detector.needs, np.stack([planes[n] for n in detector.needs], axis=2))
    return detector.step({}, view)[1].values


@given(st.integers(0, 2**32), st.integers(1, 9), st.sampled_from([0.0, 0.4]))
def test_says_what_a_naive_version_says(seed: int, members: int, missing: float) -> None:
    chance = Chance(seed)
    x = np.round(chance.normal(20 * members).reshape(20, members) * 3)
    x[chance.uniform(x.size).reshape(x.shape) < missing] = np.nan
    for t, found in enumerate(distances(x)):
        there = x[t][np.isfinite(x[t])]
        for s, value in enumerate(x[t]):
            if np.isnan(value) or len(there) < 4:
                assert np.isnan(found[s])
                continue
            median = np.median(there)
            room = max(1.4826 * np.median(np.abs(there - median)), 0.01 * abs(median))
            away = abs(value - median)
            wanted = 0.0 if not away else 1e6 if not room else min(away / room, 1e6)
            np.testing.assert_allclose(found[s], wanted, rtol=1e-12)


def test_groups_are_of_one_name_and_the_same_other_labels() -> None:
    keys = ('a{host="1",disk="x"}', 'a{host="2",disk="x"}', 'a{host="1",disk="y"}', 'b{host="1"}')
    assert groups(keys, ("host",)) == ((0, 1), (2,), (3,))
    assert groups(keys, ("host", "disk")) == ((0, 1, 2), (3,))


HOSTS = [f"web-{i}" for i in range(8)]


def site(values: Floats, **said: Any) -> list[Incident]:
    """Eight hosts (T, 8), minute by minute, with a restart in each hour."""
    pipeline = Pipeline.model_validate(
        {
            "name": "web",
            "source": {"type": "host", "every": "1m"},
            "features": {"type": "grid", "every": "1m"},
            "detectors": [{"type": "peers"}],
            "budget": "1/day",
            **said,
        }
    )
    states, told = pipeline.init(), []
    for first in range(0, len(values), 60):
        part = values[first : first + 60]
        time = MONDAY + MINUTE * np.arange(first, first + len(part))
        records = Records(
            np.repeat(time, 8),
            np.full(part.size, "latency_seconds"),
            part.ravel(),
            {"host": np.tile(HOSTS, len(part))},
            watermark=int(time[-1]),
        )
        states, outcome = pipeline.step(load(dump(states)), records)
        told += outcome.incidents
    return told


def together(ticks: int) -> Floats:
    """All go up and down as one, which no threshold could follow; the fourth is always slower."""
    chance = Chance(2)
    load = 0.2 + 0.15 * np.sin(np.arange(ticks) / 90) + 0.02 * np.abs(chance.normal(ticks))
    noise = 1 + 0.03 * chance.normal(ticks * 8).reshape(ticks, 8)
    own = np.ones(8)
    own[3] = 1.5
    return load[:, None] * noise * own


def test_one_that_goes_another_way_is_told_against_what() -> None:
    x = together(3000)
    x[2800:2830, 5] = 0.36  # a value that is usual for it at other times
    told = [i for i in site(x) if i.since >= MONDAY + 2800 * MINUTE]
    assert {i.system for i in told} == {'host="web-5"'}
    assert "web-5: latency at 360 ms where 7 others are at " in told[0].sentence
    assert " (half of them " in told[0].sentence
    assert told[-1].state == "resolved"


def test_what_all_do_together_is_told_of_none_nor_one_that_always_differs() -> None:
    x = together(3000)
    as_ever = site(x)
    x[2800:2830] *= 4
    told = site(x)
    assert [(i.system, i.since) for i in told] == [(i.system, i.since) for i in as_ever]
    assert 'host="web-3"' not in {i.system for i in told}
