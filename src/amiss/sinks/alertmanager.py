"""Alertmanager of Prometheus, and what takes its alerts: version 2 of its API."""

from collections.abc import Sequence
from typing import Any, Literal

import orjson
from pydantic import ConfigDict, Field

from amiss.component import Sink
from amiss.data import DAY, SECOND, Event, Incident, parse_key
from amiss.exposed import clean
from amiss.masked import HttpAddress, hush, reach
from amiss.reading.access import Access
from amiss.spans import Span
from amiss.words.message import SEVERITIES, compose, event_of, page_of, write_time
from amiss.world import World


class Alertmanager(Sink):
    """Posts each incident as an alert that fires, and ends when the incident does.

    Labels: `alertname`, `severity`, `incident` (its id) and those of the system, such as `host`,
    by which routes group and silence; label names as on /metrics. Annotations: `summary`,
    `description`, `event`, `series` and `evidence`. An incident that gets worse ends the alert of
    its lower severity, since other labels are another alert. What comes twice is the same alert.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["alertmanager"] = "alertmanager"
    url: HttpAddress = Field(examples=["env:AMISS_ALERTMANAGER_URL"])
    """Where it is, such as http://alertmanager:9093, without /api/v2."""
    alertname: str = "Amiss"
    """The label of that name."""
    labels: dict[str, str] = Field(default={})
    """More labels, such as `team: web`; they go before those of the system."""
    lasts: Span = Field(DAY, gt=0)
    """How long an alert fires if nothing more is heard of it, as when Amiss has gone for good.
    More than `settle` of the pipelines: an incident that goes on is not told again."""
    timeout: Span = Field(10 * SECOND, gt=0)
    """How long to wait for an answer."""
    access: Access = Access()
    """Password, token, certificates."""
    address: str | None = None
    """Where people reach this Amiss, such as https://amiss.example.com, for links."""

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """Post one after the other. Raises as World.ask; ConfigError without the secret."""
        hush()
        url = reach(self.url, world).rstrip("/")
        for incident in incidents:
            asking = self.access.asking(world)
            asking["headers"]["Content-Type"] = "application/json"
            world.ask(
                "POST",
                f"{url}/api/v2/alerts",
                content=orjson.dumps(self._alerts(incident, world.now(), event)),
                timeout=self.timeout / SECOND,
                **asking,
            )

    def _alerts(self, incident: Incident, now: int, event: Event | None) -> list[dict[str, Any]]:
        over, kind = incident.until, event_of(incident, event)
        said = compose(incident, now, self.address, event=event)
        annotations = {
            "summary": said.title,
            "description": said.body,
            "event": kind,
            "series": "; ".join(member.series for member in incident.members),
            "evidence": "; ".join(incident.evidence),
        }
        ends = over if over is not None else now + self.lasts
        alert = {
            "labels": self._labels(incident, incident.severity),
            "annotations": {name: text for name, text in annotations.items() if text},
            "startsAt": write_time(incident.since),
            "endsAt": write_time(max(ends, incident.since)),
        }
        if page := page_of(incident, self.address):
            alert["generatorURL"] = page
        if kind == "opened":
            return [alert]
        before = SEVERITIES[: SEVERITIES.index(incident.severity)]
        past = {"endsAt": write_time(max(incident.since, min(ends, now)))}
        return [alert, *(alert | past | {"labels": self._labels(incident, s)} for s in before)]

    def _labels(self, incident: Incident, severity: str) -> dict[str, str]:
        of = parse_key(f"x{{{incident.system}}}")[1] | self.labels
        own = {"alertname": self.alertname, "severity": severity, "incident": incident.id}
        return {name: text for name, text in clean(of).items() if text} | own
