"""`amiss pump`: what it refuses, and when a row may go."""

import numpy as np
import pytest

from amiss.cluster import Cluster
from amiss.data import SECOND
from amiss.run.pump import Pump, _Clock
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
