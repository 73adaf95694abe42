"""An incident as a Detection Finding of the Open Cybersecurity Schema Framework. Pure.

Class 2004 of https://schema.ocsf.io/1.3.0/classes/detection_finding. Times are ms since 1970.
"""

from typing import Any

from amiss.data import Event, Incident, Severity
from amiss.siem.ecs import filled
from amiss.siem.facts import Facts, facts, program_version
from amiss.words.message import as_json

SCHEMA = "1.3.0"
CATEGORY, CLASS = 2, 2004
ACTIVITIES: dict[Event, tuple[int, str]] = {
    "opened": (1, "Create"),
    "worse": (2, "Update"),
    "resolved": (3, "Close"),
}
SEVERITIES: dict[Severity, tuple[int, str]] = {
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
}
HOSTNAME, IP, USER = 1, 2, 4  # type_id of an observable
RULE, LEARNING = 1, 4  # type_id of an analytic


def ocsf(
    incident: Incident, told: Event | None = None, address: str | None = None
) -> dict[str, Any]:
    """One finding: what JSON can hold, with all attributes that the class requires.

    `finding_info.uid` is the same for all revisions of an incident, `metadata.uid` for a revision
    that comes again. `address` is where people reach this Amiss.
    """
    found, said = facts(incident, told), as_json(incident)
    activity, activity_name = ACTIVITIES[found.event]
    severity, severity_name = SEVERITIES[incident.severity]
    closed = found.event == "resolved"
    ruled = any(member.rules for member in incident.members)
    finding = {
        "uid": incident.id,
        "title": incident.title,
        "desc": incident.sentence,
        "types": ["anomaly"],
        "created_time": _ms(incident.since),
        "first_seen_time": _ms(incident.since),
        "last_seen_time": _ms(incident.seen),
        "src_url": f"{address.rstrip('/')}/dashboard/incident?id={incident.id}" if address else "",
        "analytic": {
            "name": found.rule,
            "type_id": RULE if ruled else LEARNING,
            "type": "Rule" if ruled else "Learning (ML/DL)",
        },
    }
    document = {
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": CLASS * 100 + activity,
        "type_name": f"Detection Finding: {activity_name}",
        "severity_id": severity,
        "severity": severity_name,
        "status_id": 4 if closed else 1,
        "status": "Resolved" if closed else "New",
        "is_alert": not closed,
        "risk_score": found.risk,
        "time": _ms(found.at),
        "start_time": _ms(incident.since),
        "end_time": None if incident.until is None else _ms(incident.until),
        "message": incident.sentence,
        "metadata": {
            "version": SCHEMA,
            "uid": found.id,
            "event_code": found.event,
            "product": {"name": "Amiss", "vendor_name": "Amiss", "version": program_version()},
        },
        "finding_info": finding,
        "resources": [{"name": host, "type": "host"} for host in found.hosts],
        "observables": _observables(found),
        "evidences": [filled(_evidence(found, said))],
    }
    return dict(filled(document))


def _evidence(found: Facts, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": {
            name: said[name]
            for name in (
                "revision", "score", "p", "rarity", "watched", "breadth", "members", "evidence",
            )
        },
        "actor": {"user": {"name": found.users[0]}} if found.users else None,
        "device": {"hostname": found.hosts[0], "type_id": 0} if found.hosts else None,
        "src_endpoint": {"ip": found.sources[0]} if found.sources else None,
        "dst_endpoint": {"ip": found.destinations[0]} if found.destinations else None,
    }  # fmt: skip


def _observables(found: Facts) -> list[dict[str, Any]]:
    kinds = (
        ("device.hostname", HOSTNAME, "Hostname", found.hosts),
        ("actor.user.name", USER, "User Name", found.users),
        ("src_endpoint.ip", IP, "IP Address", found.sources),
        ("dst_endpoint.ip", IP, "IP Address", found.destinations),
    )
    return [
        {"name": f"evidences[].{name}", "type_id": number, "type": kind, "value": value}
        for name, number, kind, values in kinds
        for value in values
    ]


def _ms(ns: int) -> int:
    return ns // 1_000_000
