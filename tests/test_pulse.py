"""Single records by the minute."""

from itertools import pairwise

import numpy as np
import pytest

from amiss.data import DAY, MINUTE, SECOND, Frame
from amiss.decide import pulse
from made import START, Chance

FIRST = -(-START // 60)  # the first whole minute


def at(*seconds: float) -> np.ndarray:
    return np.array([int((60 * FIRST + s) * SECOND) for s in seconds], np.int64)


def test_a_minute_leaves_when_it_is_over_and_empty_ones_are_0() -> None:
    time, systems = at(1, 30, 60, 61, 400), np.array(['host="a"', "", "", 'host="a"', ""])
    nats = np.array([1.0, np.nan, np.nan, 3.0, 2.0])
    state, frame, worst = pulse.step(pulse.init(), time, systems, nats, int(time[-1]))
    assert frame.keys == ("events_per_minute", 'events_per_minute{host="a"}')
    assert (frame.time // MINUTE - FIRST).tolist() == [1, 2, 3, 4, 5, 6]
    assert frame.values[:, :, 0].T.tolist() == [[2, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]]
    np.testing.assert_array_equal(worst[:, 1], [1.0, 3.0, *[np.nan] * 4])
    assert np.isnan(worst[:, 0]).all()
    _, frame, worst = pulse.step(state, time[:0], systems[:0], nats[:0], int(at(421)[0]))
    assert (frame.time // MINUTE - FIRST).tolist() == [7]
    assert frame.values[0, :, 0].tolist() == [1, 0]
    assert worst[0, 0] == 2.0


def test_a_promise_alone_ends_minutes_and_a_day_of_silence_is_left_out() -> None:
    time = at(10)
    state, frame, _ = pulse.step(pulse.init(), time, np.array([""]), np.zeros(1), int(time[0]))
    assert not len(frame.time)
    state, frame, _ = pulse.step(state, time[:0], np.zeros(0, "U1"), np.zeros(0), int(at(301)[0]))
    assert frame.values[:, 0, 0].tolist() == [1, 0, 0, 0, 0]
    later = at(310 + 3 * DAY // SECOND, 400 + 3 * DAY // SECOND)
    state, frame, _ = pulse.step(state, later, np.array(["", ""]), np.zeros(2), int(later[-1]))
    assert frame.values[:, 0, 0].tolist() == [*[0.0] * (1 + DAY // MINUTE - 5), 1.0]
    assert frame.time[-1] // MINUTE - FIRST == 3 * DAY // MINUTE + 6


def test_kinds_are_bounded_and_those_that_are_gone_make_room(monkeypatch) -> None:
    monkeypatch.setattr(pulse, "MOST", 2)
    kinds = np.array(["b", "c", "a", "b", "a"])
    kinds = np.char.add(np.char.add('x="', kinds), '"')
    state, frame, _ = pulse.step(pulse.init(), at(*range(5)), kinds, np.zeros(5), int(at(90)[0]))
    assert frame.keys == ('events_per_minute{x="b"}', 'events_per_minute{x="c"}')
    assert state["refused"].tolist() == [2]
    later = at(2 * DAY // SECOND)
    state, _, _ = pulse.step(state, later[:0], kinds[:0], np.zeros(0), int(later[0]))
    state, frame, _ = pulse.step(state, later, kinds[2:3], np.zeros(1), int(later[0]) + MINUTE)
    assert frame.keys == ('events_per_minute{x="a"}',)


def test_nothing_at_all_gives_nothing() -> None:
    state, frame, worst = pulse.step(
        pulse.init(), at()[:0], np.zeros(0, "U1"), np.zeros(0), pulse.NEVER
    )
    assert frame.values.shape == (0, 0, 1)
    assert worst.shape == (0, 0)
    assert state["closed"][0] == pulse.NEVER


@pytest.mark.parametrize("cut", [0, 1, 13, 40, 79, 80])
def test_in_two_pieces_it_is_the_same(cut: int) -> None:
    chance = Chance(2)
    time = at(*np.cumsum(90 * chance.uniform(80)).tolist())
    systems = np.array([["", 'host="a"', 'host="b"'][int(3 * x)] for x in chance.uniform(80)])
    nats = chance.exponential(80)

    def run(*cuts: int) -> tuple[list[tuple[int, str, float, float]], dict[str, object]]:
        state, rows = pulse.init(), []
        for a, b in pairwise(cuts):
            now = int(time[b - 1]) if b else pulse.NEVER
            state, frame, worst = pulse.step(state, time[a:b], systems[a:b], nats[a:b], now)
            rows += [row for row in listed(frame, worst) if np.isfinite(row[2])]
        return rows, {name: column.tolist() for name, column in state.items()}

    def listed(frame: Frame, worst: np.ndarray) -> list[tuple[int, str, float, float]]:
        return [
            (int(moment), key, float(frame.values[t, s, 0]), float(worst[t, s]))
            for t, moment in enumerate(frame.time)
            for s, key in enumerate(frame.keys)
        ]

    (rows, state), (parted, again) = run(0, 80), run(0, cut, 80)
    assert list(map(repr, sorted(rows))) == list(map(repr, sorted(parted)))  # NaN is not NaN
    held = ("minute", "count", "strangest", "closed", "last", "kinds")
    assert [state[name] for name in held] == [again[name] for name in held]
