"""An incident in the Elastic Common Schema. Pure.

Fields and their allowed values: https://www.elastic.co/docs/reference/ecs. What the schema has no
field for stands under `amiss`.
"""

from typing import Any

from amiss.data import Event, Incident
from amiss.siem.facts import facts
from amiss.words.message import as_json, compose, write_time

VERSION = "8.11.0"


def ecs(
    incident: Incident, told: Event | None = None, address: str | None = None
) -> dict[str, Any]:
    """One alert: what JSON can hold, with nothing empty in it.

    `event.id` is the same when the revision comes again; `rule.uuid` is not given, as detectors
    have none. `address` is where people reach this Amiss.
    """
    found = facts(incident, told)
    said = as_json(incident)
    page = f"{address.rstrip('/')}/dashboard/incident?id={incident.id}" if address else None
    event = {
        "kind": "alert",
        "category": ["intrusion_detection" if found.security else "host"],
        "type": ["info"],
        "action": found.event,
        "id": found.id,
        "module": "amiss",
        "dataset": "amiss.incident",
        "provider": "amiss",
        "severity": found.risk,
        "risk_score": float(found.risk),
        "reason": incident.sentence,
        "start": write_time(incident.since),
        "end": said["until"],
        "duration": None if incident.until is None else incident.until - incident.since,
        "url": page,
    }
    related = {
        "hosts": list(found.hosts),
        "user": list(found.users),
        "ip": list(dict.fromkeys(found.sources + found.destinations)),
    }
    document = {
        "@timestamp": write_time(found.at),
        "ecs": {"version": VERSION},
        "message": compose(incident, found.at, event=found.event, template="$sentence").title,
        "event": event,
        "rule": {"name": found.rule, "category": "anomaly"},
        "host": {"name": found.hosts[0]} if found.hosts else None,
        "user": {"name": found.users[0]} if found.users else None,
        "source": {"ip": found.sources[0]} if found.sources else None,
        "destination": {"ip": found.destinations[0]} if found.destinations else None,
        "related": related,
        "observer": {"vendor": "Amiss", "product": "Amiss", "type": "anomaly detection"},
        "log": {"level": incident.severity},
        "tags": ["amiss", found.event],
        "amiss": {
            name: said[name]
            for name in (
                "id", "revision", "state", "severity", "score", "p", "rarity", "watched",
                "breadth", "system", "members", "evidence",
            )
        },
    }  # fmt: skip
    return dict(filled(document))


def filled(value: Any) -> Any:
    """The same without what is empty: no value, no text, an object or a list with nothing in it."""
    if isinstance(value, dict):
        kept = {name: filled(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each not in (None, "", {}, [])}
    if isinstance(value, list | tuple):
        return [filled(each) for each in value]
    return value
