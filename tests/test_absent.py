"""A series that came regularly and stopped is told, and when it is back."""

from math import exp, log

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, HOUR, MINUTE, SECOND, Floats, Frame
from amiss.detectors.absent import Absent
from amiss.steps.quiet import fill, start
from made import Chance
from test_rule import FILE, MONDAY, Site

GONE = {"type": "absent"}


def naive(there: list[bool]) -> list[float]:
    """By the list of all silences, a minute between two ticks."""
    found, silences, last = [], list[tuple[float, float]](), None
    for t, is_there in enumerate(there):
        gap, keep = None if last is None else (t - last) * 60.0, 1.0
        if gap is None:
            found.append(np.nan)
        elif is_there:
            keep = exp(-gap * SECOND / (30 * DAY))
            silences = [(g * keep, w * keep) for g, w in silences] + [(gap, 1.0)]
            found.append(0.0)
        else:
            count = sum(w for _, w in silences)
            longest = max((g for g, _ in silences), default=0.0)
            score = log(count + 1) + log(gap / longest) if longest and gap > 3 * longest else 0.0
            found.append(score if count >= 30 else np.nan)
        last = t if is_there else last
    return found


@given(st.integers(0, 2**32), st.sampled_from([0.05, 0.5]))
def test_says_what_a_naive_version_says(seed: int, missing: float) -> None:
    there = Chance(seed).uniform(200) >= missing
    there[150:190] = False
    value, last = np.where(there, 1.0, np.nan), None
    silent: Floats = np.full(200, np.nan)
    for t in range(200):
        silent[t] = np.nan if last is None else 60.0 * (t - last)
        last = t if there[t] else last
    frame = Frame(
        MONDAY + MINUTE * np.arange(200),
        ("x",),
        ("value", "silent"),
        np.stack([value, silent], axis=1)[:, None, :],
    )
    found = Absent().step(Absent().init(1, 2), frame)[1].values[:, 0]
    np.testing.assert_allclose(found, naive(there.tolist()), rtol=1e-9)


def test_one_that_stops_is_told_in_words_and_when_it_is_back() -> None:
    site = Site(detectors=[GONE])
    site.minutes(400, heartbeat=1.0, cpu=3.0)
    told = site.minutes(30, cpu=3.0)
    assert len({i.id for i in told}) == 1
    assert told[0].members[0].series == 'heartbeat{host="web-1"}'
    assert "web-1: heartbeat has been silent for " in told[0].sentence
    assert " (a sample every 60 s expected) since " in told[0].sentence
    [over] = site.minutes(10, heartbeat=1.0, cpu=3.0)
    assert over.state == "resolved"


def test_a_source_that_falls_silent_as_a_whole_is_told() -> None:
    site = Site(detectors=[GONE], source=FILE)
    site.minutes(400, heartbeat=1.0, cpu=3.0)
    [opened] = site.minutes(10)[:1]
    assert opened.system == 'host="web-1"'
    later = site.minutes(60)
    assert all(i.state == "open" for i in later)


def test_time_in_which_nobody_looked_is_no_silence() -> None:
    site = Site(detectors=[GONE])
    site.minutes(400, heartbeat=1.0)
    site.now += 5 * HOUR
    assert not site.minutes(10, heartbeat=1.0)


def test_after_a_day_it_is_no_longer_expected() -> None:
    site = Site(detectors=[GONE | {"gone": "2h"}])
    site.minutes(400, heartbeat=1.0, cpu=3.0)
    told = site.minutes(180, cpu=3.0)
    assert len({i.id for i in told}) == 1
    assert told[-1].state == "resolved"
    assert told[-1].sentence.endswith("It lasted 2 hours.")


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.integers(0, 60))
def test_empty_ticks_are_the_same_in_any_batches(came: list[int], at: int) -> None:
    ticks = np.array(sorted(set(came)), np.int64)

    def frame(some: np.ndarray) -> Frame:
        return Frame(some * MINUTE, ("x",), ("value",), np.ones((len(some), 1, 1)))

    state, whole = fill(start(), frame(ticks), MINUTE, 70 * MINUTE)
    first, one = fill(start(), frame(ticks[ticks <= at]), MINUTE, at * MINUTE)
    second, two = fill(first, frame(ticks[ticks > at]), MINUTE, 70 * MINUTE)
    assert [*one.time, *two.time] == whole.time.tolist()
    assert whole.time.tolist() == [t * MINUTE for t in range(ticks[0], 71)]
    assert np.flatnonzero(np.isfinite(whole.values[:, 0, 0])).tolist() == (
        (ticks - ticks[0]).tolist()
    )
    assert {k: v.tolist() for k, v in state.items()} == {k: v.tolist() for k, v in second.items()}
