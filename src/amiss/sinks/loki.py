"""Grafana Loki: incidents as lines, to be shown beside those they are about."""

import re
from collections.abc import Sequence
from typing import Literal

import orjson
from pydantic import ConfigDict, Field, field_validator

from amiss.component import Sink
from amiss.data import SECOND, Event, Incident
from amiss.masked import HttpAddress, hush, reach
from amiss.reading.access import Access
from amiss.reading.shipped import told
from amiss.spans import Span
from amiss.words.message import as_json, event_of
from amiss.world import World

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OWN = ("event", "severity")
MOST = 10  # labels: Loki takes 15, and each value of each is a stream


class Loki(Sink):
    """Writes each incident that opens, gets worse or ends as a line of JSON.

    The line is that of sink `jsonl`, its time that at which the incident was seen last, or ended.
    The labels of its stream are `labels`, `event` and `severity`. Loki keeps a line once that
    comes again with equal time and labels, as after a lost answer. A line much older than others
    of its stream (an hour, unless Loki is told otherwise) it refuses for good.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["loki"] = "loki"
    url: HttpAddress = Field(examples=["env:AMISS_LOKI_URL"])
    """Where Loki is: an address such as http://127.0.0.1:3100, or `env:NAME` or `file:/path`."""
    access: Access = Access()
    """Password, token, tenant, certificates, if it asks for such."""
    labels: dict[str, str] = Field({"job": "amiss"})
    """Labels of all lines: few, and always the same."""
    timeout: Span = Field(10 * SECOND, gt=0)
    """How long to wait for an answer."""

    @field_validator("labels")
    @classmethod
    def _labels(cls, labels: dict[str, str]) -> dict[str, str]:
        if len(labels) > MOST:
            raise ValueError(f"{MOST} labels at most")
        for name in labels:
            if not NAME.fullmatch(name) or name in OWN:
                raise ValueError(f"{name[:60]!r} cannot be a label; write letters, digits and _")
        return labels

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """One request each, as Loki may refuse one and take the next. Raises as World.ask."""
        hush()
        url = reach(self.url, world).rstrip("/")
        for incident in incidents:
            what = event_of(incident, event)
            at = incident.seen if incident.until is None else incident.until
            line = orjson.dumps({"event": what, **as_json(incident)}).decode()
            stream = self.labels | {"event": what, "severity": incident.severity}
            said = {"streams": [{"stream": stream, "values": [[str(at), line]]}]}
            known = self.access.asking(world)
            known["headers"]["Content-Type"] = "application/json"
            world.ask(
                "POST",
                f"{url}/loki/api/v1/push",
                content=orjson.dumps(said),
                timeout=self.timeout / SECOND,
                told=told,
                **known,
            )
