"""JSON is read without the collector, which is as it was afterwards."""

import gc
from threading import Event, Thread

import orjson
import pytest

from amiss.formats import decoded as module
from amiss.formats.decoded import decoded


def test_nothing_is_collected_in_between() -> None:
    begun: list[str] = []

    def look(phase: str, info: dict[str, int]) -> None:
        begun.append(phase)

    body = orjson.dumps([[i, str(i)] for i in range(20_000)])
    gc.collect()
    gc.callbacks.append(look)
    try:
        said = decoded(body)
        during = len(begun)
    finally:
        gc.callbacks.remove(look)
    assert said[19_999] == [19_999, "19999"]
    assert during <= 2  # of the list that is made first, once it is enabled again


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_left_as_it_was(enabled: bool) -> None:
    if not enabled:
        gc.disable()
    try:
        with pytest.raises(orjson.JSONDecodeError):
            decoded(b"{")
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def test_two_threads_do_not_leave_it_off_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, over, second = Event(), Event(), Thread(target=decoded, args=(b"[2]",))

    class Collector:
        on = True

        def isenabled(self) -> bool:
            was = self.on
            if second.ident is not None:  # the second looks while the first reads, if it can
                looked.set()
                over.wait()
            return was

        def enable(self) -> None:
            self.on = True

        def disable(self) -> None:
            self.on = False

    class Reader:
        def loads(self, body: bytes) -> None:
            if body == b"[1]":
                second.start()
                looked.wait(0.2)

    collector = Collector()
    monkeypatch.setattr(module, "gc", collector)
    monkeypatch.setattr(module, "orjson", Reader())
    decoded(b"[1]")
    over.set()
    second.join()
    assert collector.on
