"""Splunk, by its HTTP Event Collector."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import orjson
from pydantic import ConfigDict, Field

from amiss.component import Sink
from amiss.data import SECOND, Event, Incident
from amiss.errors import Rejected
from amiss.masked import HttpAddress, Reference, hush, reach
from amiss.siem import DOCUMENTS, DocumentFormat
from amiss.siem.facts import facts
from amiss.sinks import answered
from amiss.spans import Span
from amiss.world import World

if TYPE_CHECKING:
    import httpx

SETTINGS = {
    1: "the token is disabled",
    2: "a token is missing",
    3: "the token is not shown as it should be",
    4: "the token is not known there",
    7: "the token may not write to this index, or there is none of that name",
    10: "the token wants acknowledgement, and so a channel: switch that off there",
    11: "the token wants acknowledgement, and so a channel: switch that off there",
    14: "the token has no acknowledgement",
    16: "tokens in addresses are not taken there",
    21: "the token is not known there",
    22: "the token is disabled",
}
"""Codes that are about the settings here or there, whatever the event, in words; Splunk's manual,
"Troubleshoot HTTP Event Collector"."""


class Splunk(Sink):
    """Sends each incident that opens, gets worse or ends as an event.

    The collector says when it has taken an event, not when it is indexed: acknowledgement is not
    asked for, and a token that demands it refuses. An event whose answer was lost comes again,
    with the same indexed field `amiss_id`. Fields: docs/siem.md.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["splunk"] = "splunk"
    url: HttpAddress = Field(examples=["env:AMISS_SPLUNK_URL"])
    """Of the collector, such as https://splunk.example.com:8088."""
    token: Reference = Field(examples=["env:AMISS_SPLUNK_TOKEN"])
    """`env:NAME` or `file:/path` of its token."""
    format: DocumentFormat = "ecs"
    """What the event is."""
    index: str | None = None
    """The index to write to; else the one of the token."""
    source: str = "amiss"
    """What Splunk has as its source."""
    sourcetype: str = "amiss:incident"
    """What Splunk has as its kind."""
    timeout: Span = Field(10 * SECOND, gt=0)
    """How long to wait for an answer."""
    address: str | None = None
    """Where people reach this Amiss, such as https://amiss.example.com, for links."""

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """All in one request, which is taken or refused as a whole. Raises as World.ask."""
        if not incidents:
            return
        hush()
        reply = world.ask(
            "POST",
            f"{reach(self.url, world).rstrip('/')}/services/collector/event",
            content=b"\n".join(self._event(incident, event) for incident in incidents),
            headers={
                "Authorization": f"Splunk {self.token.read(world)}".encode(),
                "Content-Type": b"application/json",
                "User-Agent": b"amiss",
            },
            timeout=self.timeout / SECOND,
            told=_told,
            settings=_settings,
        )
        code = _code(reply)
        if code is None:
            raise Rejected(f"{reply.url.host} answered, but not as Splunk does")
        if code != 0:
            said = f"{reply.url.host} answered {reply.status_code}{_told(reply)}"
            raise Rejected(said, _settings(reply))

    def _event(self, incident: Incident, event: Event | None) -> bytes:
        found = facts(incident, event)
        said = {
            "time": found.at // 1_000_000 / 1000,  # s, to the millisecond
            "host": found.hosts[0] if found.hosts else None,
            "source": self.source,
            "sourcetype": self.sourcetype,
            "index": self.index,
            "event": DOCUMENTS[self.format](incident, event, self.address),
            "fields": {"amiss_id": found.id, "severity": incident.severity},
        }
        return orjson.dumps({name: value for name, value in said.items() if value is not None})


def _code(reply: "httpx.Response") -> int | None:
    code = answered(reply.content).get("code")
    return code if isinstance(code, int) else None


def _settings(reply: "httpx.Response") -> bool:
    return _code(reply) in SETTINGS


def _told(reply: "httpx.Response") -> str:
    code = _code(reply)
    if code is None:
        return ""
    words = SETTINGS.get(code)
    return f" with code {code}" + (f": {words}" if words else "")
