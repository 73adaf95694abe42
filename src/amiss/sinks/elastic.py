"""Elasticsearch, Elastic Security, OpenSearch: alerts in ECS by the bulk API."""

from collections.abc import Sequence
from typing import Any, Literal

import orjson
from pydantic import ConfigDict, Field

from amiss.component import Sink
from amiss.data import SECOND, Event, Incident
from amiss.errors import Rejected, Unreachable
from amiss.masked import HttpAddress, Reference, hush, reach
from amiss.siem import Word, ecs
from amiss.sinks import answered
from amiss.spans import Span
from amiss.world import SETTINGS, World

CONFLICT = 409  # a document with this id is there: it was taken when it came first
LONGEST = 200  # characters of what the server says of a document


class Elastic(Sink):
    """Writes each incident that opens, gets worse or ends as an alert in the fields of ECS.

    Documents are created (never changed) with the id of their revision, so one that comes twice
    is there once; that holds within the index that is written to, and so until a data stream is
    rolled over. Each document's own answer is read: one that the index refuses is refused, one
    that it has no room for now is sent again. Fields: docs/siem.md.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["elastic"] = "elastic"
    url: HttpAddress = Field(examples=["env:AMISS_ELASTIC_URL"])
    """Of the cluster, such as https://elastic.example.com:9200."""
    index: Word = "logs-amiss-default"
    """The data stream or index to write to."""
    api_key: Reference | None = Field(None, examples=["env:AMISS_ELASTIC_KEY"])
    """`env:NAME` or `file:/path` of the API key, as it is given out (base64)."""
    timeout: Span = Field(10 * SECOND, gt=0)
    """How long to wait for an answer."""
    address: str | None = None
    """Where people reach this Amiss, such as https://amiss.example.com, for links."""

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """All in one request. Raises as World.ask, and for what is said of single documents."""
        if not incidents:
            return
        hush()
        lines = []
        for incident in incidents:
            document = ecs(incident, event, self.address)
            action = {"create": {"_index": self.index, "_id": document["event"]["id"]}}
            lines += [orjson.dumps(action), orjson.dumps(document)]
        headers = {"Content-Type": "application/x-ndjson", "User-Agent": "amiss"}
        if self.api_key:
            headers["Authorization"] = f"ApiKey {self.api_key.read(world)}"
        reply = world.ask(
            "POST",
            f"{reach(self.url, world).rstrip('/')}/_bulk",
            content=b"\n".join([*lines, b""]),
            headers={name: value.encode() for name, value in headers.items()},
            timeout=self.timeout / SECOND,
        )
        _check(answered(reply.content).get("items"), len(incidents), str(reply.url.host))


def _check(items: Any, sent: int, host: str) -> None:
    """Raises Unreachable if a document is to be sent again, else Rejected if one was refused."""
    if not isinstance(items, list) or len(items) != sent:
        raise Rejected(f"{host} answered, but not as Elasticsearch does")
    answers = [item.get("create") if isinstance(item, dict) else None for item in items]
    said = [answer if isinstance(answer, dict) else {} for answer in answers]
    wrong = [one for one in said if not _taken(one)]
    for_now = [one for one in wrong if _status(one) == 429 or _status(one) >= 500]
    if for_now:
        raise Unreachable(f"{host}: {_why(for_now[0])}")
    if wrong:
        mendable = next((one for one in wrong if _status(one) in SETTINGS), None)
        raise Rejected(f"{host}: {_why(mendable or wrong[0])}", mendable is not None)


def _taken(one: dict[str, Any]) -> bool:
    return 200 <= _status(one) < 300 or _status(one) == CONFLICT


def _status(one: dict[str, Any]) -> int:
    status = one.get("status")
    return status if isinstance(status, int) else 0


def _why(one: dict[str, Any]) -> str:
    error = one.get("error")
    error = error if isinstance(error, dict) else {}
    said = f"{error.get('type', 'no reason given')}: {error.get('reason', '')}".rstrip(": ")
    return f"{' '.join(said.split())[:LONGEST]} ({_status(one)})"
