"""What reports are made of: counts, distributions, maps, time told against time amiss."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, MINUTE
from amiss.evaluate import panels
from amiss.evaluate.confusion import confusion
from amiss.evaluate.distribution import BINS, Distribution
from amiss.evaluate.embedding import embed
from amiss.evaluate.entries import RECORD, RULE, SERIES, WHOLE, Entry, counted, of_incident
from servers.incidents import START, incident, member

stretches = st.lists(
    st.tuples(st.integers(-5, 25), st.integers(0, 8)).map(lambda it: (it[0], it[0] + it[1])),
    max_size=6,
)


def entry(of: dict[str, float], severity: str = "low", at: int = START) -> Entry:
    return Entry(at, at, severity, "host", "web-3", SERIES, 9.0, "said", of)


@given(stretches, stretches)
def test_time_told_against_time_amiss_is_counted_as_a_clock_would(told, amiss) -> None:
    """Second by second."""
    found = confusion(told, amiss, 0, 20)
    seen = [0, 0, 0, 0]
    for t in range(20):
        is_told = any(a <= t < b for a, b in told)
        is_amiss = any(a <= t < b for a, b in amiss)
        seen[2 * (not is_amiss) + (not is_told)] += 1
    assert [found.told_amiss, found.missed, found.told_calm, found.calm] == seen


def test_scores_of_calm_are_as_many_as_expected() -> None:
    chance, of = np.random.default_rng(1), Distribution()
    scores = chance.exponential(size=(50_000, 2))
    scores[:10] = np.nan
    of.take(scores, np.zeros(scores.shape))
    assert (of.judged, of.unjudged) == (99_980, 20)
    expected = of.expected()
    assert expected.sum() == pytest.approx(of.judged)
    usual = expected > 100
    assert np.all(np.abs(of.counts - expected)[usual] < 5 * np.sqrt(expected[usual]))
    assert of.beyond(3) == pytest.approx(np.exp(-3), rel=0.05)
    of.take(np.array([1e9] * 9 + [-1.0]))
    assert (of.counts[BINS - 1], of.judged) == (9, 99_990)
    assert 'class="over"' in panels.distribution(of)


def test_alike_lies_near_and_the_map_says_what_of() -> None:
    disks = [entry({"disk": 9.0, "load": 1.0 + n / 9}) for n in range(4)]
    logins = [entry({"logins": 11.0}, "high") for _ in range(3)]
    found = embed([*disks, *logins])
    assert found is not None
    apart = np.linalg.norm(found.places[:, None] - found.places[None], axis=2)
    assert apart[:4, :4].max() < 0.1 < apart[:4, 4:].min()
    assert found.axes[0].share > 0.99
    assert {*found.axes[0].low, *found.axes[0].high} == {"disk", "logins"}
    again = embed([*disks, *logins])
    assert again is not None and np.array_equal(again.places, found.places)
    drawn = panels.embedding(found)
    assert drawn.count('class="dot high"') == 1, "three at one place are one"
    assert "said and 2 more here" in drawn


def test_there_is_no_map_of_two_or_of_what_is_all_the_same() -> None:
    assert embed([entry({"a": 1.0}), entry({"b": 1.0})]) is None
    assert embed([entry({"a": 1.0})] * 5) is None
    assert embed([entry({})] * 5) is None


def test_entries_are_told_apart_by_what_was_strange() -> None:
    nan = float("nan")
    kinds = {
        SERIES: member(),
        RULE: member(rules=("mine",), why="is 3"),
        RECORD: member("login", said="root", blame=("failures of user7 in 10m: 60",)),
        WHOLE: member("system", expected=nan, blame=("cpu_percent",)),
    }
    for judged, one in kinds.items():
        assert of_incident(incident(members=(one,)), "host").judged == judged
    single = of_incident(incident(members=(kinds[RECORD],)), "host")
    assert dict(single.of) == {"failures of in": 9.0}, "whose it is does not matter for the map"
    assert single.subject == "web-3"
    whose = member('login{host="web-3",user="root"}', said="Failed password")
    assert of_incident(incident(members=(whose,)), "host").subject == "root"
    assert of_incident(incident(system="", members=()), "host").subject == "all"


def test_the_most_frequent_come_first_and_the_rest_together() -> None:
    many = [entry({}, severity=f"s{n % 4}") for n in range(9)]
    assert counted(many, lambda one: one.severity, 2) == [("s0", 3), ("s1", 2), ("2 more", 4)]


def test_a_timeline_has_a_lane_for_each_until_there_are_too_many() -> None:
    def of(n: int) -> Entry:
        at = START + n * MINUTE
        return Entry(at, at + MINUTE, "high", "host", f"<h{n}>", SERIES, 9.0, "said", {})

    few = panels.timeline([of(n) for n in range(3)], START, START + DAY)
    assert few.count('class="at high"') == 3 and "in 3 lanes" in few and "<h0>" not in few
    many = panels.timeline([of(n) for n in range(40)], START, START + DAY)
    assert many.count('class="at high"') == 40 and "in 11 lanes" in many
