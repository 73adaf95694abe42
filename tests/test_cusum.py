"""Runs of slightly odd records: a plain version, chance alone, and where there is one."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, MINUTE, Array, Floats, State
from amiss.decide import cusum
from amiss.decide.cusum import Runs
from made import Chance

WHOLE = 20_000


def told(nats: Floats, stream: Array | None = None) -> tuple[State, Runs]:
    """Records, a minute apart."""
    column = np.ones(len(nats), np.int64) if stream is None else stream
    time = MINUTE * np.arange(len(nats))
    return cusum.step(cusum.init(1), time, nats, column[:, None])


class Tops:
    """How high runs before got, in bins of 1/4: at first as high as 20 of chance do."""

    def __init__(self) -> None:
        self.n = 20.0
        self.held = {k: 20 * (exp(-k / 4) - exp(-(k + 1) / 4)) for k in range(127)}
        self.held[127] = 20 * exp(-127 / 4)

    def add(self, top: float) -> None:
        """Of a strange one a tenth."""
        self.held[min(int(4 * top), 127)] += 0.1 if self.score(top) >= 4 else 1.0

    def highest(self, many: float) -> float:
        """The top that so many are above."""
        above = 0.0
        for k in range(127, -1, -1):
            if above + self.held[k] >= many:
                return (k + 1 - (many - above) / self.held[k]) / 4
            above += self.held[k]
        return 0.0

    def score(self, G: float) -> float:
        c = sum(many for k, many in self.held.items() if k >= min(int(4 * G), 127))
        t = max(4.0, sum(self.held.values()) / 10)
        u, m = self.highest(t), self.highest(t / 2)
        b = max(1.0, (m - u) / log(2))
        R = max(0.0, log(self.n / t)) + max(0.0, G - u) / b
        return -log(exp(-min(G, R)) + c / self.n)


def plain(nats: list[float]) -> list[tuple[float, int, int, int]]:
    """The score of a run at its top, and which records made it; of one stream."""
    past, tops, out = list[int](), Tops(), []
    g, top, first, count, odd = 0.0, 0.0, 0, 0, 0
    for number, x in enumerate(nats, 1):
        at = min(int(x * 16), 511)
        y = log((len(past) + 1) / (sum(k >= at for k in past) + 1))
        past.append(at)
        if g == 0.0:
            first, count, odd = number, 0, 0
        g = min(max(g + y / 2 - log(2), 0.0), 30.0)
        count, odd = count + 1, odd + (y >= log(10))
        tops.n += 1
        told = g > 0.0 and g >= top and count <= 1024 <= number
        out.append((tops.score(g), first, count, odd) if told else (0.0, 0, 0, 0))
        top = max(top, g)
        if g == 0.0 or g < top - 4:
            if top > 0.0:
                tops.add(top)
            g = top = 0.0
    return out


def same(runs: Runs, wanted: list[tuple[float, int, int, int]]) -> None:
    for t, (score, *of) in enumerate(wanted):
        if of[0]:
            assert runs.score[t, 0] == pytest.approx(score, abs=1e-9)
            assert [runs.first[t, 0], runs.count[t, 0], runs.odd[t, 0]] == of
        else:
            assert np.isnan(runs.score[t, 0])


@given(st.lists(st.floats(0, 40), max_size=300))
def test_it_is_the_plain_version(nats: list[float]) -> None:
    late = [1.0] * cusum.LONG
    same(told(np.array(late + nats))[1], plain(late + nats))


@pytest.mark.parametrize("odd", [0, 3, 40])
def test_it_is_the_plain_version_where_there_were_runs(odd: int) -> None:
    """Tops of some hundred runs, a few of them strange ones."""
    nats = Chance(odd).exponential(4000)
    for at in range(1100, 4000, 290):
        nats[at : at + odd] += 2.5
    _, runs = told(nats)
    same(runs, plain(nats.tolist()))
    assert np.isfinite(runs.score).sum() > 100


def test_it_is_the_plain_version_where_there_were_few_runs() -> None:
    nats = np.ones(2600)
    for k, at in enumerate(range(1100, 2500, 200)):
        nats[at : at + 2 + k // 2] = 5.0 + k
    nats[2550:2570] = 30.0
    _, runs = told(nats)
    same(runs, plain(nats.tolist()))
    assert np.nanmax(runs.score) > 6


@pytest.mark.parametrize("odds", [1.0, 3.0])
def test_where_nothing_is_amiss_runs_are_no_more_frequent_than_they_say(odds: float) -> None:
    """Of n records at most n e^-s lie in a run of a score of s, however odd they say to be."""
    tops = list[float]()
    for seed in range(40):
        _, runs = told(odds * Chance(seed).exponential(WHOLE))
        score = np.nan_to_num(runs.score[:, 0])
        begun = np.unique(runs.first[score > 0, 0])
        tops += [float(score[runs.first[:, 0] == first].max()) for first in begun.tolist()]
    asked = 40 * (WHOLE - cusum.LONG)
    for s in (3.0, 4.0, 5.0, 6.0, 7.0):
        seen, most = sum(top >= s for top in tops), asked * exp(-s)
        assert seen < most + 4 * most**0.5
    assert sum(top >= 3 for top in tops) > 100


def test_a_run_is_found_of_which_no_record_is_strange_by_itself() -> None:
    nats = Chance(1).exponential(5000)
    nats[4000:4020] = 3.5 + Chance(2).uniform(20)
    _, runs = told(nats)
    assert np.nanmax(runs.score[4000:4020]) > 15 > 7 > np.nanmax(runs.score[:4000])
    assert np.nanmax(runs.y[4000:4020]) < 5 < np.nanmax(runs.y[:4000])
    end = 4000 + int(np.nanargmax(runs.score[4000:4020, 0]))
    assert runs.first[end, 0] in range(3990, 4003)
    assert runs.odd[end, 0] >= 18


def test_one_record_alone_is_no_run() -> None:
    nats = Chance(1).exponential(WHOLE)
    nats[15_000] = 1e6
    _, runs = told(nats)
    assert not runs.score[15_000, 0] > log(WHOLE) / 2


@pytest.mark.parametrize("most", [1e18, 1e300, np.inf])
def test_what_is_too_strange_to_be_counted_is_the_strangest_of_all(most: float) -> None:
    nats = Chance(1).exponential(3000)
    nats[2000] = most
    state, runs = told(nats)
    assert runs.y[2000] == pytest.approx(log(2001))
    assert runs.number[-1] == state["seen"][0] == 3000


def test_a_run_is_held_against_those_before() -> None:
    """Twice a day thirty records are odder than others: after a week that is hardly news."""
    chance, n = Chance(3), 16_000
    job, at = np.arange(n) % 720 < 30, 15_700
    nats = chance.exponential(n)
    nats[at : at + 30] = usual = 1.5 + chance.exponential(30)
    new = told(nats)[1].score[at : at + 30]
    nats[job] += 1.5
    nats[at : at + 30] = usual
    known = told(nats)[1].score[at : at + 30]
    assert np.nanmax(new) > np.nanmax(known) + 2
    assert np.nanmax(known) < 10


def test_each_stream_has_its_own_run() -> None:
    chance, n = Chance(4), 6000
    nats, stream = chance.exponential(n), 1 + np.arange(n) % 50
    mine = np.flatnonzero(stream == 7)[-20:]  # of one of fifty, among the others' records
    nats[mine] = 4.0
    score = told(nats, stream)[1].score[:, 0]
    assert np.nanmax(score[mine]) > 15 > 8 > np.nanmax(np.delete(score, mine))
    assert not np.nanmax(told(nats)[1].score) > 10


def test_what_is_no_record_or_about_nobody_changes_nothing() -> None:
    nats, nobody = Chance(5).exponential(3000), np.ones(3000, np.int64)
    gap = np.insert(nats, 2000, [np.nan] * 5)
    whole, with_gap = told(nats)[1], told(gap)[1]
    np.testing.assert_array_equal(np.delete(with_gap.score, range(2000, 2005), 0), whole.score)
    nobody[1500:] = 0
    assert np.isnan(told(nats, nobody)[1].score[1500:]).all()


def test_after_a_day_of_silence_nothing_goes_on() -> None:
    nats = np.append(Chance(6).exponential(2000), np.full(20, 4.0))
    time = MINUTE * np.arange(2020)
    time[2010:] += DAY
    ones = np.ones((2020, 1), np.int64)
    runs = cusum.step(cusum.init(1), time, nats, ones)[1]
    assert runs.first[2019, 0] == 2011
    assert np.nanmax(runs.score[2010:]) < np.nanmax(told(nats)[1].score[2010:])


def test_what_goes_on_for_long_is_no_run_but_how_things_are() -> None:
    nats = np.append(Chance(7).exponential(WHOLE), 4.0 + Chance(8).uniform(4000))
    score = told(nats)[1].score[WHOLE:, 0]
    assert np.nanmax(score[:1000]) > 15
    assert np.isnan(score[1100:]).all()


@pytest.mark.parametrize("cut", [1, 700, 1500, 2015])
def test_in_pieces_it_is_the_same(cut: int) -> None:
    nats, time = Chance(9).exponential(2100), MINUTE * np.arange(2100)
    nats[2000:2020], stream = 4.0, 1 + np.arange(2100)[:, None] % 3
    state, whole = cusum.step(cusum.init(1), time, nats, stream)
    half, one = cusum.step(cusum.init(1), time[:cut], nats[:cut], stream[:cut])
    half, two = cusum.step(half, time[cut:], nats[cut:], stream[cut:])
    np.testing.assert_array_equal(np.concatenate([one.score, two.score]), whole.score)
    for name, column in state.items():
        np.testing.assert_array_equal(half[name], column, err_msg=name)


def test_only_streams_that_left_in_the_middle_of_a_run_are_counted() -> None:
    many = np.arange(1, 3 * cusum.STREAMS)
    calm, _ = told(np.zeros(len(many)), many)
    odd, _ = told(Chance(1).exponential(len(many)), many)
    assert calm["gone"][0] == 0
    assert 0 < odd["gone"][0] < len(many) - cusum.STREAMS
