"""`amiss pump`: what it refuses, and when a row may go."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from amiss.data import SECOND
from amiss.errors import Rejected, Unreachable
from amiss.reading.cluster import Cluster
from amiss.reading.keyset import Place
from amiss.run.pump import Pump, _Clock, _Producer
from amiss.sources.sql import Sql
from amiss.world import World
from cli.calls import amiss


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--time", "ts"), "write a table or a query"),
        (("--time", "ts", "--table", "web", "--late", "soon"), "late: 'soon' is not a span"),
        (("--time", "ts", "--table", "web", "--kafka", "tls"), "--kafka: write name=value"),
        (("--time", "ts", "--table", "web", "--kafka", "user=joe"), "user and password belong"),
        (("--time", "ts", "--query", "DROP TABLE web"), "only SELECT is asked"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(more: tuple[str, ...], said: str) -> None:
    called = amiss("pump", "env:WEB", "kafka:9092", "web", *more)
    assert called.code == 2 and said in called.err and "Traceback" not in called.err


def pump(rate: float | None = None, pace: float | None = None) -> Pump:
    source = Sql(url="env:WEB", table="web", time="ts")
    return Pump(source, Cluster(servers="kafka:9092"), "web", "web", rate=rate, pace=pace)


def test_rows_go_at_a_rate_or_at_their_own_pace() -> None:
    now = [7 * SECOND]
    world = World(monotonic=lambda: now[0])
    times = np.arange(100) * SECOND
    at_once, rated, paced = (_Clock(one, world) for one in (pump(), pump(10), pump(pace=2)))
    assert at_once.due(times) == 100
    assert (rated.due(times), paced.due(times)) == (1, 1)
    rated.sent = paced.sent = 1
    now[0] += 3 * SECOND
    assert (rated.due(times[1:]), paced.due(times[1:])) == (30, 6)
    assert paced.due(times[50:]) == 0 and paced.due(times[:0]) == 0


def test_what_a_quiet_table_did_not_use_is_not_made_up_for() -> None:
    now = [7 * SECOND]
    world = World(monotonic=lambda: now[0])
    rated, paced = (_Clock(one, world) for one in (pump(10), pump(pace=1)))
    times = np.arange(100) * SECOND
    assert (rated.due(times[:0]), paced.due(times[:0])) == (0, 0)
    now[0] += 3600 * SECOND
    assert (rated.due(times[:0]), paced.due(times[:0])) == (0, 0)
    assert (rated.due(times), paced.due(times)) == (1, 1)


def test_a_row_without_a_time_goes_with_those_around_it() -> None:
    now = [7 * SECOND]
    clock = _Clock(pump(pace=1), World(monotonic=lambda: now[0]))
    times = 1_700_000_000 * SECOND + np.arange(4) * SECOND
    times[1] = -1
    assert clock.due(times) == 2
    now[0] += 2 * SECOND
    assert clock.due(times) == 3


class Broker:
    """What a pump asks of the library: places, behind one of another pump that is not ended."""

    _PARTITION_EOF, MSG_SIZE_TOO_LARGE, _FENCED, PRODUCER_FENCED = -191, 10, -144, 90
    OFFSET_BEGINNING = -2
    KafkaError: Any
    KafkaException = type("KafkaException", (Exception,), {})

    def __init__(self, kept: list[Place]) -> None:
        self.KafkaError = self
        self.kept = kept
        ends = [1, len(kept)]  # where what can be read ends: first there, then all of it
        self.said = [self.message(0), self.end(ends[0])]
        self.said += [self.message(n) for n in range(1, len(kept))] + [self.end(ends[1])]

    def message(self, n: int) -> Any:
        value = self.kept[n].pack()
        return SimpleNamespace(error=lambda: None, key=lambda: b"web", value=lambda: value)

    def end(self, at: int) -> Any:
        error = SimpleNamespace(code=lambda: self._PARTITION_EOF)
        return SimpleNamespace(error=lambda: error, offset=lambda: at)

    def TopicPartition(self, *where: Any) -> Any:  # noqa: N802
        return where

    def Consumer(self, said: dict[str, str]) -> "Broker":  # noqa: N802
        self.committed = said["isolation.level"] == "read_committed"
        return self

    def get_watermark_offsets(self, where: Any, timeout: float) -> tuple[int, int]:
        return 0, 1 if self.committed else len(self.kept)

    def assign(self, where: Any) -> None:
        pass

    def poll(self, timeout: float) -> Any:
        return self.said.pop(0)

    def close(self) -> None:
        pass


def producer(library: Any, inner: Any = None) -> _Producer:
    made = _Producer.__new__(_Producer)
    made._kafka, made._pump, made._joining, made._producer = library, pump(), {}, inner
    return made


def test_a_place_behind_the_open_transaction_of_another_pump_is_found() -> None:
    places = [Place((n,), (n,)) for n in range(3)]
    assert producer(Broker(places)).place() == places[-1]


def test_who_makes_no_topic_in_time_is_waited_for() -> None:
    with pytest.raises(Unreachable, match="kafka:9092: does not answer"):
        with producer(Broker([Place()] * 2))._failing():
            raise TimeoutError


def test_a_full_queue_is_waited_for_and_a_row_too_large_is_said() -> None:
    import confluent_kafka

    real = confluent_kafka.Producer(
        {"bootstrap.servers": "127.0.0.1:1", "log_level": 0, "message.timeout.ms": 10,
         "queue.buffering.max.messages": 10}
    )  # fmt: skip
    inner = SimpleNamespace(begin_transaction=lambda: None, produce=real.produce, poll=real.poll,
                            commit_transaction=lambda timeout: None)  # fmt: skip
    made = producer(confluent_kafka, inner)
    made.send(["n"], [(n,) for n in range(30)], Place())
    with pytest.raises(Rejected, match="a row is too large"):
        made.send(["n"], [("x" * 2_000_000,)], Place())
    real.purge()
    real.flush(1.0)
