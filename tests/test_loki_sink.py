"""The sink `loki` on a made receiver; a round trip on a real Loki: tests/servers/test_loki.py."""

import orjson
import pytest
from pydantic import ValidationError

from amiss.errors import Rejected
from amiss.sinks.loki import Loki
from amiss.world import World
from servers.incidents import incident
from servers.receivers import Receiver


def test_an_incident_is_a_line_with_few_labels_and_the_same_when_it_comes_again() -> None:
    with Receiver(status=204) as receiver:
        access = {"headers": {"X-Scope-OrgID": "team-a"}}
        sink = Loki(
            url=f"http://{receiver.place}", labels={"job": "amiss", "env": "test"}, access=access
        )
        for _ in range(2):
            sink.send((incident("a", revision=2),), World(), "worse")
        first, second = receiver.next(), receiver.next()
    assert first.path == "/loki/api/v1/push" and first.body == second.body
    assert first.headers["x-scope-orgid"] == "team-a"
    [stream] = first.json["streams"]
    labels = {"job": "amiss", "env": "test", "event": "worse", "severity": incident("a").severity}
    assert stream["stream"] == labels
    [[at, line]] = stream["values"]
    assert int(at) == incident("a", revision=2).seen
    said = orjson.loads(line)
    assert (said["event"], said["id"], said["revision"]) == ("worse", "a", 2)


def test_a_refusal_has_the_reason_that_loki_gives() -> None:
    with Receiver(status=400, answer=lambda _: b"entry too far behind\n") as receiver:
        sink = Loki(url=f"http://{receiver.place}")
        with pytest.raises(Rejected, match="answered 400: entry too far behind"):
            sink.send((incident("a"),), World())


@pytest.mark.parametrize(
    "labels", [{"a-b": "x"}, {"event": "x"}, {"severity": "x"}, {f"l{i}": "" for i in range(11)}]
)
def test_labels_that_cannot_be_are_said(labels) -> None:
    with pytest.raises(ValidationError):
        Loki(url="http://loki:3100", labels=labels)
