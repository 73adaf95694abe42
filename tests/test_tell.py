"""Each sink hears all that is worth telling, in order, once; a deaf one delays only itself."""

import contextlib
import logging
import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.component import Sink
from amiss.data import MINUTE, Event, Incident, Records
from amiss.decide.taught import Taught
from amiss.errors import ConfigError, Rejected, StateError, Unreachable
from amiss.run.tell import Channel, SinkStatus, back_off, channels, start, stop, tell
from amiss.sinks.apprise import Apprise
from amiss.sinks.jsonl import Jsonl
from amiss.sinks.webhook import Webhook
from amiss.store import Store
from amiss.words.message import telling
from amiss.world import World
from servers.incidents import START, ended, incident
from servers.receivers import PATIENCE, Receiver

NOW = START + 5 * MINUTE


@dataclass
class Memory:
    """An incident log that reads like what is asked of one. Fails where `fail` says so."""

    revisions: list[Incident] = field(default_factory=list)
    marks: Counter[str] = field(default_factory=Counter)
    outcomes: dict[tuple[str, str, int], tuple[int, str, str]] = field(default_factory=dict)
    fail: Callable[[str], bool] = lambda method: False
    lessons: list[Taught] = field(default_factory=list)
    marked: "queue.Queue[tuple[str, int]]" = field(default_factory=queue.Queue)

    def _may_fail(self, method: str) -> None:
        if self.fail(method):
            raise StateError("the disk is full")

    def untold(self, sink: str, limit: int = 100) -> tuple[int, list[Incident]]:
        self._may_fail("untold")
        mark = self.marks[sink]
        news = self.revisions[mark : mark + limit]
        return mark + len(news), news

    def told(self, sink: str, mark: int) -> None:
        self._may_fail("told")
        self.marks[sink] = mark
        self.marked.put((sink, mark))

    def delivered(
        self, sink: str, incident: str, revision: int, at: int, outcome: str, message: str
    ) -> None:
        self._may_fail("delivered")
        self.outcomes[sink, incident, revision] = (at, outcome, message)

    def last_told(self, sink: str, incident: str) -> Incident | None:
        told = [
            n
            for (s, i, n), (_, said, _) in self.outcomes.items()
            if (s, i) == (sink, incident) and said != "retrying"
        ]
        found = [
            r for r in self.revisions if (r.id, r.revision) == (incident, max(told, default=0))
        ]
        return found[0] if found else None

    def taught(self) -> list[Taught]:
        self._may_fail("taught")
        return self.lessons

    def until_marked(self, sink: str, mark: int) -> None:
        while self.marked.get(timeout=PATIENCE) != (sink, mark):
            pass


class Recorder(Sink):
    """Takes what it is told, or does what the next of `does` says instead.

    It has no `type`, so that no other test finds it among the sinks there are.
    """

    heard: ClassVar[list[tuple[str, int]]] = []
    events: ClassVar[list[Event | None]] = []
    does: ClassVar[list[Exception | None]] = []

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        for each in incidents:
            instead = self.does.pop(0) if self.does else None
            if instead is not None:
                raise instead
            self.heard.append((each.id, each.revision))
            self.events.append(event)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    Recorder.heard.clear()
    Recorder.events.clear()
    Recorder.does.clear()
    yield


def channel(log: Memory, sink: Sink | None = None, world: World | None = None) -> Channel:
    return Channel("one", sink or Recorder(), log, world or World(now=lambda: NOW))


def told_to_the_end(log: Memory) -> tuple[Channel, list[float]]:
    """A channel whose thread ran until there was nothing more to tell, and how long it waited."""
    waits: list[float] = []

    def wait(event: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        if seconds == 60:  # nothing more to tell
            one.stop.set()
        return event.is_set()

    one = channel(log, world=World(now=lambda: NOW, wait=wait))
    start(one)
    assert one.thread
    one.thread.join(PATIENCE)
    return one, waits


def life(id: str = "a1") -> list[Incident]:
    """Opens, changes, grows, changes, ends: revisions 1, 3 and 5 are worth telling."""
    first = incident(id)
    grown = replace(first, revision=3, breadth=2)
    return [
        first,
        replace(first, revision=2),
        grown,
        replace(grown, revision=4, breadth=3),
        ended(replace(grown, revision=4)),
    ]


def test_what_is_worth_telling_is_told_in_order_and_once() -> None:
    log = Memory(life("a") + life("b"))
    one = channel(log)
    assert tell(one)
    assert not tell(one)
    assert Recorder.heard == [("a", 1), ("a", 3), ("a", 5), ("b", 1), ("b", 3), ("b", 5)]
    assert log.marks["one"] == 10
    assert one.status == SinkStatus(delivered=6, last=NOW)
    assert set(log.outcomes.values()) == {(NOW, "delivered", "")}


def test_who_comes_late_is_told_of_an_opening_first() -> None:
    log = Memory(life())
    log.marks["one"] = 1  # it was added when the first revision had gone by
    tell(channel(log))
    assert Recorder.heard == [("a1", 2), ("a1", 3), ("a1", 5)]
    assert Recorder.events == ["opened", "worse", "resolved"]


def test_a_restart_goes_on_where_it_was() -> None:
    log = Memory(life()[:3])
    tell(channel(log))
    log.revisions += life()[3:]
    tell(channel(log))
    assert Recorder.heard == [("a1", 1), ("a1", 3), ("a1", 5)]


def test_more_than_a_batch_is_told_in_order() -> None:
    log = Memory([incident(f"i{n}") for n in range(250)])
    one = channel(log)
    assert [tell(one), tell(one), tell(one), tell(one)] == [True, True, True, False]
    assert Recorder.heard == [(f"i{n}", 1) for n in range(250)]


def test_unreachable_keeps_the_mark_and_repeats_nothing() -> None:
    log = Memory(life())
    Recorder.does += [None, Unreachable("nobody there")]
    one = channel(log)
    with pytest.raises(Unreachable):
        tell(one)
    assert log.marks["one"] == 0
    assert one.status.waiting_since == NOW
    assert log.outcomes["one", "a1", 3] == (NOW, "retrying", "nobody there")
    assert tell(one)
    assert Recorder.heard == [("a1", 1), ("a1", 3), ("a1", 5)]
    assert one.status.waiting_since is None


def test_what_is_refused_is_recorded_and_the_next_is_told(caplog: pytest.LogCaptureFixture) -> None:
    log = Memory([incident("a"), incident("b")])
    Recorder.does += [Rejected("example.com answered 404")]
    one = channel(log)
    tell(one)
    assert Recorder.heard == [("b", 1)]
    assert log.outcomes["one", "a", 1] == (NOW, "refused", "example.com answered 404")
    assert log.marks["one"] == 2
    assert one.status == SinkStatus(
        delivered=1, last=NOW, refused=1, last_error="example.com answered 404"
    )
    assert [r.getMessage() for r in caplog.records] == [
        "sink one refused incident a/1: example.com answered 404"
    ]


def test_after_a_refusal_only_what_is_new_is_told() -> None:
    log = Memory(life())
    Recorder.does += [Rejected("no")]
    tell(channel(log))
    assert Recorder.heard == [("a1", 3), ("a1", 5)]


def test_a_fault_in_a_sink_holds_back_nothing_and_shows_no_secret() -> None:
    log = Memory([incident("a"), incident("b")])
    Recorder.does += [KeyError("T0KEN")]
    one = channel(log)
    tell(one)
    assert Recorder.heard == [("b", 1)]
    _, outcome, message = log.outcomes["one", "a", 1]
    assert outcome == "refused"
    assert message.startswith("fault in the sink: KeyError at ")
    assert "T0KEN" not in message


def test_a_log_that_cannot_be_written_makes_no_sink_hear_twice() -> None:
    log = Memory([incident("a"), incident("b")])
    one = channel(log)
    log.fail = lambda method: method == "delivered"
    for _ in range(3):
        with pytest.raises(StateError):
            tell(one)
    assert Recorder.heard == [("a", 1)]
    log.fail = lambda method: method == "told"
    for _ in range(3):
        with pytest.raises(StateError):
            tell(one)
    log.fail = lambda method: False
    assert tell(one)
    assert Recorder.heard == [("a", 1), ("b", 1)]


TROUBLE = st.sampled_from(
    [
        None,
        None,
        Unreachable("later"),
        Rejected("no"),
        Rejected("not with this token", mendable=True),
        ConfigError("no key"),
    ]
)


@given(st.data())
def test_whatever_happens_nothing_is_lost_reordered_or_told_twice(data: st.DataObject) -> None:
    """Against a naive reader of the whole log; marks may fail, and the program may restart."""
    Recorder.heard.clear()
    Recorder.events.clear()
    Recorder.does[:] = data.draw(st.lists(TROUBLE, max_size=12))
    failing = data.draw(st.lists(st.booleans(), max_size=20))
    log = Memory()
    one = channel(log)
    for _ in range(data.draw(st.integers(1, 4))):
        for id in data.draw(st.lists(st.sampled_from("abc"), max_size=6)):
            mine = [r for r in log.revisions if r.id == id]
            log.revisions += life(id)[len(mine) : len(mine) + 1]
        log.fail = lambda method: bool(failing) and failing.pop()
        for _ in range(40):
            try:
                if not tell(one):
                    break
            except (Unreachable, Rejected, ConfigError, StateError):
                if not one.unwritten and data.draw(st.booleans()):
                    one = channel(log)
        else:
            raise AssertionError("never came to an end")

    wanted, last = [], {}
    for each in log.revisions:
        if telling(last.get(each.id), each):
            wanted.append((each.id, each.revision))
            last[each.id] = each
    refused = [(i, n) for (_, i, n), (_, said, _) in log.outcomes.items() if said == "refused"]
    assert [each for each in wanted if each not in refused] == Recorder.heard
    assert set(wanted) == {(i, n) for _, i, n in log.outcomes}
    assert log.marks["one"] == len(log.revisions)


def commit(store: Store, incidents: Sequence[Incident]) -> None:
    nothing = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
    store.commit("host", {}, nothing, incidents)


def test_a_crash_after_sending_doubles_nothing_in_the_real_store(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    with contextlib.closing(Store(tmp_path / "amiss.db")) as store:
        store.enrol(["one"])
        commit(store, life("a"))
        Jsonl(path=file).send(life("a")[:1], World())  # and died before it could say so
    with contextlib.closing(Store(tmp_path / "amiss.db")) as store:
        commit(store, life("b"))
        one = Channel("one", Jsonl(path=file), store, World())
        while tell(one):
            pass
        assert [(d.incident, d.revision, d.outcome) for d in store.deliveries("b")] == [
            ("b", 1, "delivered"),
            ("b", 3, "delivered"),
            ("b", 5, "delivered"),
        ]
    told = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    assert [each["id"] + str(each["revision"]) for each in told] == "a1 a3 a5 b1 b3 b5".split()


def test_a_try_that_failed_is_on_record_in_the_real_store(tmp_path: Path) -> None:
    with contextlib.closing(Store(tmp_path / "amiss.db")) as store:
        store.enrol(["one"])
        commit(store, life())
        one = Channel("one", Recorder(), store, World())
        Recorder.does += [Unreachable("nobody there"), Unreachable("busy")]
        for _ in range(2):
            with pytest.raises(Unreachable):
                tell(one)
        (tried,) = store.deliveries("a1")
        assert (tried.outcome, tried.message, tried.times) == ("retrying", "busy", 2)
        assert tell(one)
        assert [d.outcome for d in store.deliveries("a1")] == ["delivered"] * 3


# The thread


def test_back_off_doubles_to_five_minutes_and_heeds_the_receiver() -> None:
    assert [back_off(n) for n in range(10)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert back_off(10_000) == 300
    assert back_off(0, after=17) == 17
    assert back_off(9, after=17) == 300
    assert back_off(0, after=10**9) == 3600


def test_a_deaf_sink_is_asked_again_later_and_later(caplog: pytest.LogCaptureFixture) -> None:
    log = Memory([incident("a"), incident("b")])
    deaf = Unreachable("nobody there")
    Recorder.does += [deaf, deaf, Unreachable("busy", after=17), None, ConfigError("no key")]
    one, waits = told_to_the_end(log)
    assert waits == [1, 2, 17, 1, 60]
    assert Recorder.heard == [("a", 1), ("b", 1)]
    assert one.status == SinkStatus(delivered=2, last=NOW, retried=4, last_error="no key")
    assert caplog.records[0].getMessage() == "sink one is told again in 1 s: nobody there"


@pytest.fixture
def running() -> Iterator[list[Channel]]:
    made: list[Channel] = []
    yield made
    stop(made)
    assert not [each.name for each in made if each.thread and each.thread.is_alive()]


def test_a_hanging_sink_delays_only_itself(tmp_path: Path, running: list[Channel]) -> None:
    with Receiver() as stuck, Receiver() as well:
        stuck.open.clear()
        log = Memory(life())
        sinks: dict[str, Sink] = {
            "stuck": Webhook(url=stuck.url, timeout="1h"),
            "well": Webhook(url=well.url),
            "file": Jsonl(path=tmp_path / "log.jsonl", fsync=False),
        }
        running += channels(sinks, log, World())
        for each in running:
            start(each)
        assert stuck.next().json["event"] == "opened"
        assert [well.next().json["event"] for _ in range(3)] == ["opened", "worse", "resolved"]
        log.revisions += life("b2")
        for each in running:
            each.wake.set()
        assert [well.next().headers["idempotency-key"] for _ in range(3)] == [
            "b2/1",
            "b2/3",
            "b2/5",
        ]
        assert not stuck.all()
        status = {each.name: each.status for each in running}
        assert status["stuck"].delivered == 0
        assert status["stuck"].waiting_since is not None
        stuck.open.set()
        assert [stuck.next().headers["idempotency-key"] for _ in range(5)] == [
            "a1/3",
            "a1/5",
            "b2/1",
            "b2/3",
            "b2/5",
        ]
        log.until_marked("stuck", 10)
        stop(running)
    assert len((tmp_path / "log.jsonl").read_bytes().splitlines()) == 6


def test_a_receiver_that_recovers_gets_everything(running: list[Channel]) -> None:
    tried: queue.Queue[float] = queue.Queue()
    go_on = threading.Semaphore(0)

    def wait(event: threading.Event, seconds: float) -> bool:
        tried.put(seconds)
        return go_on.acquire(timeout=PATIENCE)

    with Receiver(status=503, headers={"Retry-After": "9"}) as receiver:
        log = Memory(life())
        running += channels({"hook": Webhook(url=receiver.url)}, log, World(wait=wait))
        start(running[0])
        assert tried.get(timeout=PATIENCE) == 9
        assert receiver.next().headers["idempotency-key"] == "a1/1"
        assert running[0].status.last_error == "127.0.0.1 answered 503"
        receiver.status = 200
        go_on.release()
        assert [receiver.next().json["event"] for _ in range(3)] == ["opened", "worse", "resolved"]
        log.until_marked("hook", 5)
        running[0].stop.set()
        go_on.release()
        assert running[0].thread
        running[0].thread.join(PATIENCE)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (401, "the token or password is missing, wrong or has expired"),
        (403, "the token or user that was shown may not do this"),
        (404, "nothing is at this address"),
        (407, "the proxy asks for a password"),
        (302, "it is at another address, which is to be written instead"),
    ],
)
def test_settings_that_are_wrong_are_waited_for_and_then_all_is_told_once(
    code: int, why: str
) -> None:
    with Receiver(status=code) as receiver:
        log = Memory(life("a") + life("b"))
        one = channel(log, Webhook(url=receiver.url))
        for _ in range(2):
            with pytest.raises(Rejected, match=f"^127.0.0.1 answered {code}: {why}$"):
                tell(one)
        assert [each.headers["idempotency-key"] for each in receiver.all()] == ["a/1", "a/1"]
        assert set(log.outcomes) == {("one", "a", 1)}
        assert log.outcomes["one", "a", 1][1] == "retrying"
        receiver.status = 200
        while tell(one):
            pass
        told = [each.headers["idempotency-key"] for each in receiver.all()]
    assert told == ["a/1", "a/3", "a/5", "b/1", "b/3", "b/5"]
    assert (one.status.delivered, one.status.refused) == (6, 0)


@pytest.mark.parametrize("code", [400, 409, 413, 422])
def test_a_message_that_is_wrong_holds_nothing_back(code: int) -> None:
    with Receiver(status=code) as receiver:
        log = Memory([incident("a"), incident("b"), incident("c")])
        one = channel(log, Webhook(url=receiver.url))
        tell(one)
        assert (one.status.refused, one.status.refusals) == (3, 3)
        assert len(receiver.all()) == 3
        log.revisions.append(incident("d"))
        receiver.status = 200
        tell(one)
    assert (one.status.refused, one.status.refusals, one.status.delivered) == (3, 0, 1)


class Firewall(Recorder):
    """Answers 403 to one incident, whatever the settings, and to all if these are wrong."""

    wrong: bool = False

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        if self.wrong or incidents[0].id == "attack":
            raise Rejected("example.com answered 403", mendable=True)
        super().send(incidents, world, event)


def test_a_message_that_alone_is_refused_as_settings_are_does_not_hold_others_back_for_ever() -> (
    None
):
    log = Memory([incident("attack"), replace(incident("attack"), revision=2), incident("b")])
    one = channel(log, Firewall())
    for one.failures in range(5):
        with pytest.raises(Rejected):
            tell(one)
    assert not Recorder.heard
    one.failures = 5
    while tell(one):
        pass
    assert Recorder.heard == [("b", 1)]
    assert log.outcomes["one", "attack", 1][1:] == ("refused", "example.com answered 403")
    assert (one.status.delivered, one.status.refused, one.failures) == (1, 1, 0)


def test_while_all_are_refused_for_the_sake_of_settings_none_is_lost() -> None:
    log = Memory([incident("a"), incident("b"), incident("c")])
    one = channel(log, Firewall(wrong=True))
    for one.failures in range(20):
        with pytest.raises(Rejected):
            tell(one)
    assert one.status.refused == 0
    one.sink = Firewall()
    tell(one)
    assert Recorder.heard == [("a", 1), ("b", 1), ("c", 1)]


def test_settings_put_right_between_two_messages_lose_none() -> None:
    log = Memory([incident("a"), incident("b"), incident("c")])
    Recorder.does += [Rejected("example.com answered 401", mendable=True)]
    one = channel(log)
    one.failures = 9
    tell(one)
    assert Recorder.heard == [("b", 1), ("a", 1), ("c", 1)]
    assert (one.status.delivered, one.status.refused) == (3, 0)


def test_a_thread_waits_with_back_off_for_settings_to_be_put_right() -> None:
    Recorder.does += [Rejected("example.com answered 401", mendable=True)] * 3
    one, waits = told_to_the_end(Memory([incident("a")]))
    assert waits == [1, 2, 4, 60]
    assert Recorder.heard == [("a", 1)]
    assert (one.status.retried, one.status.refused) == (3, 0)


def test_addresses_of_one_sink_are_told_apart() -> None:
    sinks: dict[str, Sink] = {
        "chat": Apprise(urls=("env:TEAM", "env:BOSS")),
        "hook": Webhook(url="env:HOOK"),
    }
    assert [each.name for each in channels(sinks, Memory(), World())] == [
        "chat/TEAM",
        "chat/BOSS",
        "hook",
    ]


def test_stopping_waits_for_no_hanging_sink() -> None:
    with Receiver() as stuck:
        stuck.open.clear()
        (one,) = channels({"stuck": Webhook(url=stuck.url)}, Memory(life()), World())
        start(one)
        stuck.next()
        stop([one], patience=0.05)
        assert one.thread and one.thread.is_alive()
        stuck.open.set()
        one.thread.join(PATIENCE)
        # what was in flight is still recorded, so that it is not told again
        assert isinstance(one.incidents, Memory)
        assert list(one.incidents.outcomes) == [("stuck", "a1", 1)]
        assert not stuck.all()


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from amiss.run.tell import channels, start, stop
from amiss.sinks.stdout import Stdout
from amiss.sinks.webhook import Webhook
from amiss.store import Store
from amiss.world import World
from test_tell import Memory, life
from servers.incidents import incident
sinks = {"pipe": Stdout(), "stuck": Webhook(url=sys.argv[2], timeout="1h")}
log = Memory([incident()])
running = channels(sinks, log, World())
for each in running:
    start(each)
sys.stdin.readline()
stop(running, patience=0.1)
sys.exit(7)
"""


def full_pipe() -> tuple[int, int]:
    """A pipe that takes no more."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 512)
    os.set_blocking(write, True)
    return read, write


def test_the_program_ends_while_sinks_hang() -> None:
    read, write = full_pipe()
    with Receiver() as stuck:
        stuck.open.clear()
        command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), stuck.url]
        pipe = subprocess.PIPE
        env = os.environ | {"PYTHONUNBUFFERED": ""}
        with subprocess.Popen(command, stdin=pipe, stdout=write, stderr=pipe, env=env) as program:
            assert program.stdin and program.stderr
            stuck.next()
            program.stdin.write(b"\n")
            program.stdin.flush()
            assert program.wait(PATIENCE) == 7
            assert program.stderr.read() == b""
    os.close(read)
    os.close(write)


def test_no_wall_of_logs(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        tell(channel(Memory(life())))
    assert not caplog.records
