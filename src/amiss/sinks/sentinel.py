"""Microsoft Sentinel, by the Logs Ingestion API of Azure Monitor."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import orjson
from pydantic import ConfigDict, Field

from amiss.component import Sink
from amiss.data import SECOND, Event, Incident
from amiss.errors import Rejected
from amiss.masked import Hidden, HttpAddress, Reference, hush, reach
from amiss.siem import DOCUMENTS, DocumentFormat, Word
from amiss.siem.facts import facts
from amiss.sinks import answered
from amiss.spans import Span
from amiss.words.message import write_time
from amiss.world import World

VERSION = "2023-01-01"
SCOPE = "https://monitor.azure.com/.default"
MOST = 1_000_000  # bytes of one request that the service takes


class Sentinel(Sink):
    """Sends each incident that opens, gets worse or ends as a row of a custom table.

    A token is asked for with each request (OAuth 2.0, client credentials) and kept nowhere. Rows
    have the columns of docs/siem.md, where the data collection rule stands too; `EventId` is the
    same if a row comes again because an answer was lost.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["sentinel"] = "sentinel"
    url: HttpAddress = Field(examples=["env:AMISS_SENTINEL_URL"])
    """The endpoint of logs ingestion, such as https://amiss-ab12.westeurope-1.ingest.monitor.azure.com."""
    rule: Word = Field(examples=["dcr-00000000000000000000000000000000"])
    """The immutable id of the data collection rule."""
    stream: Word = "Custom-Amiss_CL"
    """The stream of that rule."""
    tenant: Word = Field(examples=["00000000-0000-0000-0000-000000000000"])
    """The directory in which the application is registered."""
    client: str = Field(examples=["00000000-0000-0000-0000-000000000000"])
    """The id of the application; it needs the role Monitoring Metrics Publisher on the rule."""
    secret: Reference = Field(examples=["env:AMISS_SENTINEL_SECRET"])
    """`env:NAME` or `file:/path` of a secret of the application."""
    authority: HttpAddress = Field(
        Hidden("https://login.microsoftonline.com"), examples=["env:AMISS_SENTINEL_AUTHORITY"]
    )
    """Who gives out tokens; another one in sovereign clouds."""
    scope: str = SCOPE
    """What the token is for; another one in sovereign clouds."""
    format: DocumentFormat = "ecs"
    """What the column `Details` is."""
    timeout: Span = Field(10 * SECOND, gt=0)
    """How long to wait for an answer."""
    address: str | None = None
    """Where people reach this Amiss, such as https://amiss.example.com, for links."""

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """In batches of a megabyte. Raises as World.ask, of the token and of the rows."""
        if not incidents:
            return
        hush()
        where = (
            f"{reach(self.url, world).rstrip('/')}/dataCollectionRules/{self.rule}"
            f"/streams/{self.stream}?api-version={VERSION}"
        )
        token = self._token(world)
        for batch in _batches([orjson.dumps(self._row(one, event)) for one in incidents]):
            world.ask(
                "POST",
                where,
                content=batch,
                headers={
                    "Authorization": f"Bearer {token}".encode(),
                    "Content-Type": b"application/json",
                    "User-Agent": b"amiss",
                },
                timeout=self.timeout / SECOND,
            )

    def _token(self, world: World) -> str:
        try:
            reply = world.ask(
                "POST",
                f"{reach(self.authority, world).rstrip('/')}/{self.tenant}/oauth2/v2.0/token",
                data={
                    "grant_type": "client_credentials",
                    "client_id": self.client,
                    "client_secret": self.secret.read(world),
                    "scope": self.scope,
                },
                timeout=self.timeout / SECOND,
            )
        except Rejected as exc:  # of a request that is the same whatever the incident
            raise Rejected(str(exc), mendable=True) from None
        token = answered(reply.content).get("access_token")
        if not isinstance(token, str) or not token:
            raise Rejected(f"{reply.url.host} answered without a token", mendable=True)
        return token

    def _row(self, incident: Incident, event: Event | None) -> dict[str, Any]:
        found = facts(incident, event)
        return {
            "TimeGenerated": write_time(found.at),
            "EventId": found.id,
            "IncidentId": incident.id,
            "Revision": incident.revision,
            "Event": found.event,
            "Severity": incident.severity.capitalize(),
            "RiskScore": found.risk,
            "RuleName": found.rule,
            "Title": incident.title,
            "Message": incident.sentence,
            "HostName": next(iter(found.hosts), None),
            "UserName": next(iter(found.users), None),
            "SourceIp": next(iter(found.sources), None),
            "DestinationIp": next(iter(found.destinations), None),
            "StartTime": write_time(incident.since),
            "EndTime": None if incident.until is None else write_time(incident.until),
            "Details": DOCUMENTS[self.format](incident, event, self.address),
        }


def _batches(rows: Sequence[bytes]) -> Iterator[bytes]:
    """Arrays of rows, in order, none of more than MOST bytes unless one row is."""
    some, size = list[bytes](), 2
    for row in rows:
        if some and size + len(row) + 1 > MOST:
            yield b"[" + b",".join(some) + b"]"
            some, size = [], 2
        some.append(row)
        size += len(row) + 1
    if some:
        yield b"[" + b",".join(some) + b"]"
