"""Sinks that come, go and change while one of them is being told: nobody hears anything twice."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from amiss.errors import Unreachable
from amiss.run import tell
from amiss.run.commits import NOTHING
from amiss.run.listen import listen
from amiss.run.tell import Channel
from amiss.settings import Settings, default
from amiss.store import Store
from amiss.world import World
from run.rig import PATIENCE
from servers.incidents import incident
from servers.receivers import Receiver


class Office:
    """A store, and who listens."""

    def __init__(self, folder: Path) -> None:
        self.store, self.channels = Store(folder / "amiss.db"), tuple[Channel, ...]()

    def listen(self, **timeouts: str) -> None:
        """Sinks that post to one receiver, by name: what differs is how long they wait."""
        hooks = {n: {"type": "webhook", "url": self.url, "timeout": t} for n, t in timeouts.items()}
        kept = {name: getattr(default(), name) for name in Settings.model_fields}
        settings = Settings.model_validate(kept | {"sinks": hooks})
        self.channels = listen(self.channels, settings, self.store, World())

    def open(self, id: str) -> None:
        self.store.commit("host", {}, NOTHING, [incident(id)])
        for channel in self.channels:
            channel.wake.set()

    url = ""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    tell.stop(made.channels, PATIENCE)
    made.store.close()


def keys(receiver: Receiver) -> list[str]:
    return [request.headers["idempotency-key"] for request in receiver.all()]


def until_told(store: Store, sink: str, id: str) -> None:
    last = threading.Event()
    for _ in range(int(PATIENCE / 0.02)):
        if store.last_told(sink, id):
            return
        last.wait(0.02)
    raise AssertionError(f"{sink} was never told of {id}")


def test_a_sink_that_changes_while_it_is_told_hears_nothing_twice(office: Office) -> None:
    with Receiver() as receiver:
        office.url = receiver.url
        office.listen(hook="30s")
        receiver.open.clear()
        office.open("a")
        assert receiver.next().headers["idempotency-key"] == "a/1"
        office.listen(hook="40s")
        office.listen(hook="50s")  # and again
        office.open("b")
        receiver.open.set()
        until_told(office.store, "hook", "b")
        assert keys(receiver) == ["b/1"]


def test_what_the_one_before_could_not_write_is_taken_over(office: Office, monkeypatch) -> None:
    with Receiver() as receiver:
        office.url = receiver.url
        office.listen(hook="30s")
        sent = threading.Event()

        def full(*said: object) -> None:
            sent.set()
            raise Unreachable("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(office.store, "delivered", full)
            office.open("a")
            assert sent.wait(PATIENCE)
            tell.stop(office.channels, PATIENCE)
        office.listen(hook="40s")
        office.open("b")
        until_told(office.store, "hook", "b")
        assert keys(receiver) == ["a/1", "b/1"]


def test_a_sink_taken_out_while_it_is_told_is_new_when_it_comes_again(office: Office) -> None:
    with Receiver() as receiver:
        office.url = receiver.url
        office.listen(hook="30s")
        receiver.open.clear()
        office.open("a")
        receiver.next()
        (old,) = office.channels
        office.listen()
        receiver.open.set()
        assert old.thread is not None
        old.thread.join(PATIENCE)
        office.open("b")
        office.listen(hook="30s")
        office.open("c")
        until_told(office.store, "hook", "c")
        assert keys(receiver) == ["c/1"]


def test_a_store_that_does_not_answer_leaves_no_sink_deaf(office: Office, monkeypatch) -> None:
    def silent(*said: object) -> None:
        raise Unreachable("amiss.db is locked by another program")

    with Receiver() as receiver:
        office.url = receiver.url
        office.listen(hook="30s")
        with monkeypatch.context() as patch:
            patch.setattr(office.store, "enrol", silent)
            with pytest.raises(Unreachable):
                office.listen(hook="40s")
        office.listen(hook="30s")  # as it was
        office.open("a")
        until_told(office.store, "hook", "a")
        assert keys(receiver) == ["a/1"]
