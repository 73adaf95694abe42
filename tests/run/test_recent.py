"""What charts are made of: the ring of the last ticks, and fewer points of many."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import Frame, Scores
from amiss.run import recent
from amiss.run.recent import Recent
from amiss.store import Points
from amiss.store.thin import thin

numbers = st.one_of(st.floats(-1e6, 1e6), st.just(np.nan), st.sampled_from([0.0, 1.0]))


def points(value, score) -> Points:
    n = len(value)
    x = np.array(value, float)
    return Points(np.arange(n), x, np.array(score, float), x, x - 1, x + 1)


@given(st.lists(st.tuples(numbers, numbers), max_size=300), st.integers(1, 100))
def test_thinning_keeps_the_extremes_of_every_stretch(rows, most) -> None:
    whole = points([v for v, _ in rows], [s for _, s in rows])
    found = thin(whole, most)
    assert (np.diff(found.time) > 0).all()
    assert set(found.time) <= set(whole.time)
    assert len(found) <= max(most, 3)
    assert np.array_equal(found.value, whole.value[found.time], equal_nan=True)
    if len(whole) <= most:
        assert found is whole
        return
    edges = np.linspace(0, len(whole), max(most // 3, 1) + 1).astype(int)
    for a, b in pairwise(edges.tolist()):
        inside = (found.time >= a) & (found.time < b)
        for name, best in (("value", np.nanmax), ("value", np.nanmin), ("score", np.nanmax)):
            all_of_it = getattr(whole, name)[a:b]
            if np.isfinite(all_of_it).any():
                assert best(getattr(found, name)[inside]) == best(all_of_it)


def frame(time, keys, values) -> tuple[Frame, Scores]:
    x = np.array(values, float).reshape(len(time), len(keys), 1)
    said = Frame(np.array(time), keys, ("value",), x)
    return said, Scores(said.time, keys, x[:, :, 0] / 10, x + 1, x - 2, None)


@given(st.lists(st.sets(st.sampled_from("abcd")), min_size=1, max_size=40), st.data())
def test_the_ring_is_the_last_ticks_of_every_series(ticks, data) -> None:
    """Series come and go, in any order; compared with a list."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent, "TICKS", 7)
        ring, kept = Recent(), []
        known: tuple[str, ...] = ()
        for time, there in enumerate(ticks):
            known = tuple(data.draw(st.permutations(sorted(there))))
            ring.append(*frame([time], known, [[time + ord(key) / 256 for key in known]]))
            kept = [*kept, dict(zip(known, (time + ord(k) / 256 for k in known), strict=True))]
            kept = [{k: v for k, v in row.items() if k in known} for row in kept[-7:]]
    first = len(ticks) - len(kept)
    for key in "abcd":
        found = ring.read(key)
        if key not in known:
            assert not len(found)
            continue
        wanted = [row.get(key, np.nan) for row in kept]
        assert found.time.tolist() == list(range(first, len(ticks)))
        assert np.array_equal(found.value, wanted, equal_nan=True)
        assert np.allclose(found.expected, np.array(wanted) + 1, equal_nan=True)
        assert np.isnan(found.upper).all()
    for many in (1, 3, 100):
        last = ring.frame(many)
        assert last.time.tolist() == list(range(max(first, len(ticks) - many), len(ticks)))
        assert last.keys == known


def test_ticks_without_any_series_are_ticks() -> None:
    ring = Recent()
    ring.append(*frame([5], (), []))
    ring.append(*frame([10], ("a",), [1.0]))
    assert ring.read("a").time.tolist() == [5, 10]


def test_many_series_take_no_more_room(monkeypatch) -> None:
    monkeypatch.setattr(recent, "BYTES", 20 * 3 * 5 * 4)
    ring = Recent()
    for t in range(50):
        ring.append(*frame([t], ("a", "b", "c"), [[t, t, t]]))
    assert ring.cells.nbytes == recent.BYTES
    assert ring.read("b").time.tolist() == list(range(30, 50))


def test_a_number_beyond_single_precision_harms_nothing() -> None:
    ring = Recent()
    ring.append(*frame([1], ("a",), [1e100]))
    assert np.isinf(ring.read("a").value).all()
