"""A topic of Apache Kafka."""

from collections.abc import Sequence
from typing import Literal

import orjson
from pydantic import Field

from amiss.component import Sink
from amiss.data import SECOND, Event, Incident
from amiss.reading.cluster import Cluster
from amiss.spans import Span
from amiss.words.message import as_json, event_of
from amiss.world import World


class Kafka(Cluster, Sink):
    """One message per incident that opens, gets worse or ends: `event`, then the incident.

    The key is the id of the incident, so that all that is said of it is in one partition, in
    order. Fields are those of the lines of `jsonl`. A message counts as told when all replicas in
    sync have it; one whose acknowledgement was lost in a crash comes again, with the same `id` and
    `revision`.
    """

    type: Literal["kafka"] = "kafka"
    topic: str = Field(min_length=1, examples=["incidents"])
    """Where to; it has to be there, unless brokers make topics by themselves."""
    timeout: Span = Field(10 * SECOND, gt=0)
    """How long to wait for the acknowledgement."""

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """Publish. Raises Unreachable, or Rejected for what is too large for a message."""
        messages = [
            (
                incident.id.encode(),
                orjson.dumps({"event": event_of(incident, event), **as_json(incident)}),
            )
            for incident in incidents
        ]
        if messages:
            world.publish(self.joining(world), self.topic, messages, self.timeout / SECOND)
