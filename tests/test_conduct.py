"""What a subject does over several records, against dictionaries and sets."""

from math import asin, cos, exp, log, radians, sin, sqrt
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, HOUR, MINUTE, SECOND, Array, Floats, Frame, Times
from amiss.decide import tail
from amiss.detectors import conduct as detector
from amiss.detectors.conduct import Conduct
from amiss.subjects import conduct, distinct, firsts, shares, slots, usual
from amiss.subjects.conduct import BEYOND
from amiss.text.names import hashed
from made import START, Chance

TTL = 3 * DAY
ROOM = 64


@st.composite
def events(draw: st.DrawFn) -> tuple[Times, Array, Array]:
    """Times of up to 80 events, their subjects and items, by hash; 0 is none."""
    n, chance = draw(st.integers(0, 80)), Chance(draw(st.integers(0, 2**32)))
    pause = draw(st.sampled_from([SECOND, MINUTE, HOUR, DAY]))
    time = START * SECOND + np.cumsum((pause * chance.exponential(n)).astype(np.int64))
    names = np.append(0, hashed([f"n{k}" for k in range(12)]))
    key = names[(4 * chance.uniform(n)).astype(int)]
    return time, key, names[(13 * chance.uniform(n)).astype(int)]


def gone() -> Array:
    return np.zeros(1, np.int64)


@given(events(), st.sampled_from([MINUTE, HOUR, DAY]))
def test_different_ones_within_a_window(of: tuple[Times, Array, Array], window: int) -> None:
    wanted, last = [], dict[tuple[int, int], int]()
    for time, key, item in zip(*(column.tolist() for column in of), strict=True):
        now, mine = time // SECOND, slots.spread(item, distinct.PLACES)
        there = {i for (k, i), t in last.items() if k == key and now - t < window // SECOND}
        new = key and item and mine not in there
        if key and item:
            last[key, mine] = now
        share = (len(there) + 1) / distinct.PLACES
        wanted.append(round(-distinct.PLACES * log(1 - share)) if new else 0)
    found = distinct.many(distinct.init(ROOM), gone(), *of, window, TTL)
    assert found.tolist() == wanted


@pytest.mark.parametrize("n", [50, 256, 700])
def test_how_far_off_the_number_of_different_ones_is(n: int) -> None:
    errors, nobody = [], np.ones(n, np.int64)
    for seed in range(100):
        items = np.unique(np.floor(2**40 * Chance(seed).uniform(n)).astype(np.int64) + 1)
        time = np.full(len(items), START * SECOND)
        state = distinct.init(ROOM)
        found = distinct.many(state, gone(), time, nobody[: len(items)], items, MINUTE, TTL)
        errors.append(found.max() / len(items) - 1)
    t = n / distinct.PLACES
    stated = sqrt(distinct.PLACES * (exp(t) - t - 1)) / n
    assert abs(np.mean(errors)) < stated
    assert np.sqrt(np.mean(np.square(errors))) < 1.3 * stated < 0.11


@given(events(), st.sampled_from([10 * MINUTE, HOUR]))
def test_how_often_within_a_window(of: tuple[Times, Array, Array], window: int) -> None:
    time, key, item = of
    adds, asks = item % 2 == 0, item % 3 == 0
    part, wanted = window // distinct.PARTS, []
    for t in range(len(time)):
        since = time[t] // part - distinct.PARTS
        mine = [i for i in range(t + 1) if key[i] == key[t] and adds[i] and time[i] // part > since]
        wanted.append(len(mine) if key[t] and asks[t] else 0)
    state = distinct.init_often(ROOM)
    assert distinct.often(state, gone(), time, key, adds, asks, window, TTL).tolist() == wanted


@given(events())
def test_what_is_new(of: tuple[Times, Array, Array]) -> None:
    wanted, known = [], dict[int, tuple[int, list[int]]]()
    for key, item in zip(of[1].tolist(), of[2].tolist(), strict=True):
        count, items = known.get(key, (0, []))
        new = key and item and count and item not in items[-firsts.ITEMS :]
        wanted.append((count + 1) / (len(items) + 1) if new else 0)
        if key and item:
            known[key] = count + 1, items if item in items else [*items, item]
    assert firsts.first(firsts.init_first(ROOM), gone(), *of, 999 * DAY).tolist() == wanted


@given(events())
def test_who_has_risen(of: tuple[Times, Array, Array]) -> None:
    time, key, item = of
    rank = np.where(item % 4 == 0, np.nan, item % 5)
    wanted, known = [], dict[int, tuple[int, float]]()
    for who, high in zip(key.tolist(), rank.tolist(), strict=True):
        count, before = known.get(who, (0, -np.inf))
        wanted.append(count if who and high > before else 0)
        known[who] = count + 1, high if high > before else before
    assert firsts.risen(firsts.init_risen(ROOM), gone(), time, key, rank, 999 * DAY).tolist() == (
        wanted
    )


@given(events())
def test_how_fast_somebody_travels(of: tuple[Times, Array, Array]) -> None:
    time, key, item = of
    where = np.stack([item % 91 - 0.5, item % 179 - 90.5], axis=1)
    where[item % 5 == 0, 1] = np.nan
    wanted, before = [], dict[int, tuple[int, float, float]]()
    for t in range(len(time)):
        x, (north, east) = 0.0, where[t].tolist()
        if key[t] and np.isfinite(east):
            if mine := before.get(key[t]):
                a, b, c = radians(mine[1]), radians(north), radians(east - mine[2])
                half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(c / 2) ** 2
                far = 2 * 6371 * asin(sqrt(half))
                x = far / (max(time[t] - mine[0], MINUTE) / HOUR) if far >= 100 else 0.0
            before[key[t]] = time[t], north, east
        wanted.append(x)
    found = firsts.speed(firsts.init_speed(ROOM), gone(), time, key, where, 999 * DAY)
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_from_berlin_to_new_york() -> None:
    where = np.array([[52.52, 13.405], [40.71, -74.006]])
    time = START * SECOND + np.array([0, 2 * HOUR])
    one = np.ones(2, np.int64)
    found = firsts.speed(firsts.init_speed(ROOM), gone(), time, one, where, TTL)
    assert found.tolist() == [0, pytest.approx(6385 / 2, rel=0.005)]


@given(events())
def test_how_far_the_mix_is_from_the_usual(of: tuple[Times, Array, Array]) -> None:
    time, key, kind = of
    kind = kind % 5 * (kind != 0)
    wanted, past = [], dict[int, list[tuple[int, int]]]()
    for now, who, what in zip(time.tolist(), key.tolist(), kind.tolist(), strict=True):
        if not (who and what):
            wanted.append(0.0)
            continue
        mine = past.setdefault(who, [])
        slow, fast = dict[int, float](), {what: 1.0}
        for then, k in mine:
            slow[k] = slow.get(k, 0) + exp(-(now - then) / shares.USUALLY)
            fast[k] = fast.get(k, 0) + exp(-(now - then) / shares.LATELY)
        f, s = sum(fast.values()), sum(slow.values())
        usually = {k: (slow.get(k, 0) + 0.5) / (s + 4) for k in fast}
        x = sum(n * log(n / f / usually[k]) for k, n in fast.items() if n > 1e-9)
        wanted.append(max(x, 0.0) if mine else 0.0)
        mine.append((now, what))
    found = shares.shift(shares.init(ROOM), gone(), time, key, kind, 999 * DAY)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-9)


@given(events(), st.sampled_from([1.0, 100.0]))
def test_how_far_beyond_the_usual_of_a_day(of: tuple[Times, Array, Array], a: float) -> None:
    time, key, item = of
    x = (item % 100).astype(float)
    wanted, days = [], dict[int, dict[int, float]]()
    for t, who in enumerate(key.tolist()):
        if not who:
            wanted.append(0.0)
            continue
        day, size = int(time[t] // DAY), log((a + x[t]) / a)
        others = [reached(of) for one, of in days.items() if one != who]
        mine = days.setdefault(who, {})
        before = usual_of([v for d, v in mine.items() if d < day])
        if before is None:
            before = sum(others) / (len(others) + 1)
        wanted.append(max(size - before, 0.0))
        mine[day] = max(mine.get(day, 0.0), size)
    found = usual.beyond(usual.init(ROOM), gone(), time, key, x, a, 999 * DAY)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def usual_of(days: list[float]) -> float | None:
    """After whole days."""
    u = None
    for largest in days:
        u = largest if u is None else u + (largest - u) * (0.5 if largest > u else 0.125)
    return u


def reached(days: dict[int, float]) -> float:
    """The most of what is usual and of the day that lasts."""
    *whole, last = days.values()
    return max(usual_of(whole) or 0.0, last)


def test_the_least_recently_seen_leaves_and_is_counted_and_who_is_long_silent_is_not() -> None:
    state, left = firsts.init_risen(8), gone()  # one row of places: nine do not fit

    def seen(key: int, day: float) -> Any:
        time = np.array([START * SECOND + int(day * DAY)])
        one = np.array([key])
        return firsts.risen(state, left, time, one, np.ones(1), TTL)

    for k in range(1, 9):
        seen(k, 0)
    seen(1, 0.5)
    assert left.tolist() == [0]
    seen(9, 1)
    assert left.tolist() == [1]
    assert {1, 9} < set(state["tag"].tolist()) and 2 not in state["tag"]
    for k in range(11, 17):
        seen(k, 20)
    assert left.tolist() == [1], "whom nobody has seen for so long has left already"


def test_memory_is_as_large_after_many_subjects() -> None:
    state, left = distinct.init(100), gone()
    sizes = {name: a.shape for name, a in state.items()}
    assert len(state["tag"]) == 128
    keys = np.arange(1, 5001)
    time = START * SECOND + SECOND * keys
    distinct.many(state, left, time, keys, keys, MINUTE, TTL)
    assert {name: a.shape for name, a in state.items()} == sizes
    assert left[0] == 5000 - 128


def test_the_numbers_there_are_follow_from_the_roles() -> None:
    roles: dict[conduct.Role, str] = {"source": "src", "host": "dst", "port": "dport"}
    assert conduct.chosen(roles) == ("ports", "hosts", "reach")
    assert conduct.named(roles)[0] == "ports of {dst} contacted by {src} in 1m"
    turned: dict[conduct.Role, str] = {"host": "source", "source": "host", "port": "port"}
    assert conduct.named(turned)[0] == "ports of {source} contacted by {host} in 1m"
    assert conduct.chosen({"user": "u", "outcome": "o"}) == ("failures", "guessed")


def test_another_room_begins_anew() -> None:
    roles: dict[conduct.Role, str] = {"user": "user", "device": "agent"}
    small = conduct.init(roles, 8)
    assert conduct.ready(small, roles, 8) is small
    large = conduct.ready(small, roles, 1000)
    assert {name: a.shape for name, a in large.items()} == {
        name: a.shape for name, a in conduct.init(roles, 1000).items()
    }


def test_each_number_is_known_by_how_its_name_begins() -> None:
    every: dict[conduct.Role, str] = {role: "x" for role in get_args(conduct.Role)}
    assert all(conduct.is_number(name) for name in conduct.named(every))
    numbers = conduct.NUMBERS.values()
    assert len({(n.words.partition("{")[0], n.a) for n in numbers}) == len(
        {n.words.partition("{")[0] for n in numbers}
    ), "those that begin alike are alike in what is no difference"
    assert not conduct.is_number("hour for user") and not conduct.is_number("{x}")


def test_a_number_in_words() -> None:
    said = {"dst": "10.0.0.5", "src": "10.0.0.7", "who": "ann"}
    words = "ports of {dst} contacted by {src} in 1m"
    assert number(words, 212, log(213 / 4), said) == (
        "ports of 10.0.0.5 contacted by 10.0.0.7 in 1m: 212 (usually 3)"
    )
    assert number("km/h between two places of {who}", 9300, 4.5, said) == (
        "km/h between two places of ann: 9,300 (usually 4.4)"
    )
    assert number("failures of {who} in 10m", 8, log(2), said).endswith(": 8 (usually 3.5)")
    assert number("failures of {who} in 10m", 8, log(9), said).endswith(": 8 (usually 0)")
    first = "events of {who} per device before {device}"
    assert number(first, 34.5, 3.0, said) == "events of ann per device before nobody: 34"
    assert conduct.told("hour for user", {"hour for user": 7}, said) == "hour for user"


def number(name: str, x: float, z: float, said: dict[str, str]) -> str:
    return conduct.told(name, {name: x, name + BEYOND: z}, said)


def test_how_high_a_privilege_is() -> None:
    ranks = [conduct.rank_of(said) for said in ("guest", "ann", "Admin", "root", "7")]
    assert ranks == [0, 1, 3, 4, 7]
    assert np.isnan(conduct.rank_of(""))


def frame(time: Times, z: Floats) -> Frame:
    names = tuple(f"n{j} of {{who}}" for j in range(z.shape[1]))
    values = np.concatenate([np.expm1(z), z], axis=1)
    return Frame(time, ("events",), (*names, *(n + BEYOND for n in names)), values[:, None, :])


def scores(time: Times, z: Floats) -> tuple[list[float], list[list[float]]]:
    """The equations, one record after the other."""
    found, blames = [], []
    tops: list[dict[int, float]] = [{} for _ in range(z.shape[1])]
    frozen: dict[tuple[int, int], tuple[int, float, float]] = {}
    for t in range(len(time)):
        hour, blame = int(time[t] // HOUR), []
        n = sum(exp(-(time[t] - time[i]) / detector.FORGET) for i in range(t))
        for j, x in enumerate(z[t].tolist()):
            s, top = 0.0, tops[j]
            if x > 0:
                if (j, hour) not in frozen:
                    for old in [h for h in top if hour - h > 30 * 24]:
                        del top[old]
                    kept = sorted([*top.values(), *[log(2)] * detector.PRIOR])
                    u, m = float(np.median(kept)), len(kept)
                    above = float(np.median(kept[m // 2 :])) - u
                    frozen[j, hour] = m, u, max(above / log(2), detector.LEAST)
                m, u, b = frozen[j, hour]
                if x > u:
                    s = max(log((n + 1) / (m / 2)), 0)
                    s += 4 * log(1 + (x - u) / (4 * b))
                if hour in top:
                    top[hour] = max(top[hour], x)
                elif len(top) < detector.HOURS:
                    top[hour] = x
                elif x > min(top.values()):
                    del top[min(top, key=lambda h: top[h])]
                    top[hour] = x
            blame.append(s)
        found.append(log(np.mean(np.exp(blame))) if t >= detector.FIRST else np.nan)
        blames.append(blame)
    return found, blames


@pytest.mark.parametrize("pause", [MINUTE, HOUR, 3 * DAY])
def test_it_is_as_rare_as_the_equations_say(pause: int) -> None:
    chance = Chance(5)
    time = START * SECOND + np.cumsum((pause * chance.exponential(400)).astype(np.int64))
    z = np.maximum(chance.normal(800).reshape(400, 2), 0)
    _, found = Conduct().step({}, frame(time, z))
    wanted, blame = scores(time, z)
    np.testing.assert_allclose(found.values[:, 0], wanted, rtol=1e-9, atol=1e-9)
    assert found.blame is not None
    np.testing.assert_allclose(found.blame[:, 0, :2], blame, rtol=1e-9, atol=1e-9)
    assert np.isnan(found.blame[:, 0, 2:]).all()


def test_its_tail_is_as_heavy_as_that_of_all_others() -> None:
    assert detector.HEAVY == tail.HEAVY


@given(st.integers(0, 200))
def test_in_pieces_the_rarity_is_the_same(at: int) -> None:
    chance = Chance(6)
    time = START * SECOND + np.cumsum((HOUR * chance.exponential(200)).astype(np.int64))
    said = frame(time, np.maximum(chance.normal(400).reshape(200, 2), 0))
    state, whole = Conduct().step({}, said)
    half, first = Conduct().step({}, said[:at])
    parted, second = Conduct().step(half, said[at:])
    np.testing.assert_array_equal(whole.values, np.concatenate([first.values, second.values]))
    for name in state:
        np.testing.assert_array_equal(state[name], parted[name])


def test_an_attack_does_not_make_itself_usual() -> None:
    """A thousand records of one hour are one hour among those that were kept."""
    time = START * SECOND // HOUR * HOUR + SECOND * np.arange(3000)
    z = np.zeros((3000, 1))
    z[::7] = 0.5
    z[1500:2500] = 5.0
    values = Conduct().step({}, frame(time, z))[1].values[1500:2500, 0]
    assert (np.diff(values) >= 0).all() and values[0] > 8


def test_with_other_numbers_than_before_it_begins_anew() -> None:
    time = START * SECOND + HOUR * np.arange(100)
    state, _ = Conduct().step({}, frame(time, np.ones((100, 2))))
    state, found = Conduct().step(state, frame(time, np.ones((100, 3))))
    assert len(state["now"]) == 3 and np.isnan(found.values[0, 0])


def test_without_roles_there_is_no_opinion() -> None:
    bare = Frame(np.arange(100), ("events",), ("bytes",), np.ones((100, 1, 1)))
    state, found = Conduct().step({}, bare)
    assert not state and np.isnan(found.values).all()
