"""What a subject usually does, against the same equations written down plainly."""

from datetime import datetime
from itertools import pairwise
from math import copysign, exp, log1p, log2, sqrt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from amiss.data import DAY, HOUR, SECOND, Array, Floats, State, Times
from amiss.subjects import habits
from amiss.zones import local
from made import START, Chance


def naive(time: Times, subject: Array, names: Array, numbers: Floats, zone: str = "UTC") -> Floats:
    """Whole dictionaries, one event after the other."""
    hours = [datetime.fromtimestamp(t // SECOND, ZoneInfo(zone)).hour for t in time.tolist()]
    seen: dict[int, list[int]] = {}
    out = np.zeros((len(time), 2 + names.shape[1] + numbers.shape[1]))
    for t, who in enumerate(subject.tolist()):
        if who == 0:
            continue
        mine = seen.setdefault(who, [])
        lately = 0.0
        for a, b in pairwise([*mine, t]):
            lately = (lately + 1.0) * exp(-(time[b] - time[a]) / SECOND / habits.LATELY)
        out[t, 0] = log1p(lately)
        if mine and time[t] - time[mine[0]] >= 3 * DAY:
            apart = [(hours[t] - hours[m]) % 24 for m in mine]
            nearby = sum(hours in (0, 1, 23) for hours in apart)
            out[t, 1] = round(log2((len(mine) + 0.5) / (24 * nearby / 3 + 0.5)))
        for j, name in enumerate(names[t].tolist()):
            met = sum(names[m, j] == name for m in mine)
            out[t, 2 + j] = round(log2((len(mine) + 0.5) / (met + 0.5))) if mine and name else 0.0
        for j, value in enumerate(numbers[t].tolist()):
            past = [slog(x) for x in numbers[mine, j].tolist() if np.isfinite(x)]
            if np.isfinite(value) and past:
                mean, variance = moments(past)
                far = (slog(value) - mean) / sqrt(variance + habits.LEAST)
                out[t, 2 + names.shape[1] + j] = far
        mine.append(t)
    return out


def slog(x: float) -> float:
    return copysign(log1p(abs(x)), x)


def moments(past: list[float]) -> tuple[float, float]:
    mean = variance = 0.0
    for n, x in enumerate(past):
        known, away = min(n, habits.SLOW), x - mean
        if n:
            variance += (away * away - variance) / (known + 1)
        mean += away / (known + 1)
    return mean, variance


def events(count: int, seed: int) -> tuple[Times, Array, Array, Floats]:
    chance = Chance(seed)
    time = (START * SECOND + np.cumsum(2 * HOUR * chance.uniform(count))).astype(np.int64)
    subject = (4 * chance.uniform(count)).astype(np.int64)  # 0 is nobody
    names = (5 * chance.uniform(2 * count)).astype(np.int64).reshape(count, 2)
    numbers = np.exp(3 * chance.normal(2 * count)).reshape(count, 2)
    numbers[chance.uniform(count) < 0.1, 0] = np.nan
    return time, subject, names, numbers


def test_it_is_what_the_equations_say() -> None:
    said = events(150, 4)
    _, found = habits.step(habits.init(), *said)
    np.testing.assert_allclose(found, naive(*said), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("before", [18, 236], ids=["the end of summer time", "its beginning"])
def test_hours_are_those_of_the_clock_on_the_wall(before: int) -> None:
    time, *rest = events(150, 4)
    time = time - before * DAY
    wall = local(time, "Europe/Berlin")
    assert len(set((wall - time).tolist())) == 2, "the clock is changed meanwhile"
    _, found = habits.step(habits.init(), time, *rest, clock=wall)
    wanted = naive(time, *rest, zone="Europe/Berlin")
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    _, utc = habits.step(habits.init(), time, *rest)
    assert (utc[:, 1] != found[:, 1]).any()
    np.testing.assert_array_equal(np.delete(utc, 1, axis=1), np.delete(found, 1, axis=1))


@pytest.mark.parametrize("at", [0, 1, 77, 149])
def test_in_two_pieces_it_is_the_same(at: int) -> None:
    said = events(150, 5)
    whole, found = habits.step(habits.init(), *said)
    state, first = habits.step(habits.init(), *(x[:at] for x in said))
    state, second = habits.step(state, *(x[at:] for x in said))
    np.testing.assert_array_equal(found, np.concatenate([first, second]))
    for name in whole:
        np.testing.assert_array_equal(whole[name], state[name])


def test_memory_is_bounded_and_who_comes_often_is_kept() -> None:
    chance, often, state = Chance(6), np.full(1, 7), habits.init()
    size = {name: table.shape for name, table in state.items()}
    for block in range(40):
        once = 100 + np.arange(3000) + 3000 * block
        subject = np.concatenate([once, np.repeat(often, 300)])
        subject = subject[np.argsort(chance.uniform(len(subject)))]
        time = START * SECOND + (block * len(subject) + np.arange(len(subject))) * SECOND
        names = np.full((len(subject), 1), 3)
        state, found = habits.step(state, time, subject, names, np.zeros((len(subject), 0)))
    assert {name: table.shape for name, table in state.items()} == size
    assert 2 * state["used"][0] <= 1 << habits.BITS
    assert found[subject == 7, 2].max() < 0.5  # its name is known to be usual for it


def test_who_comes_all_the_time_does_not_count_beyond_its_bits() -> None:
    def step(state: State, count: int) -> tuple[State, Floats]:
        one, time = np.ones(count, np.int64), (START + np.arange(count)) * SECOND
        return habits.step(state, time, one, one[:, None], one[:, None].astype(float))

    state, _ = step(habits.init(), 1)
    there = state["count"] > 0
    state["count"][there] = habits.MOST - 3
    state["first"][there] = 0
    state, found = step(state, 10)
    assert (state["count"][there] > habits.MOST // 4).all()
    assert (state["count"] < habits.MOST + 10).all()
    np.testing.assert_array_equal(found[:, 2], 0.0)
