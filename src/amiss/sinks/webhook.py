"""Any HTTP address that takes JSON."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

import orjson
from pydantic import ConfigDict, Field

from amiss.component import Sink
from amiss.data import SECOND, Event, Incident
from amiss.masked import Hidden, HttpAddress, Reference, hush, reach
from amiss.sinks import Template
from amiss.spans import Span
from amiss.words.message import as_json, compose, event_of
from amiss.world import World


class Webhook(Sink):
    """Posts each incident that opens, gets worse or ends.

    The body is {"event": "opened" | "worse" | "resolved", "title": "...", "body": "...",
    "incident": {...}}, the last with the same fields as the lines of `jsonl`. The header
    `Idempotency-Key: <id>/<revision>` is the same when the same is posted again because an
    answer was lost. With `sign`, the header `X-Amiss-Signature: sha256=<hex>` is the
    HMAC-SHA256 of the body. Any 2xx is success; redirects are not followed.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["webhook"] = "webhook"
    url: HttpAddress = Field(examples=["env:AMISS_WEBHOOK_URL"])
    """Where to post: `env:NAME` or `file:/path` of the address, or the address if no secret."""
    headers: dict[str, Hidden] = Field(default={}, examples=[{"Authorization": "env:AMISS_AUTH"}])
    """More headers; a value may be `env:NAME` or `file:/path`."""
    sign: Reference | None = None
    """`env:NAME` or `file:/path` of the secret to sign with."""
    timeout: Span = Field(10 * SECOND, gt=0)
    """How long to wait for an answer."""
    template: Template | None = None
    """The words of `title` and `body`, inline or `file:/path`; the first line is the title,
    the rest the body. Fields: $title $sentence $severity $since $until $duration $rarity
    $members $evidence $address $state $id."""
    address: str | None = None
    """Where people reach this Amiss, such as https://amiss.example.com, for $address."""

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """Post one after the other. Raises as World.ask; ConfigError without the secret."""
        hush()
        url = reach(self.url, world)
        for incident in incidents:
            said = compose(incident, world.now(), self.address, self.template, event=event)
            body = orjson.dumps(
                {
                    "event": event_of(incident, event),
                    "title": said.title,
                    "body": said.body,
                    "incident": as_json(incident),
                }
            )
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "amiss",
                "Idempotency-Key": f"{incident.id}/{incident.revision}",
            }
            headers |= {name: value.read(world) for name, value in self.headers.items()}
            if self.sign:
                mac = hmac.new(self.sign.read(world).encode(), body, hashlib.sha256)
                headers["X-Amiss-Signature"] = f"sha256={mac.hexdigest()}"
            world.ask(
                "POST",
                url,
                content=body,
                headers={name: value.encode() for name, value in headers.items()},
                timeout=self.timeout / SECOND,
            )
