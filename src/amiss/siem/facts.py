"""What security systems ask of every event: who, where from, on what, how grave. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

from amiss.addresses import is_address
from amiss.data import Event, Incident, Severity, parse_key
from amiss.words.message import event_of

HOSTS = ("host", "host.name", "hostname", "instance", "node", "computer")
USERS = ("user", "user.name", "username", "user_name", "account")
SOURCES = (
    "source.ip", "source_ip", "src_ip", "src", "client_ip", "client", "remote_addr", "ip",
    "id.orig_h",
)  # fmt: skip
DESTINATIONS = (
    "destination.ip", "destination_ip", "dest_ip", "dst_ip", "dst", "id.resp_h",
)  # fmt: skip
RISK: dict[Severity, int] = {"low": 21, "medium": 47, "high": 73}
"""Of 100: what Elastic Security gives alerts of these severities unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one revision of an incident. Names and addresses: of the system first, each once."""

    event: Event
    id: str  # of the revision: the same when it comes again
    at: int  # ns: when it was seen last, or ended
    rule: str  # what found it, the same for all incidents of a kind
    risk: int  # of 100
    security: bool  # whether it concerns a user, an address or a rule of a person
    hosts: tuple[str, ...]
    users: tuple[str, ...]
    sources: tuple[str, ...]  # addresses
    destinations: tuple[str, ...]


def facts(incident: Incident, told: Event | None = None) -> Facts:
    """Read off the labels of the system and its members; `told` as in message.event_of."""
    first = incident.members[0] if incident.members else None
    names = [rule for member in incident.members for rule in member.rules]
    series = parse_key(first.series)[0] if first else ""
    labels = [parse_key(f"x{{{incident.system}}}")[1]]
    labels += [parse_key(member.series)[1] for member in incident.members]
    users, sources = _named(labels, USERS), _addresses(labels, SOURCES)
    destinations = _addresses(labels, DESTINATIONS)
    return Facts(
        event=event_of(incident, told),
        id=f"{incident.id}-{incident.revision}",
        at=incident.seen if incident.until is None else incident.until,
        rule=names[0] if names else f"unusual {series}".strip(),
        risk=RISK[incident.severity],
        security=bool(names or users or sources or destinations),
        hosts=tuple(dict.fromkeys(map(_portless, _named(labels, HOSTS)))),
        users=users,
        sources=sources,
        destinations=destinations,
    )


@cache
def program_version() -> str:
    """Which Amiss says it."""
    return version("amiss")


def _named(labels: Iterable[Mapping[str, str]], names: tuple[str, ...]) -> tuple[str, ...]:
    found = (said[name] for said in labels for name in names if said.get(name))
    return tuple(dict.fromkeys(found))


def _addresses(labels: Iterable[Mapping[str, str]], names: tuple[str, ...]) -> tuple[str, ...]:
    """Fields of SIEMs that want an address refuse a name."""
    return tuple(text for text in _named(labels, names) if is_address(text))


def _portless(host: str) -> str:
    """web-3 of web-3:9100, as Prometheus writes instances."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and ":" not in name else host
