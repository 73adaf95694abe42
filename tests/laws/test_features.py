"""What is true of everything that turns records into numbers: tested by being in the folder."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.component import Features, find
from amiss.data import LARGEST, SECOND, Array, Frame, Records, State, Times
from amiss.memory import dump, load, place
from made import START, Chance, part

NEEDED: dict[str, dict[str, Any]] = {}
"""By type: what it must be told that has no default."""

FEATURES = [
    kind(**NEEDED.get(name, {}))
    for name, kind in find("amiss.features", Features).items()
    if not kind.each  # whose ticks are the records themselves: tests/test_each.py
]
pytestmark = pytest.mark.parametrize("features", FEATURES, ids=lambda features: features.type)

BAD = (np.nan, np.inf, -np.inf, 1.7e308)


@st.composite
def records(draw: st.DrawFn) -> Records:
    """Records in the order of their time, up to 10 s apart, some of them no numbers."""
    n, chance = draw(st.integers(0, 60)), Chance(draw(st.integers(0, 2**32)))
    gaps = np.floor(chance.uniform(n) * draw(st.sampled_from([2, 10])))
    value = 100.0 * chance.normal(n) * 10.0 ** np.floor(8 * chance.uniform(n))
    for i, bad in draw(st.lists(st.tuples(st.integers(0, 59), st.sampled_from(BAD)), max_size=5)):
        value[i : i + 1] = bad
    text = np.where(chance.uniform(n) < 0.1, "said", "")
    return Records(
        time=(START + np.cumsum(gaps).astype(np.int64)) * SECOND,
        name=np.where(chance.uniform(n) < 0.5, "cpu", "load"),
        value=value,
        labels={"host": np.where(chance.uniform(n) < 0.5, "a", "")},
        text=text,
        watermark=draw(st.sampled_from([None, 0])),
    )


def cut(whole: Records, at: int) -> tuple[Records, Records]:
    """The same in two, each with a promise that it keeps; all of a moment stay together."""
    if 0 < at < len(whole):
        at = int(np.searchsorted(whole.time, whole.time[at]))
    kept = whole.watermark is not None
    between = int(whole.time[at]) - 1 if kept and at < len(whole) else None
    return (
        part(whole, slice(None, at), between),
        part(whole, slice(at, None), last(whole.time) if kept else None),
    )


def last(time: Times) -> int | None:
    return int(time[-1]) if len(time) else None


def whole(of: Records) -> Records:
    return part(of, slice(None), last(of.time) if of.watermark is not None else None)


def run(features: Features, *batches: Records) -> tuple[State, Frame]:
    """All ticks that came of these batches, and the state after them."""
    state, frames = features.init(), []
    for batch in batches:
        state, frame = features.step(state, batch)
        frames.append(frame)
    keys = tuple(sorted({key for frame in frames for key in frame.keys}))
    values = [place(frame.values, frame.keys, keys) for frame in frames]
    time = np.concatenate([frame.time for frame in frames])
    return state, Frame(time, keys, frames[0].features, np.concatenate(values))


def same(left: Frame, right: Frame) -> None:
    assert left.keys == right.keys
    np.testing.assert_array_equal(left.time, right.time)
    np.testing.assert_array_equal(left.values, right.values)


@given(of=records(), at=st.integers(0, 60))
def test_split(features: Features, of: Records, at: int) -> None:
    """In one batch or in two, the same ticks, and the same is kept for later."""
    state, frame = run(features, whole(of))
    parted, found = run(features, *cut(of, at))
    same(frame, found)
    for name in state:
        np.testing.assert_array_equal(state[name], parted[name], err_msg=name)


@given(of=records(), at=st.integers(0, 60))
def test_restart(features: Features, of: Records, at: int) -> None:
    """Written down and read again, the memory goes on the same."""
    first, second = cut(of, at)
    state, _ = features.step(features.init(), first)
    again = load(dump({"it": state}))["it"]
    (after, frame), (resumed, found) = features.step(state, second), features.step(again, second)
    same(frame, found)
    for name in after:
        np.testing.assert_array_equal(after[name], resumed[name])


@given(of=records(), seed=st.integers(0, 99))
def test_order_within_a_batch(features: Features, of: Records, seed: int) -> None:
    """However the records of one batch are mixed, the ticks are the same."""
    mixed = part(whole(of), np.argsort(Chance(seed).uniform(len(of))), whole(of).watermark)
    _, frame = run(features, whole(of))
    _, found = run(features, mixed)
    same(frame, found)


@given(of=records())
def test_purity(features: Features, of: Records) -> None:
    """The records are never changed, and need not be writable."""
    assert of.text is not None
    arrays: list[Array] = [of.time, of.name, of.value, of.text, *of.labels.values()]
    copies = [a.copy() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    _, frame = run(features, whole(of))
    _, again = run(features, whole(of))
    same(frame, again)
    for a, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(a, copy)


@given(of=records())
def test_frame(features: Features, of: Records) -> None:
    """Ticks go up, keys are distinct, and a value is a number to reckon with or NaN."""
    _, frame = run(features, whole(of))
    assert (np.diff(frame.time) > 0).all()
    assert len(set(frame.keys)) == len(frame.keys)
    assert frame.values.shape == (len(frame.time), len(frame.keys), len(frame.features))
    assert not (np.abs(frame.values) > LARGEST).any()


def test_bounded(features: Features) -> None:
    """What has been told is not kept."""
    state, sizes = features.init(), []
    for t in range(300):
        n = 10
        batch = Records(
            np.full(n, (START + 60 * t) * SECOND),
            np.array([f"m{i}" for i in range(n)]),
            np.ones(n),
            watermark=(START + 60 * t) * SECOND,
        )
        state, _ = features.step(state, batch)
        sizes.append(sum(a.nbytes for a in state.values()))
    assert max(sizes[:20]) == max(sizes)
