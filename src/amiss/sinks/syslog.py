"""Syslog: one message for each incident, as SIEMs take them in."""

import platform
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self, cast

import orjson
from pydantic import AfterValidator, Field, model_validator

from amiss.component import Sink
from amiss.data import SECOND, Event, Incident, Severity
from amiss.doors.transport import Destination, Protocol, Trust
from amiss.siem import DOCUMENTS, cef
from amiss.siem.facts import facts
from amiss.spans import Span
from amiss.words.message import write_time
from amiss.world import World

PLACE = re.compile(r"(udp|tcp|tls)://([\w.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?/?")
PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
SEVERITIES: dict[Severity, int] = {"low": 5, "medium": 4, "high": 2}
"""Of RFC 5424: notice, warning, critical."""
HOSTNAME = 255  # characters, at most


def _place(url: str) -> str:
    found = PLACE.fullmatch(url)
    if not found or not 0 < int(found[3] or 1) < 65536:
        raise ValueError(f"{url!r} is no such address; write tls://siem.example.com:6514")
    try:
        found[2].strip("[]").encode("idna")
    except UnicodeError:
        raise ValueError(f"{found[2]!r} cannot be the name of a host") from None
    return url


class Syslog(Sink):
    """Sends each incident that opens, gets worse or ends, as a message of RFC 5424.

    Its text is CEF, or JSON in the fields of ECS or OCSF (see docs/siem.md), without a byte order
    mark. Over TCP and TLS messages are framed by their length (RFC 6587, RFC 5425), and one
    counts as told when the receiver has read to the end and closes; what it did not is sent
    again, with the same id in it. Over UDP nobody can know.
    """

    type: Literal["syslog"] = "syslog"
    url: Annotated[str, AfterValidator(_place)] = Field(examples=["tls://siem.example.com:6514"])
    """`udp://`, `tcp://` or `tls://`, host and port; 514 if none is said, of TLS 6514."""
    format: Literal["cef", "ecs", "ocsf"] = "cef"
    """What the text of a message is."""
    facility: int = Field(16, ge=0, le=23)
    """By number; 16 is local0, 13 log audit."""
    authority: Path | None = None
    """Of TLS: a PEM file with the certificates to trust; else those that this machine trusts."""
    certificate: Path | None = None
    """Of TLS: a PEM file with the certificate to show, if the receiver asks for one."""
    key: Path | None = None
    """Of TLS: a PEM file with the key of `certificate`, unless it is in the same file."""
    timeout: Span = Field(10 * SECOND, gt=0)
    """How long to wait for the receiver."""
    address: str | None = None
    """Where people reach this Amiss, such as https://amiss.example.com, for links."""

    @model_validator(mode="after")
    def _secured(self) -> Self:
        if not self.url.startswith("tls://"):
            for name in ("authority", "certificate", "key"):
                if getattr(self, name):
                    raise ValueError(f"{name} is for tls://, and url is {self.url}")
        if self.key and not self.certificate:
            raise ValueError("key belongs to a certificate, and there is none")
        return self

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """All over one connection. Raises as transport.carry."""
        if not incidents:
            return
        protocol, host, port = cast(re.Match[str], PLACE.fullmatch(self.url)).groups()
        to = Destination(
            cast(Protocol, protocol),
            host.strip("[]"),
            int(port or PORTS[protocol]),
            self.timeout / SECOND,
            Trust(self.authority, self.certificate, self.key),
        )
        messages = [self._message(incident, event) for incident in incidents]
        if protocol != "udp":
            messages = [b"%d %b" % (len(message), message) for message in messages]
        world.carry(to, messages)

    def _message(self, incident: Incident, event: Event | None) -> bytes:
        found = facts(incident, event)
        grave = SEVERITIES["low" if found.event == "resolved" else incident.severity]
        at = write_time(found.at // 1000 * 1000)  # six digits of a second are allowed
        head = f"<{self.facility * 8 + grave}>1 {at} {_host()} amiss - {found.event} -"
        if self.format == "cef":
            text = cef(incident, event, self.address).encode()
        else:
            text = orjson.dumps(DOCUMENTS[self.format](incident, event, self.address))
        return head.encode() + b" " + text


def _host() -> str:
    """What this machine calls itself, in the letters that are allowed; `-` if nothing."""
    name = "".join(c for c in platform.node() if "!" <= c <= "~")
    return name[:HOSTNAME] or "-"
