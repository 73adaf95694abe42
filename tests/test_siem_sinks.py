"""Elasticsearch, Splunk and Sentinel by HTTP, against what their manuals say that they answer."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import orjson
import pytest
from pydantic import ValidationError

from amiss.data import Records
from amiss.errors import Error, Rejected, Unreachable
from amiss.run.tell import Channel, tell
from amiss.sinks import sentinel
from amiss.sinks.elastic import Elastic
from amiss.sinks.sentinel import Sentinel
from amiss.sinks.splunk import Splunk
from amiss.store import Store
from amiss.world import World
from servers.incidents import ended, incident, member
from servers.receivers import Receiver, Request

BOTH = (incident("a", members=(member('login{source_ip="203.0.113.9",user="joe"}'),)),
        ended(incident("b")))  # fmt: skip


def world(**secrets: str) -> World:
    return World(secret=lambda reference: secrets[reference.partition(":")[2]])


def says(answer: Any) -> Callable[[Request], bytes]:
    return lambda request: orjson.dumps(answer)


# Elasticsearch


CREATED = {"create": {"_index": ".ds-logs-amiss-default-1", "_id": "a-1", "status": 201}}
CONFLICT = {
    "create": {
        "_index": ".ds-logs-amiss-default-1",
        "_id": "a-1",
        "status": 409,
        "error": {
            "type": "version_conflict_engine_exception",
            "reason": "[a-1]: version conflict, document already exists (current version [1])",
        },
    }
}
FULL = {
    "create": {
        "status": 429,
        "error": {"type": "es_rejected_execution_exception", "reason": "rejected execution"},
    }
}
UNPARSED = {
    "create": {
        "status": 400,
        "error": {
            "type": "document_parsing_exception",
            "reason": "failed to parse field [host.name]",
        },
    }
}


def bulk(*items: Any) -> dict:
    wrong = any("error" in (one.get("create") or {}) for one in items if isinstance(one, dict))
    return {"took": 3, "errors": wrong, "items": list(items)}


def elastic(receiver: Receiver, **said: Any) -> Elastic:
    return Elastic(url=f"http://{receiver.place}/", **said)


def test_elastic_creates_alerts_under_the_ids_of_their_revisions() -> None:
    with Receiver(answer=says(bulk(CREATED, CREATED))) as receiver:
        elastic(receiver, api_key="env:KEY", index="alerts").send(BOTH, world(KEY="aWQ6a2V5"))
        got = receiver.next()
    assert got.path == "/_bulk"
    assert got.headers["authorization"] == "ApiKey aWQ6a2V5"
    assert got.headers["content-type"] == "application/x-ndjson"
    assert got.body.endswith(b"\n")
    one, first, two, second = map(orjson.loads, got.body.splitlines())
    assert one == {"create": {"_index": "alerts", "_id": "a-1"}}
    assert two == {"create": {"_index": "alerts", "_id": "b-2"}}
    assert (first["user"]["name"], first["event"]["action"]) == ("joe", "opened")
    assert second["event"]["action"] == "resolved"


@pytest.mark.parametrize(
    ("items", "error", "why"),
    [
        ((CREATED, CONFLICT), None, ""),
        ((CREATED, FULL), Unreachable, r"es_rejected_execution_exception: rejected .* \(429\)"),
        ((UNPARSED, CREATED), Rejected, r"document_parsing_exception: failed .* \(400\)"),
        ((UNPARSED, FULL), Unreachable, r"\(429\)"),
        ((CREATED,), Rejected, "not as Elasticsearch does"),
        ((CREATED, {"create": {}}), Rejected, "no reason given"),
        ((CREATED, {"create": None}), Rejected, "no reason given"),
        ((CREATED, 1), Rejected, "no reason given"),
    ],
)
def test_elastic_reads_the_answer_for_each_document(
    items: tuple[Any, ...], error: type[Error] | None, why: str
) -> None:
    with Receiver(answer=says(bulk(*items))) as receiver:
        if error is None:
            elastic(receiver).send(BOTH, World())
            return
        with pytest.raises(error, match=why):
            elastic(receiver).send(BOTH, World())


@pytest.mark.parametrize(("status", "mendable"), [(403, True), (404, True), (400, False)])
def test_elastic_with_an_index_that_is_closed_or_gone_is_mendable(
    status: int, mendable: bool
) -> None:
    closed = {"create": {"status": status, "error": {"type": "blocked", "reason": "read-only"}}}
    with Receiver(answer=says(bulk(CREATED, closed))) as receiver:
        with pytest.raises(Rejected, match=rf"\({status}\)") as refused:
            elastic(receiver).send(BOTH, World())
    assert refused.value.mendable is mendable


def test_elastic_that_had_no_room_takes_the_same_again() -> None:
    answers = [bulk(CREATED, FULL), bulk(CONFLICT, CREATED)]
    with Receiver(answer=lambda request: orjson.dumps(answers.pop(0))) as receiver:
        with pytest.raises(Unreachable):
            elastic(receiver).send(BOTH, World())
        elastic(receiver).send(BOTH, World())
        first, second = receiver.all()
    assert first.body == second.body


def test_elastic_that_was_away_hears_all_and_nothing_twice(tmp_path: Path) -> None:
    """Over a restart, and though the answer to one was lost."""
    indexed: dict[str, int] = {}

    def answer(request: Request) -> bytes:
        items = []
        for action in map(orjson.loads, request.body.splitlines()[::2]):
            one = action["create"]["_id"]
            indexed[one] = indexed.get(one, 0) + 1
            items.append(CREATED if indexed[one] == 1 else CONFLICT)
        return orjson.dumps(bulk(*items))

    nothing = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
    with Receiver(status=503, answer=answer) as receiver:
        with closing(Store(tmp_path / "amiss.db")) as store:
            store.enrol(["siem"])
            store.commit("host", {}, nothing, BOTH)
            with pytest.raises(Unreachable):
                tell(Channel("siem", elastic(receiver), store, World()))
        receiver.status = 200  # what it was sent before it had no room was indexed all the same
        with closing(Store(tmp_path / "amiss.db")) as store:
            channel = Channel("siem", elastic(receiver), store, World())
            while tell(channel):
                pass
            outcomes = [d.outcome for one in BOTH for d in store.deliveries(one.id)]
    assert indexed == {"a-1": 2, "b-2": 1}
    assert outcomes == ["delivered", "delivered"]


# Splunk


def splunk(receiver: Receiver, **said: Any) -> Splunk:
    return Splunk(url=f"http://{receiver.place}", token="env:TOKEN", **said)


def test_splunk_is_sent_events_with_a_token() -> None:
    with Receiver(answer=says({"text": "Success", "code": 0})) as receiver:
        splunk(receiver, index="security", format="ocsf").send(BOTH, world(TOKEN="hunter2"))
        got = receiver.next()
    assert got.path == "/services/collector/event"
    assert got.headers["authorization"] == "Splunk hunter2"
    first, second = map(orjson.loads, got.body.splitlines())
    assert first["time"] == 1772892190.0
    assert (first["host"], first["index"]) == ("web-3", "security")
    assert (first["source"], first["sourcetype"]) == ("amiss", "amiss:incident")
    assert first["fields"] == {"amiss_id": "a-1", "severity": "medium"}
    assert first["event"]["class_uid"] == 2004
    assert second["event"]["activity_id"] == 3


@pytest.mark.parametrize(
    ("status", "answer", "error", "why"),
    [
        (503, {"text": "Server is busy", "code": 9}, Unreachable, "answered 503"),
        (429, {"text": "Server is busy", "code": 26}, Unreachable, "answered 429"),
        (403, {"text": "Invalid token", "code": 4}, Rejected, "answered 403"),
        (400, {"text": "Data channel is missing", "code": 10}, Rejected, "answered 400"),
        (200, {"text": "Incorrect index", "code": 7}, Rejected, "code 7: the token may not"),
        (200, {"hello": "from a proxy"}, Rejected, "not as Splunk does"),
    ],
)
def test_splunk_says_what_became_of_it(
    status: int, answer: dict, error: type[Error], why: str
) -> None:
    with Receiver(status=status, answer=says(answer)) as receiver:
        with pytest.raises(error, match=why) as refused:
            splunk(receiver).send(BOTH, world(TOKEN="hunter2"))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "code", "mendable"),
    [
        (403, 1, True),
        (400, 7, True),
        (200, 7, True),  # as a proxy in between may have it
        (400, 10, True),
        (400, 14, True),
        (400, 6, False),
        (400, 12, False),
        (400, "7" * 99, False),
    ],
)
def test_splunk_that_refuses_settings_is_waited_for(
    status: int, code: object, mendable: bool
) -> None:
    with Receiver(status=status, answer=says({"text": "said", "code": code})) as receiver:
        with pytest.raises(Rejected) as refused:
            splunk(receiver).send(BOTH, world(TOKEN="hunter2"))
    assert refused.value.mendable is mendable


# Sentinel


def azure(request: Request) -> bytes:
    if request.path.endswith("/token"):
        return orjson.dumps({"token_type": "Bearer", "expires_in": 3599, "access_token": "T0K"})
    return b""


def to_sentinel(receiver: Receiver, **said: Any) -> Sentinel:
    given = {"rule": "dcr-1", "tenant": "t-1", "client": "c-1", "secret": "env:SECRET"}
    here = f"http://{receiver.place}"
    return Sentinel(url=here, authority=here, **(given | said))


def test_sentinel_asks_for_a_token_and_sends_rows() -> None:
    with Receiver(answer=azure) as receiver:
        to_sentinel(receiver).send(BOTH, world(SECRET="p&ss wörd"))
        token, rows = receiver.all()
    assert token.path == "/t-1/oauth2/v2.0/token"
    assert parse_qs(token.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["c-1"],
        "client_secret": ["p&ss wörd"],
        "scope": ["https://monitor.azure.com/.default"],
    }
    assert rows.path == "/dataCollectionRules/dcr-1/streams/Custom-Amiss_CL?api-version=2023-01-01"
    assert rows.headers["authorization"] == "Bearer T0K"
    first, second = rows.json
    assert first.pop("Details")["event"]["kind"] == "alert"
    assert first | {"Message": "", "Title": ""} == {
        "TimeGenerated": "2026-03-07T14:03:10Z",
        "EventId": "a-1",
        "IncidentId": "a",
        "Revision": 1,
        "Event": "opened",
        "Severity": "Medium",
        "RiskScore": 47,
        "RuleName": "unusual login",
        "Title": "",
        "Message": "",
        "HostName": "web-3",
        "UserName": "joe",
        "SourceIp": "203.0.113.9",
        "DestinationIp": None,
        "StartTime": "2026-03-07T14:02:10Z",
        "EndTime": None,
    }
    assert second["EndTime"] == second["TimeGenerated"] == "2026-03-07T14:20:10Z"


def test_sentinel_sends_many_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentinel, "MOST", 10_000)
    many = tuple(incident(f"i{n}") for n in range(20))
    with Receiver(answer=azure) as receiver:
        to_sentinel(receiver).send(many, world(SECRET="s"))
        _, *batches = receiver.all()
    assert len(batches) > 2
    assert all(len(batch.body) <= 10_000 for batch in batches)
    assert [row["IncidentId"] for batch in batches for row in batch.json] == [m.id for m in many]


def test_sentinel_waits_as_long_as_it_is_asked_to() -> None:
    with Receiver(status=429, headers={"Retry-After": "30"}) as receiver:
        with pytest.raises(Unreachable) as refused:
            to_sentinel(receiver).send(BOTH, world(SECRET="s"))
    assert refused.value.after == 30


def test_sentinel_without_a_token_is_refused() -> None:
    with Receiver(answer=says({"error": "invalid_client"})) as receiver:
        with pytest.raises(Rejected, match="answered without a token") as refused:
            to_sentinel(receiver).send(BOTH, world(SECRET="s"))
        assert refused.value.mendable
        receiver.status = 400  # as RFC 6749 has it of a client that is not known
        with pytest.raises(Rejected, match="answered 400") as refused:
            to_sentinel(receiver).send(BOTH, world(SECRET="s"))
        assert refused.value.mendable


@pytest.mark.parametrize(
    ("sink", "said", "why"),
    [
        (Elastic, {"url": "https://e", "index": "a/../_all"}, "cannot be part of an address"),
        (Elastic, {"url": "https://e", "api_key": "T0KEN"}, "written env:NAME"),
        (Splunk, {"url": "https://s", "token": "T0KEN"}, "written env:NAME"),
        (Splunk, {"url": "s:8088", "token": "env:T"}, "starts with http:// or https://"),
        (Sentinel, {"url": "https://s", "rule": "a b"}, "cannot be part of an address"),
    ],
)
def test_settings_are_checked_and_secrets_not_repeated(
    sink: type, said: dict[str, str], why: str
) -> None:
    with pytest.raises(ValidationError, match=why) as refused:
        sink(**said)
    assert "T0KEN" not in str(refused.value)
