"""What a model with hindsight says of an incident a window later: read, not told."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amiss.data import SECOND, Floats, Frame, Incident, Records
from amiss.detectors.aer import Aer
from amiss.run.carded import carded
from amiss.run.final import BEFORE, Final, final
from amiss.run.fit import fit_here
from amiss.steps.systems import view
from amiss.store import Block, Checkpoint, Store
from servers.incidents import START, incident, member

EVERY = 5 * SECOND
NETWORK = Aer(kind="linear", window=10)
KEYS = ('cpu{host="a"}', 'load{host="a"}')
WHOLE = 'aer{host="a"}'


def wave(ticks: int, first: int = 0) -> Floats:
    t = np.arange(first, first + ticks) / 12.0
    noise = np.random.default_rng(first).normal(size=(ticks, 2)) / 20
    return np.stack([np.sin(t), np.cos(t)], axis=1) + noise


def record(store: Store, values: Floats, first: int) -> None:
    time = START + EVERY * np.arange(first, first + len(values))
    nothing = Records(np.zeros(0, np.int64), np.zeros(0, str), np.zeros(0))
    block = Block(KEYS, time, values, *(np.full(values.shape, np.nan) for _ in range(4)))
    store.commit("host", {}, nothing, [], Checkpoint({}, (block,)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A model that was fitted on 400 samples, and these."""
    store = Store(tmp_path / "amiss.db")
    values = wave(400)
    record(store, values, 0)
    time = START + EVERY * np.arange(400)
    history = view(Frame(time, KEYS, ("value",), values[:, :, None]), ("host",))
    found = fit_here(NETWORK, {}, history)
    store.save_model(carded(NETWORK, "host", history, found, {}).said(), found.states)
    yield store
    store.close()


def strange(at: int) -> Incident:
    """An incident whose strangest moment is that sample."""
    moment = START + EVERY * at
    return incident("a", members=(member(WHOLE, at=moment, since=moment),))


def test_it_is_provisional_until_a_window_has_come(store: Store) -> None:
    values = wave(100, 400)
    values[50] += 4.0
    record(store, values[:55], 400)
    [before] = final(store, strange(450))
    assert before.missing == 5
    assert before.words == "provisional; its final score is known after 5 more samples"
    record(store, values[55:], 455)
    [after] = final(store, strange(450))
    assert (after.missing, after.among) == (0, 450)
    assert after.words == "final score higher than 100.0% of the 450 samples before it"
    assert final(store, strange(450)) == [after]  # whenever it is asked


def test_what_comes_later_may_not_bear_it_out(store: Store) -> None:
    record(store, wave(800, 400), 400)
    [found] = final(store, strange(1100))
    assert found.among == BEFORE
    assert "what followed does not bear it out" in found.words


def test_a_moment_that_is_not_in_the_history_yet(store: Store) -> None:
    [found] = final(store, strange(400))
    assert found.missing == NETWORK.window - 1


def test_of_others_there_is_none(store: Store) -> None:
    alone = incident("a", members=(member('cpu{host="a"}'), member('aer{host="b"}')))
    assert final(store, alone) == []
    [kept] = store.models()
    with store.write() as db:
        db.exec_driver_sql("UPDATE model SET body = X'00'")
    assert final(store, strange(100)) == []
    assert kept.in_use


def test_one_sample_is_one() -> None:
    said = Final(WHOLE, "x", 1, 0, 0).words
    assert said == "provisional; its final score is known after 1 more sample"
    assert replace(Final(WHOLE, "x", 0, 30, 60)).words.startswith("final score higher than 50.0%")
