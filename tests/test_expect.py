"""What is expected of a series, against a plain version and against what a person would expect."""

from dataclasses import replace
from datetime import UTC, datetime
from math import inf, nan
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import HOUR, SECOND, Floats, Frame, Times
from amiss.decide import expect
from amiss.zones import local
from made import KINDS, START, Chance

DAY = 86400
f32 = np.float32


class Envelope:
    """Highest and lowest of each half-hour of the day, averaged over days."""

    def __init__(self) -> None:
        self.top: dict[int, float] = {}
        self.bottom: dict[int, float] = {}
        self.cycles: dict[int, int] = {}
        self.half: int | None = None

    def step(self, half: int, v: float) -> bool:
        if half != self.half:
            self.close()
            self.half, self.high, self.low = half, -inf, inf
        self.high, self.low = max(self.high, v), min(self.low, v)
        return self.encloses(half, v)

    def close(self) -> None:
        if (k := self.half) is None:
            return
        self.cycles[k] = self.cycles.get(k, 0) + 1
        gain = max(0.25, 1 / self.cycles[k])
        for learnt, seen in ((self.top, self.high), (self.bottom, self.low)):
            before = learnt.get(k, 0.0)
            learnt[k] = float(f32(before + gain * (seen - before)))

    def encloses(self, half: int, v: float) -> bool:
        if self.cycles.get(half, 0) < 2:
            return False
        near = [k % 48 for k in (half - 1, half, half + 1) if k % 48 in self.cycles]
        high, low = max(self.top[k] for k in near), min(self.bottom[k] for k in near)
        room = 0.25 * (high - low)
        return low - room <= v <= high + room


class Expect:
    """The equations, one sample at a time. Times are in seconds."""

    def __init__(self) -> None:
        self.n = 0
        self.gaps: list[float] = []
        self.dt = 300.0
        self.last: list[float] = []
        self.profile: dict[tuple[bool, int], float] = {}
        self.seen: dict[tuple[bool, int], int] = {}
        self.error_of_level = self.error_of_profile = 0.0
        self.envelope = Envelope()

    def step(self, t: int, v: float) -> tuple[float, float, float, float, bool]:
        """recent, usual, interval, error as known before the sample; whether it is enclosed."""
        if self.n == 0:
            self.level, self.last = v, [v, v, v]
        elif t > self.before:
            self.measure(float(f32(t - self.before)))
        dt = self.dt
        self.before, self.n = t, self.n + 1
        at = datetime.fromtimestamp(t, UTC)
        q = self.of_day(at)
        better = q is not None and self.error_of_profile < self.error_of_level
        recent, usual = median(self.last), q if better and q is not None else self.level
        error = self.error_of_profile if better else self.error_of_level
        inside = self.envelope.step(at.hour * 2 + at.minute // 30, v)

        if q is not None:
            self.compare(abs(v - self.level), abs(v - q))
        self.learn_profile(at, v, dt)
        self.level += min(max(1 / self.n, dt / DAY), 1) * (v - self.level)
        self.last = [v, *self.last[:2]]
        return recent, usual, dt, error, inside

    def measure(self, gap: float) -> None:
        """The median of the first 31 gaps, and of 31 again from each 1,024th sample on."""
        if len(self.gaps) == 31 and self.n % 1024 == 0:
            self.gaps = []
        if len(self.gaps) < 31:
            self.gaps.append(gap)
            if len(self.gaps) == 31 or self.n < 1024:
                self.dt = float(f32(median(self.gaps)))

    def slots(self, at: datetime) -> tuple[tuple[bool, int], tuple[bool, int], float]:
        """The hours whose centres enclose a time, and how near it is to the second."""
        hours = at.hour + at.minute / 60 + at.second / 3600 - 0.5
        first = int(np.floor(hours))
        weekend = at.weekday() >= 5
        return (weekend, first % 24), (weekend, (first + 1) % 24), hours - first

    def of_day(self, at: datetime) -> float | None:
        first, second, weight = self.slots(at)
        if first in self.profile and second in self.profile:
            return (1 - weight) * self.profile[first] + weight * self.profile[second]
        return self.profile.get(first, self.profile.get(second))

    def compare(self, of_level: float, of_profile: float) -> None:
        """An error counts at most eight times the mean."""
        limit = 8 * self.error_of_level or of_level
        self.error_of_level += 0.01 * (min(of_level, limit) - self.error_of_level)
        limit = 8 * self.error_of_profile or of_profile
        self.error_of_profile += 0.01 * (min(of_profile, limit) - self.error_of_profile)

    def learn_profile(self, at: datetime, v: float, dt: float) -> None:
        first, second, weight = self.slots(at)
        near = first if weight < 0.5 else second
        self.seen[near] = self.seen.get(near, 0) + 1
        before = self.profile.get(near, float(f32(v)))
        gain = max(1 / self.seen[near], 0.1 / max(1, 3600 / dt))
        self.profile[near] = float(f32(before + gain * (v - before)))


def framed(t: Times, x: Floats) -> Frame:
    return Frame(t * SECOND, ("a",), ("value",), x[:, None, None])


def told(t: Times, x: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """What the kernels say: recent, usual, interval, error, inside."""
    _, found, inside = expect.step(expect.init(1), framed(t, x))
    recent, usual, interval, error = (found.column(name)[:, 0] for name in expect.FEATURES[1:])
    return recent, usual, interval, error, inside[:, 0]


@given(
    st.sampled_from(sorted(KINDS)),
    st.integers(0, 10**6),
    st.sampled_from([5, 60, 1000, 3600, 90_000]),
    st.integers(0, 10 * DAY),
)
def test_reads_like_the_equations(kind: str, seed: int, every: int, start: int) -> None:
    chance, n = Chance(seed), 400
    t = START + start + np.cumsum(every * (1 + (chance.uniform(n) < 0.05)))
    x = KINDS[kind][0](n, t, chance)
    x[chance.uniform(n) < 0.1] = nan
    naive = Expect()
    rows = [
        naive.step(*row) if np.isfinite(row[1]) else (nan, nan, nan, nan, False)
        for row in zip(t.tolist(), x.tolist(), strict=True)
    ]
    for said, expected in zip(told(t, x), zip(*rows, strict=True), strict=True):
        np.testing.assert_allclose(said, np.array(expected, float), rtol=1e-6, atol=1e-6)
    state, _, _ = expect.step(expect.init(1), framed(t, x))
    for learnt, column in (("top", naive.envelope.top), ("bottom", naive.envelope.bottom)):
        halves = sorted(column)
        found = state[learnt][0, halves].tolist()
        assert found == pytest.approx([column[k] for k in halves], rel=1e-6, abs=1e-6)


def every_five_minutes(days: float) -> Times:
    return 1_699_833_600 + 300 * np.arange(int(days * 288))  # from Monday 13 November 2023


def test_a_daily_course_becomes_what_is_usual() -> None:
    """After a few days the profile predicts better than the level does, and takes over."""
    t = every_five_minutes(7)
    x = 10 * np.sin(2 * np.pi * t / DAY)
    _, usual, *_ = told(t, x)
    friday = slice(4 * 288, 5 * 288)
    assert np.abs(usual - x)[friday].max() < 1.5
    assert np.abs(usual - x)[:288].max() > 3


def test_the_weekend_has_a_profile_of_its_own() -> None:
    t = every_five_minutes(21)
    weekend = (t // DAY + 3) % 7 >= 5
    x = np.where(weekend, 2.0, 10.0) + 0.1 * Chance(1).normal(len(t))
    _, usual, *_ = told(t, x)
    assert np.abs(usual - x)[14 * 288 :].max() < 1.0


def test_the_nightly_job_lies_in_the_envelope() -> None:
    """From the third night on; the same height at noon does not."""
    t = every_five_minutes(6)
    night = (t % DAY) // 1800 == 5
    x = np.where(night, 50.0, 1.0) + 0.1 * Chance(1).normal(len(t))
    x[5 * 288 + 150] = 50.0
    *_, inside = told(t, x)
    assert inside[night][12:].all()
    assert not inside[night][:12].any()
    assert not inside[5 * 288 + 150]


def test_the_interval_is_the_median_of_the_first_gaps() -> None:
    t = np.cumsum([START, *[60] * 15, *[3600] * 3, *[60] * 13, *[900] * 50])
    _, _, interval, *_ = told(t, np.zeros(len(t)))
    assert interval[0] == 300.0
    assert (interval[1:] == 60.0).all()


def test_an_interval_that_is_changed_is_found_out() -> None:
    t = START + np.cumsum([*[5] * 600, *[60] * 1000])
    _, _, interval, *_ = told(t, np.zeros(len(t)))
    assert interval[1000] == 5.0
    assert interval[1055:].tolist() == [60.0] * 545


@pytest.mark.parametrize("every", [7 * 86400, 91 * 86400])
def test_samples_further_apart_than_a_day(every: int) -> None:
    """A memory of a day holds the last of them alone, and no more than all of it."""
    rng = np.random.default_rng(0)
    x = 100.0 + rng.normal(size=1200)
    _, usual, *_ = told(START + every * np.arange(1200), x)
    assert np.abs(usual - 100.0).max() < 6.0


def test_a_gap_or_a_step_back_in_time_teaches_no_interval() -> None:
    t = np.array([START, START + 60, START - 3600, START - 3540, START - 3540])
    _, _, interval, *_ = told(t, np.ones(5))
    assert interval.tolist() == [300.0, 60.0, 60.0, 60.0, 60.0]


def test_days_are_those_of_the_clock_on_the_wall() -> None:
    """Work begins at eight in Berlin, whatever UTC says: a week after the clocks went forward."""
    start = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
    t = start + 300 * np.arange(34 * 288)
    wall = local(t * SECOND, "Europe/Berlin")
    x = np.where((wall // HOUR) % 24 >= 8, 100.0, 0.0) + Chance(3).normal(len(t))
    frame = Frame(t * SECOND, ("a",), ("value",), x[:, None, None])
    changed = t >= int(datetime(2026, 3, 30, tzinfo=UTC).timestamp())
    off = {}
    for clock in (None, wall):
        _, said, _ = expect.step(expect.init(1), replace(frame, clock=clock))
        off[clock is None] = np.abs(x - said.column("usual")[:, 0])[changed]
    assert np.mean(off[False] > 50) < 0.01
    assert np.mean(off[True] > 50) > 0.03


def test_recent_is_the_median_of_three() -> None:
    t = every_five_minutes(1)[:6]
    recent, *_ = told(t, np.array([1.0, 100.0, 2.0, nan, 3.0, 4.0]))
    assert recent[[0, 1, 2, 4, 5]].tolist() == [1.0, 1.0, 1.0, 2.0, 3.0]
    assert np.isnan(recent[3])


@pytest.mark.parametrize("start", [-3 * DAY, 0, 4 * 10**9])
def test_before_1970_and_after_2038(start: int) -> None:
    t = start + 600 * np.arange(1000)
    recent, usual, *_ = told(t, Chance(2).normal(1000))
    assert np.isfinite(recent).all()
    assert np.isfinite(usual).all()


@given(st.integers(-(10**18), 9 * 10**18))
def test_all_that_a_half_hour_has_in_common(time: int) -> None:
    """By the equations for a single moment."""
    began, half, first, second, centre, near = expect._half_hour(time)
    day, since = divmod(time, DAY * SECOND)
    hour = (since + HOUR // 2) // HOUR - 1
    weight = (since - HOUR // 2 - hour * HOUR) / HOUR
    weekend = 24 if (day + 3) % 7 >= 5 else 0
    assert (first, second) == (hour % 24 + weekend, (hour + 1) % 24 + weekend)
    assert (time - centre) / HOUR == weight
    assert near == (first if weight < 0.5 else second)
    assert half == since // (HOUR // 2)
    assert 0 <= time - began < HOUR // 2
