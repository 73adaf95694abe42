"""A history of any length is learned from in bounded memory."""

from collections.abc import Iterator

import numpy as np
import pytest

from amiss.data import SECOND, Frame, Records
from amiss.errors import ConfigError
from amiss.fitting import trained
from amiss.pipeline import Pipeline
from amiss.run import learn
from amiss.store import Store
from amiss.world import World
from made import START

EVERY = 5
PIPELINE = Pipeline.model_validate(
    {
        "name": "made",
        "source": {"type": "host", "every": "5s"},
        "features": {"type": "grid", "every": "5s"},
        "detectors": [{"type": "level"}, {"type": "isolation_forest", "trees": 5}],
    }
)


def made(ticks: int, batch: int) -> Iterator[Records]:
    """Two metrics, one record each at every tick: a stream that nobody holds."""
    for begin in range(0, ticks, batch):
        t = np.repeat(np.arange(begin, min(begin + batch, ticks)), 2)
        name = np.where(np.arange(len(t)) % 2, "load", "cpu")
        host = np.full(len(t), "a")
        time = (START + EVERY * t) * SECOND
        yield Records(time, name, t.astype(float), {"host": host})


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learn, "STRETCH", 64)
    monkeypatch.setattr(learn, "MOST_BYTES", 64 * 2 * 8 * 10)  # ten stretches


@pytest.mark.parametrize("batch", [7, 100, 1000])
def test_what_is_too_much_is_left_out_in_stretches_over_all_of_the_time(
    little: None, batch: int
) -> None:
    past = learn.past(PIPELINE, made(5000, batch))
    at = (past.frame.time // SECOND - START) // EVERY
    assert len(at) + past.dropped == 5000
    assert len(at) <= 11 * 64
    assert at[-1] == 4999
    begins = at[np.flatnonzero(np.diff(at, prepend=-2) != 1)]
    assert begins[:-1].tolist() == list(range(0, 5000 - 64, 64 * 8))[: len(begins) - 1]
    assert past.frame.values[:, 0, 0].tolist() == at.tolist()


@pytest.mark.parametrize("lives", [10, 100, 1000])
def test_series_that_come_and_go_take_no_more_room(
    little: None, monkeypatch: pytest.MonkeyPatch, lives: int
) -> None:
    """Two at a time, others every so many ticks: all of what is kept has a column for each."""
    monkeypatch.setattr(learn, "MOST_BYTES", 2**18)
    held, width = learn._Thinned(), set[str]()
    for begin in range(0, 4000, 5):
        keys = tuple(f"a/{name}/{begin // lives}" for name in ("cpu", "load"))
        width.update(keys)
        time = np.arange(begin, begin + 5) * SECOND
        held.add(Frame(time, keys, ("value",), np.ones((5, 2, 1))))
        ticks = sum(len(frame.time) for frame in held.frames())
        assert ticks + held.dropped == begin + 5
        assert ticks <= (1 + 1 / 8) * max(2**18 / 8 / len(width), learn.LEAST) + learn.LEAST
    assert held.frames()[-1].time[-1] == 3999 * SECOND


def test_all_is_kept_where_there_is_room() -> None:
    past = learn.past(PIPELINE, made(300, 7))
    assert (len(past.frame.time), past.dropped) == (300, 0)
    with pytest.raises(ConfigError, match="3 samples are too few to train on; 50 are needed"):
        learn.past(PIPELINE, made(3, 7))


def test_the_figures_say_what_was_left_out(little: None, tmp_path) -> None:
    past, store = learn.past(PIPELINE, made(5000, 100)), Store(tmp_path / "amiss.db")
    try:
        (forest,) = trained(PIPELINE.detectors)
        card = learn.learn(PIPELINE, forest, past, (), store, World(), lambda _: None)
    finally:
        store.close()
    assert card.figures["left_out"] == {"to bound memory": past.dropped}
    assert card.samples + past.dropped == 5000
