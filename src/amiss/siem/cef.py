r"""An incident in the Common Event Format (ArcSight, version 0 of the format). Pure.

    CEF:0|vendor|product|version|what was found|title|severity 0 to 10|key=value key=value ...

In the head `\` and `|` are escaped with `\`, in values `\` and `=`; line breaks of values are
written `\n`, those of the head are spaces. Keys and their lengths are those of the format's
dictionary; a value that is longer is cut.
"""

from ipaddress import ip_address

from amiss.data import Event, Incident, Severity
from amiss.siem.facts import facts, program_version

SEVERITIES: dict[Severity, int] = {"low": 3, "medium": 6, "high": 8}
"""Which the format calls low (0 to 3), medium (4 to 6) and high (7 and 8)."""
LENGTHS = {
    "externalId": 40, "act": 63, "cat": 1023, "dhost": 1023, "suser": 1023, "msg": 1023,
    "reason": 1023, "request": 1023, "cs1": 4000, "cs2": 4000,
}  # fmt: skip
NAME = 512
WHAT = 1023


def cef(incident: Incident, told: Event | None = None, address: str | None = None) -> str:
    """One line, without a line break. `address` is where people reach this Amiss."""
    found = facts(incident, told)
    said: dict[str, str] = {
        "rt": _ms(found.at),
        "start": _ms(incident.since),
        "end": "" if incident.until is None else _ms(incident.until),
        "externalId": found.id,
        "act": found.event,
        "cat": "anomaly",
        "dhost": found.hosts[0] if found.hosts else "",
        "suser": found.users[0] if found.users else "",
        **_address("src", "c6a2", "Source IPv6 Address", found.sources),
        **_address("dst", "c6a3", "Destination IPv6 Address", found.destinations),
        "cnt": str(incident.breadth),
        "request": f"{address.rstrip('/')}/dashboard/incident?id={incident.id}" if address else "",
        "msg": incident.sentence,
        "cs1Label": "members",
        "cs1": "; ".join(member.series for member in incident.members),
        "cs2Label": "incident",
        "cs2": incident.id,
        "cn1Label": "risk",
        "cn1": str(found.risk),
    }
    head = ("Amiss", "Amiss", program_version(), found.rule[:WHAT], incident.title[:NAME])
    pairs = (f"{key}={_value(key, text)}" for key, text in said.items() if text)
    grave = SEVERITIES[incident.severity]
    return f"CEF:0|{'|'.join(map(_head, head))}|{grave}|{' '.join(pairs)}"


def _address(four: str, six: str, label: str, found: tuple[str, ...]) -> dict[str, str]:
    """The format has keys of their own for addresses of version 6."""
    if not found:
        return {}
    if ip_address(found[0]).version == 4:
        return {four: found[0]}
    return {f"{six}Label": label, six: found[0]}


def _head(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line.replace("\\", "\\\\").replace("|", "\\|")


def _value(key: str, text: str) -> str:
    text = text[: LENGTHS.get(key, NAME)]
    text = "".join(c if c.isprintable() or c in "\r\n" else " " for c in text)
    text = text.replace("\\", "\\\\").replace("=", "\\=")
    return text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\r")


def _ms(ns: int) -> str:
    return str(ns // 1_000_000)
