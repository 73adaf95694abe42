"""What all sessions see alike is made once."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest

from amiss.errors import Unreachable
from amiss.store import Points
from amiss.web.dashboard import shared as module
from amiss.web.dashboard.shared import BYTES, MOST, shared, weight
from servers.incidents import incident


class Somewhere:
    """An installation."""


def test_many_who_ask_at_once_get_what_was_made_once() -> None:
    here, made, begin = Somewhere(), [], threading.Barrier(8)

    def ask() -> object:
        begin.wait(120)
        return shared(here, "chart", 1, lambda: made.append(1) or object())

    with ThreadPoolExecutor(8) as pool:
        found = [each.result(120) for each in [pool.submit(ask) for _ in range(8)]]
    assert len(set(map(id, found))) == 1
    assert made == [1]


def test_a_new_stamp_a_new_name_and_another_installation_are_made_anew() -> None:
    one, other = Somewhere(), Somewhere()
    assert shared(one, "chart", 1, lambda: "a") == "a"
    assert shared(one, "chart", 1, lambda: "b") == "a"
    assert shared(one, "chart", 2, lambda: "c") == "c"
    assert shared(one, "table", 2, lambda: "d") == "d"
    assert shared(other, "chart", 2, lambda: "e") == "e"


def test_a_stamp_of_nothing_is_a_stamp() -> None:
    here = Somewhere()
    assert shared(here, "chart", None, lambda: "a") == "a"
    assert shared(here, "chart", None, lambda: "b") == "a"


def test_what_fails_is_tried_again() -> None:
    here = Somewhere()

    def fail() -> str:
        raise Unreachable("locked")

    with pytest.raises(Unreachable, match="locked"):
        shared(here, "chart", 1, fail)
    assert shared(here, "chart", 1, lambda: "a") == "a"


def test_who_waits_for_one_thing_does_not_keep_others_waiting() -> None:
    here, begun, go = Somewhere(), threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go.wait(120)
        return "slow"

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(shared, here, "slow", 1, slow)
        assert begun.wait(120)
        assert shared(here, "quick", 1, lambda: "quick") == "quick"
        go.set()
        assert waiting.result(120) == "slow"


def test_no_more_is_kept_than_is_good_and_nothing_of_an_installation_that_is_gone() -> None:
    here = Somewhere()
    for i in range(MOST + 50):
        shared(here, ("chart", i), 1, lambda i=i: i)
    assert len(module._shelves[here].kept) == MOST
    assert shared(here, ("chart", 0), 1, lambda: "anew") == "anew"
    gone = weakref.ref(here)
    del here
    gc.collect()
    assert gone() is None


def test_what_is_heavy_is_let_go_and_what_is_light_stays() -> None:
    here, made = Somewhere(), []

    def chart(i: int) -> np.ndarray:
        made.append(i)
        return np.zeros(2**17)  # 1 MB

    for i in range(100):
        shared(here, ("chart", i), 1, lambda i=i: chart(i))
    kept = module._shelves[here].kept
    assert sum(one.bytes for one in kept.values()) <= BYTES
    assert len(kept) == BYTES // 2**20
    shared(here, ("chart", 99), 1, lambda: chart(99))
    assert made == list(range(100))
    huge = shared(here, "huge", 1, lambda: np.zeros(2 * BYTES // 8))
    assert list(kept) == ["huge"]
    assert shared(here, "huge", 1, lambda: None) is huge


def test_what_nobody_looks_at_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    here, time = Somewhere(), 0.0
    monkeypatch.setattr(module, "monotonic", lambda: time)
    shared(here, "old", 1, lambda: "old")
    shared(here, "seen", 1, lambda: "seen")
    for _ in range(11):
        time += 60.0
        shared(here, "seen", 1, lambda: "anew")
    assert list(module._shelves[here].kept) == ["seen"]
    assert shared(here, "old", 1, lambda: "anew") == "anew"


def test_a_thing_weighs_about_what_it_takes() -> None:
    column = np.zeros(1000)
    assert weight(column) == 8000
    assert weight(pa.table({"a": column, "b": column})) == 16_000
    points = Points(column.astype(np.int64), *(column for _ in range(5)))
    assert weight(points) == pytest.approx(48_000, rel=0.01)
    assert weight(["x" * 1000] * 300) == pytest.approx(300 * 1049, rel=0.02)
    assert weight({"a": "x" * 10_000}) == pytest.approx(10_000, rel=0.1)
    incidents = [incident(str(i)) for i in range(300)]
    assert weight(incidents) == pytest.approx(sum(map(weight, incidents)), rel=0.05)
    assert weight(incidents) > 300 * 1000
    assert weight([]) < 100
    assert weight(None) < 100
