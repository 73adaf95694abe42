"""What is true of everything that scores, as functions that take one: they raise AssertionError.

Each takes a subject (a detector, or the whole judge, which has a state and turns frames into
scores), made-up numbers (T, S, 3) and a tick to cut them at. Of a detector of single series the
first of the three is the value; to one of whole systems they are three metrics.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from hypothesis import strategies as st

from amiss.component import Detector
from amiss.data import SECOND, Array, Floats, Frame, Scores, State, measured
from amiss.decide import expect
from amiss.memory import dump, grow, keep, load
from made import START, Chance

EVERY = (7 * 86400 * SECOND, SECOND, 300 * SECOND, 91 * 86400 * SECOND)
"""Between samples, by how many series there are."""
METRICS = ("cpu_percent", "load1", 'disk_free_bytes{mount="/"}')
SPECIAL = (np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 1e150, -1e150, 3.5e38, 5e-324, 1e-160, 0.0)


@dataclass(frozen=True)
class Subject:
    """What the laws are about."""

    name: str
    init: Callable[[int], State]
    step: Callable[[State, Frame], tuple[State, Scores]]
    frame: Callable[[Floats], Frame]
    state_bytes: int
    shared: frozenset[str] = frozenset()
    tolerance: float = 0.0

    def run(self, *frames: Frame, state: State | None = None) -> tuple[State, Scores]:
        """The state after these frames, and all scores."""
        state = self.init(len(frames[0].keys)) if state is None else state
        found = []
        for frame in frames:
            state, scores = self.step(state, frame)
            assert scores.keys == frame.keys
            assert scores.values.shape == frame.values.shape[:2]
            np.testing.assert_array_equal(scores.time, frame.time)
            found.append(scores)
        return state, together(found)


def together(parts: list[Scores]) -> Scores:
    """Scores one after the other."""

    def column(name: str) -> Floats | None:
        columns = [getattr(part, name) for part in parts]
        return None if columns[0] is None else np.concatenate(columns)

    said = {name: column(name) for name in ("values", "expected", "lower", "upper", "blame")}
    return Scores(np.concatenate([part.time for part in parts]), parts[0].keys, **said)


def of(detector: Detector, fitted: bool = False) -> Subject:
    """A detector as subject, as it comes or after it was fitted."""
    width = len(METRICS) if detector.joint else len(expect.FEATURES)
    found = fit(detector) if fitted else {}

    def init(series: int) -> State:
        return detector.init(series, width) | {name: a.copy() for name, a in found.items()}

    return Subject(
        name=f"{detector.type}, fitted" if fitted else detector.type,
        init=init,
        step=detector.step,
        frame=systems if detector.joint else apart(detector.needs) if detector.apart else series,
        state_bytes=detector.state_bytes,
        shared=detector.shared,
        tolerance=detector.tolerance,
    )


@cache
def fit(detector: Detector) -> State:
    """What a detector shares among all series after it has seen a day of two."""
    chance = Chance(7)
    x = chance.normal(288 * 2 * 3).reshape(288, 2, 3) + np.array([10.0, 0.0, 1000.0])
    frame = systems(x) if detector.joint else series(x)
    state = detector.fit(detector.init(2, len(frame.features)), frame)
    return {name: state[name] for name in detector.shared}


def series(x: Floats) -> Frame:
    """(T, S, 3) -> the features that detectors of single series read (T, S, 5)."""
    return expect.step(expect.init(x.shape[1]), plain(x))[1]


def apart(needs: tuple[str, ...]) -> Callable[[Floats], Frame]:
    """(T, S, 3) -> what a detector that tells by itself reads (T, S, needs)."""

    def frame(x: Floats) -> Frame:
        x = measured(x)
        planes = {"value": x[:, :, 0], "silent": np.abs(x[:, :, 1]), "divisor": x[:, :, 2]}
        planes["median"], planes["spread"] = x[:, :, 1], np.abs(x[:, :, 2])
        planes["count"] = np.where(np.isnan(x[:, :, 0]), np.nan, 5.0)
        planes["interval"] = np.where(np.isnan(x).all(axis=2), np.nan, 60.0)
        return named(np.stack([planes[name] for name in needs], axis=2), needs)

    return frame


def plain(x: Floats) -> Frame:
    """(T, S, 3) -> values alone (T, S, 1)."""
    return named(x[:, :, :1].copy(), ("value",))


def systems(x: Floats) -> Frame:
    """(T, S, 3) -> three metrics of S systems."""
    return named(x.copy(), METRICS)


def named(x: Floats, features: tuple[str, ...]) -> Frame:
    time = START * SECOND + EVERY[x.shape[1] % len(EVERY)] * np.arange(len(x))
    return Frame(time, tuple(f's{{host="{s}"}}' for s in range(x.shape[1])), features, x)


def columns(frame: Frame, which: list[int]) -> Frame:
    """Some of the series."""
    keys = tuple(frame.keys[s] for s in which)
    return Frame(frame.time, keys, frame.features, frame.values[:, which])


@st.composite
def numbers(draw: st.DrawFn, special: bool = False) -> Floats:
    """Noise, steps or constants (T, S, 3) with holes and, if asked for, the worst numbers."""
    ticks, count = draw(st.integers(0, 120)), draw(st.integers(1, 3))
    chance = Chance(draw(st.integers(0, 2**32)))
    x = chance.normal(ticks * count * 3).reshape(ticks, count, 3)
    x *= draw(st.sampled_from([0.0, 1e-3, 1.0, 1e6]))
    if draw(st.booleans()):
        x = np.round(x)
    x[chance.uniform(x.size).reshape(x.shape) < draw(st.sampled_from([0.0, 0.1, 0.7]))] = np.nan
    if ticks:
        places = st.tuples(st.integers(0, ticks - 1), st.integers(0, count - 1))
        what = st.sampled_from(SPECIAL) if special else st.floats(-1e9, 1e9)
        for (t, s), value in draw(st.lists(st.tuples(places, what), max_size=8)):
            x[t, s] = value
    return x


def equal(left: Array | None, right: Array | None, tolerance: float) -> None:
    """The same numbers, NaN where NaN is; to the bit unless it is said how near."""
    if left is None or right is None:
        assert left is right
    elif tolerance and left.dtype.kind == "f":
        np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(left, right)


def same_scores(left: Scores, right: Scores, tolerance: float) -> None:
    for name in ("values", "expected", "lower", "upper", "blame"):
        equal(getattr(left, name), getattr(right, name), tolerance)


def same_state(left: State, right: State, tolerance: float) -> None:
    assert left.keys() == right.keys()
    for name in left:
        assert left[name].dtype == right[name].dtype or left[name].dtype.kind in "US", name
        equal(left[name], right[name], tolerance)


def split(subject: Subject, x: Floats, at: int) -> None:
    """In one piece or in two, the same scores and the same memory: a back-test equals live."""
    frame = subject.frame(x)
    whole, scores = subject.run(frame)
    parts, said = subject.run(frame[:at], frame[at:])
    same_scores(scores, said, subject.tolerance)
    same_state(whole, parts, subject.tolerance)


def company(subject: Subject, x: Floats, at: int) -> None:
    """A series scores the same alone as in company: any engine may divide the series."""
    frame = subject.frame(x)
    _, scores = subject.run(frame)
    for s in range(x.shape[1]):
        _, alone = subject.run(columns(frame, [s]))
        equal(alone.values[:, 0], scores.values[:, s], subject.tolerance)


def order(subject: Subject, x: Floats, at: int) -> None:
    """Neither the order of the series matters, nor when which other series had which value."""
    _, scores = subject.run(subject.frame(x))
    backwards = list(range(x.shape[1]))[::-1]
    _, turned = subject.run(columns(subject.frame(x), backwards))
    equal(turned.values[:, ::-1], scores.values, subject.tolerance)
    other = x.copy()
    other[:, 1:] = np.roll(other[::-1, 1:], at, axis=0)
    _, shuffled = subject.run(subject.frame(other))
    equal(shuffled.values[:, 0], scores.values[:, 0], subject.tolerance)


def restart(subject: Subject, x: Floats, at: int) -> None:
    """Written down and read again, without pickle, the memory is the same and goes on the same."""
    frame = subject.frame(x)
    state, _ = subject.run(frame[:at])
    try:
        again = load(dump({"it": state})).get("it", {})
    except ValueError as exc:
        raise AssertionError(f"the state cannot be written down: {exc}") from exc
    same_state(state, again, 0.0)
    after, scores = subject.run(frame[at:], state=state)
    resumed, said = subject.run(frame[at:], state=again)
    same_scores(scores, said, 0.0)
    same_state(after, resumed, 0.0)


def purity(subject: Subject, x: Floats, at: int) -> None:
    """The caller's frame is never changed, and need not be writable."""
    frame = subject.frame(x)
    copy = replace(frame, time=frame.time.copy(), values=frame.values.copy())
    _, scores = subject.run(frame[:at], frame[at:])
    np.testing.assert_array_equal(frame.values, copy.values)
    np.testing.assert_array_equal(frame.time, copy.time)
    frame.values.flags.writeable = frame.time.flags.writeable = False
    _, locked = subject.run(frame[:at], frame[at:])
    same_scores(scores, locked, 0.0)


def determinism(subject: Subject, x: Floats, at: int) -> None:
    """The same again, whatever the time, the dice, and what was scored in between."""
    frame = subject.frame(x)
    once, scores = subject.run(frame)
    subject.run(frame[at:])
    twice, said = subject.run(frame)
    same_scores(scores, said, 0.0)
    same_state(once, twice, 0.0)


def bounded(subject: Subject, x: Floats, at: int) -> None:
    """Memory does not grow with time, and is no more a series than was declared."""
    frame = subject.frame(np.concatenate([x, x, x]))
    n = len(x)
    first, _ = subject.run(frame[: n + 1])
    size = {name: (a.shape, a.dtype) for name, a in first.items()}
    last, _ = subject.run(frame[n + 1 :], state=first)
    assert {name: (a.shape, a.dtype) for name, a in last.items()} == size
    own = sum(a.nbytes for name, a in last.items() if name not in subject.shared)
    assert own <= subject.state_bytes * x.shape[1], f"{own / x.shape[1]:.0f} bytes a series"


def silence(subject: Subject, x: Floats, at: int) -> None:
    """NaN in, NaN out, and the memory stays as it was."""
    n = len(x)
    frame = subject.frame(np.concatenate([x, np.full((5, *x.shape[1:]), np.nan)]))
    state, scores = subject.run(frame[:n])
    unseen = np.isnan(frame.values[:n]).all(axis=2)
    assert np.isnan(scores.values[unseen]).all()
    before = {name: a.copy() for name, a in state.items()}
    after, nothing = subject.run(frame[n:], state=state)
    assert np.isnan(nothing.values).all()
    same_state(before, after, 0.0)


def churn(subject: Subject, x: Floats, at: int) -> None:
    """A series that comes later is as one that is new; one that is dropped leaves no trace."""
    frame, count = subject.frame(x), x.shape[1]
    late = subject.frame(x[at:])
    state, _ = subject.run(columns(frame, list(range(count - 1)))[:at])
    state = grow(state, subject.init, count, subject.shared)
    joined = frame.values[at:].copy()
    joined[:, -1] = late.values[:, -1]
    _, scores = subject.run(replace(frame[at:], values=joined), state=state)
    _, stayed = subject.run(frame)
    _, fresh = subject.run(columns(replace(late, time=frame.time[at:]), [count - 1]))
    equal(scores.values[:, :-1], stayed.values[at:, :-1], subject.tolerance)
    equal(scores.values[:, -1], fresh.values[:, 0], subject.tolerance)

    state, _ = subject.run(frame[:at])
    state = keep(state, np.arange(1, count), subject.shared)
    _, left = subject.run(columns(frame, list(range(1, count)))[at:], state=state)
    equal(left.values, stayed.values[at:, 1:], subject.tolerance)


def extremes(subject: Subject, x: Floats, at: int) -> None:
    """The worst numbers raise nothing, and spoil nothing that comes after."""
    calm = Chance(at).normal(40 * x.shape[1] * 3).reshape(40, x.shape[1], 3)
    try:
        _, scores = subject.run(subject.frame(np.concatenate([x, calm])))
    except Exception as exc:
        raise AssertionError(f"data is never an error: {exc!r}") from exc
    assert not np.isinf(scores.values).any()
    _, usual = subject.run(subject.frame(calm))
    lost = np.isfinite(usual.values) & np.isnan(scores.values[len(x) :])
    assert not lost.any(), "no opinion any more after the worst numbers"


Law = Callable[[Subject, Floats, int], None]
LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        split, company, order, restart, purity, determinism, bounded, silence, churn, extremes,
    )
}  # fmt: skip
