"""Sink `alertmanager`: what is posted. On a real one: tests/servers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from amiss.data import DAY, SECOND
from amiss.sinks.alertmanager import Alertmanager
from amiss.world import World
from servers.incidents import START, ended, incident
from servers.receivers import Receiver

NOW = START + 600 * SECOND


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        yield server


def posted(receiver: Receiver, one, event=None, **settings):
    sink = Alertmanager.model_validate({"url": f"http://{receiver.place}/am/"} | settings)
    sink.send((one,), World(now=lambda: NOW), event)
    request = receiver.next()
    assert request.path == "/am/api/v2/alerts"
    return request.json


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * SECOND


def test_an_incident_fires_with_the_labels_that_group(receiver: Receiver) -> None:
    one = incident(system='host="web-3",data.center="b 1"')
    (alert,) = posted(receiver, one, address="https://amiss.example.org/", labels={"team": "web"})
    assert alert["labels"] == {
        "alertname": "Amiss",
        "severity": "medium",
        "incident": "a1",
        "host": "web-3",
        "data_center": "b 1",
        "team": "web",
    }
    assert ns(alert["startsAt"]) == START // SECOND * SECOND
    assert ns(alert["endsAt"]) == NOW + DAY
    assert alert["generatorURL"] == "https://amiss.example.org/dashboard/incident?id=a1"
    said = alert["annotations"]
    assert "web-3: disk write" in said["summary"] and "310 MB/s" in said["description"]
    assert said["event"] == "opened" and said["evidence"] == "backup.sh 92 % of a core"


def test_what_gets_worse_ends_the_alert_that_was(receiver: Receiver) -> None:
    alerts = posted(receiver, incident(revision=3, severity="high"), "worse")
    ends = {one["labels"]["severity"]: ns(one["endsAt"]) for one in alerts}
    assert ends == {"high": NOW + DAY, "medium": NOW, "low": NOW}
    assert len({frozenset(one["labels"].items()) for one in alerts}) == 3


def test_the_end_ends_all_of_it(receiver: Receiver) -> None:
    over = ended(replace(incident(), severity="high"), minutes=5)
    alerts = posted(receiver, over, "resolved")
    assert {one["labels"]["severity"] for one in alerts} == {"high", "medium", "low"}
    assert {ns(one["endsAt"]) for one in alerts} == {START + 300 * SECOND}


def test_an_alert_never_ends_before_it_starts(receiver: Receiver) -> None:
    one = replace(ended(incident()), until=START - SECOND)
    assert all(ns(a["endsAt"]) >= ns(a["startsAt"]) for a in posted(receiver, one))
