"""On a real Alertmanager, that tells a receiver."""

import time
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from amiss.data import MINUTE
from amiss.errors import Rejected, Unreachable
from amiss.sinks.alertmanager import Alertmanager
from amiss.world import World
from servers import alertmanager
from servers.incidents import incident
from servers.receivers import Receiver
from servers.running import Running

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture(scope="module")
def server(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with alertmanager.server(tmp_path_factory.mktemp("alertmanager"), receiver.url) as running:
        yield running


def alerts(receiver: Receiver) -> dict[str, str]:
    """Of the next notification: which severities fire and which have ended."""
    return {one["labels"]["severity"]: one["status"] for one in receiver.next().json["alerts"]}


def test_an_incident_fires_gets_worse_and_ends(server: Running, receiver: Receiver) -> None:
    sink, now = Alertmanager(url=server.url, address="http://127.0.0.1:8600"), time.time_ns()
    first = incident("one", since=now - MINUTE, seen=now)
    sink.send((first,), World(), "opened")
    told = receiver.next().json
    assert told["status"] == "firing" and told["groupLabels"]["host"] == "web-3"
    (alert,) = told["alerts"]
    assert alert["labels"]["incident"] == "one"
    assert alert["generatorURL"] == "http://127.0.0.1:8600/dashboard/incident?id=one"
    worse = replace(first, revision=2, severity="high")
    sink.send((worse, worse), World(), "worse")  # twice, as after a crash
    seen = alerts(receiver)
    while seen.get("medium") == "firing":  # it took the first of both just before it told
        seen = alerts(receiver)
    assert seen["high"] == "firing" and seen.get("medium") == "resolved"
    over = replace(worse, revision=3, state="resolved", until=time.time_ns())
    sink.send((over,), World(), "resolved")
    seen = alerts(receiver)
    assert seen["high"] == "resolved" and "firing" not in seen.values()
    assert not httpx.get(f"{server.url}/api/v2/alerts", timeout=30).json()
    assert not receiver.all()


def test_what_it_does_not_take_is_rejected_and_its_absence_is_for_now(server: Running) -> None:
    with pytest.raises(Rejected, match=r"127\.0\.0\.1 answered 404"):
        Alertmanager(url=f"{server.url}/elsewhere").send((incident(),), World())
    server.kill()
    with pytest.raises(Unreachable):
        Alertmanager(url=server.url).send((incident(),), World())
    server.start()
    Alertmanager(url=server.url).send((incident("later", since=time.time_ns()),), World())
    assert [
        a["labels"]["incident"] for a in httpx.get(f"{server.url}/api/v2/alerts", timeout=30).json()
    ] == ["later"]
