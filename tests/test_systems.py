"""Series and the systems that they belong to."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import SECOND, Floats, Frame, Scores, parse_key, series_key
from amiss.steps.judge import WARM, Opinion
from amiss.steps.systems import distinct, joint_key, members_of, system_of, systems_of, view

KEYS = (
    'cpu{host="b"}',
    'cpu{host="a"}',
    'disk{host="a",mount="/"}',
    'disk{host="a",mount="/home"}',
    "uptime",
)
BY = ("host",)
labels = st.dictionaries(st.text("abc_", min_size=1), st.text(max_size=5), max_size=4)


@given(st.text("abc_", min_size=1), labels)
def test_a_key_reads_back_as_name_and_labels(name: str, said: dict[str, str]) -> None:
    kept = {k: v for k, v in said.items() if v}
    assert parse_key(series_key(name, said)) == (name, kept)


def test_whose_a_series_is() -> None:
    assert systems_of(KEYS, BY) == ('host="b"', 'host="a"', 'host="a"', 'host="a"', "")
    assert distinct(KEYS, BY) == ('host="b"', 'host="a"', "")
    assert system_of({"host": "a", "mount": "/"}, ("host", "mount")) == 'host="a",mount="/"'
    assert systems_of(KEYS, ()) == ("",) * 5


def frame(ticks: int = 2) -> Frame:
    values = np.arange(5.0 * ticks).reshape(ticks, 5, 1)
    return Frame(SECOND * np.arange(1, ticks + 1), KEYS, ("value",), values)


def test_systems_as_series_and_their_metrics_as_features() -> None:
    found = view(frame(), BY)
    assert found.keys == ('host="b"', 'host="a"', "")
    assert found.features == ("cpu", 'disk{mount="/"}', 'disk{mount="/home"}', "uptime")
    nan = np.nan
    np.testing.assert_array_equal(
        found.values[0], [[0, nan, nan, nan], [1, 2, 3, nan], [nan, nan, nan, 4]]
    )


def opinion(scores: Floats, before: int = WARM) -> Opinion:
    shape = scores.shape
    interval = np.where(np.isfinite(scores), 5.0, np.nan)
    band = np.zeros((*shape, 1))
    said = Scores(frame(shape[0]).time, KEYS, scores, band, band - 1, band + 1)
    return Opinion(said, interval, np.full(shape[1], before), np.full(shape, before))


def test_systems_stand_beside_series() -> None:
    whole = Scores(
        frame().time,
        distinct(KEYS, BY),
        np.array([[1.0, 7.0, 1.0], [np.nan, 5.0, 4.0]]),
        blame=np.zeros((2, 3, 4)),
    )
    assert whole.blame is not None
    whole.blame[0, 1] = [3.0, 9.0, 4.0, np.nan]
    whole.blame[1, 1] = [0.0, 0.0, 0.0, 0.5]
    before = np.array([[0, WARM, WARM], [1, WARM - 1, WARM]])
    scores = np.array([[1.0, 2, 3, 4, 5], [6, 7, 8, 9, np.nan]])
    found = members_of(
        frame(), opinion(scores), {"forest-1f": whole}, {"forest-1f": before}, BY, {}
    )
    assert found.keys == (*KEYS, 'forest{host="b"}', 'forest{host="a"}', "forest{}")
    assert found.systems == (*systems_of(KEYS, BY), *distinct(KEYS, BY))
    np.testing.assert_array_equal(found.scores, np.hstack([scores, whole.values]))
    assert found.ready[:, 5:].tolist() == [[False, True, True], [False, False, True]]
    assert found.ready[:, :5].all()
    # worst first, and only those at least half as much to blame; none where there is none
    assert found.blame == {
        (0, 6): ('disk{mount="/"}',),
        (1, 6): ("uptime",),
        (1, 7): (),
    }
    assert np.isnan(found.expected[:, 5:]).all()
    np.testing.assert_array_equal(found.interval[:, 6], [5.0, 5.0])
    np.testing.assert_array_equal(found.interval[:, 7], [5.0, np.nan])
    assert found.watched[0, 0] == WARM * 5 / 86400


def test_no_ticks_and_no_series() -> None:
    nothing = Frame(np.zeros(0, np.int64), (), ("value",), np.zeros((0, 0, 1)))
    assert view(nothing, BY).values.shape == (0, 0, 0)
    empty = Scores(nothing.time, (), np.zeros((0, 0)))
    said = Opinion(empty, np.zeros((0, 0)), np.zeros(0, int), np.zeros((0, 0), int))
    found = members_of(nothing, said, {"forest-1": empty}, {"forest-1": np.zeros((0, 0))}, BY, {})
    assert found.scores.shape == (0, 0)


def test_the_key_of_a_whole() -> None:
    assert joint_key("isolation_forest-12ab", 'host="a"') == 'isolation_forest{host="a"}'
