"""The words that go out: an incident as a title and a text, or as JSON. Pure."""

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from math import isfinite
from typing import Any
from urllib.parse import quote

from amiss.data import DAY, SECOND, Event, Incident, parse_key
from amiss.words.template import WORDS, fill
from amiss.words.units import write_days
from amiss.words.wording import observed, rare

SEVERITIES = ("low", "medium", "high")
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # colours and cursor movements
LONGEST = 300  # characters of one field: a log line may be evidence


@dataclass(frozen=True, slots=True)
class Message:
    """What a person is told."""

    title: str
    body: str


def telling(previous: Incident | None, now: Incident) -> Event | None:
    """Whether a revision is worth telling to one who was last told `previous`, and as what.

    The opening and the end are, once; in between, only a higher severity, twice as many members,
    or a rule of theirs that did not hold before. One who never heard of an incident that is over
    hears of its end.
    """
    if previous is None:
        return "resolved" if now.state == "resolved" else "opened"
    if now.revision <= previous.revision:
        return None
    if previous.state == "resolved":
        return "opened" if now.state == "open" else None
    if now.state == "resolved":
        return "resolved"
    graver = SEVERITIES.index(now.severity) > SEVERITIES.index(previous.severity)
    graver = graver or bool(_rules(now) - _rules(previous))
    return "worse" if graver or now.breadth >= 2 * previous.breadth else None


def _rules(incident: Incident) -> set[str]:
    return {rule for member in incident.members for rule in member.rules}


def event_of(incident: Incident, told: Event | None = None) -> Event:
    """What a revision is `told` as; without that, what it is to one who heard all before it."""
    if told is not None:
        return told
    if incident.state == "resolved":
        return "resolved"
    return "opened" if incident.revision == 1 else "worse"


def compose(
    incident: Incident,
    now: int,
    address: str | None = None,
    template: str | None = None,
    zone: tzinfo | None = None,
    event: Event | None = None,
) -> Message:
    """Title and body. `now` is ns; `address` is where people reach this Amiss.

    Times are written for `zone`, or where this machine stands. `template` must have passed
    `template.check_template`. `event` as in `event_of`.
    """
    fields = _fields(incident, now, address, zone, event_of(incident, event))
    said = {name: _plain(text) for name, text in fields.items()}
    title, _, body = fill(WORDS if template is None else template, said).partition("\n")
    return Message(title.strip() or said["title"], body.strip("\n"))


def as_json(incident: Incident) -> dict[str, Any]:
    """What JSON can hold of an incident: times in RFC 3339 UTC, numbers that are none as null.

    `score` is in nats; `rarity` and `watched` are in days.
    """
    said = asdict(incident)
    said["members"] = [asdict(member) for member in incident.members]
    members = said["members"]
    for each in (said, *members, *(one for member in members for one in member["blamed"])):
        for name, value in each.items():
            if name in ("since", "seen", "until", "at") and value is not None:
                each[name] = write_time(value)
            elif isinstance(value, float) and not isfinite(value):
                each[name] = None
    return said


def page_of(incident: Incident, address: str | None) -> str:
    """Its page, where people reach this Amiss; "" if that is not known."""
    return f"{address.rstrip('/')}/dashboard/incident?id={quote(incident.id)}" if address else ""


def write_time(ns: int) -> str:
    """RFC 3339 in UTC: 2026-03-07T14:02:10Z, with a fraction where there is one."""
    seconds, rest = divmod(ns, SECOND)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0") + "Z" if rest else f"{text}Z"


def _fields(
    incident: Incident, now: int, address: str | None, zone: tzinfo | None, kind: Event
) -> dict[str, str]:
    over, system = incident.until, parse_key(f"x{{{incident.system}}}")[1]
    duration = _span((now if over is None else over) - incident.since)
    title = f"{incident.title} ({incident.severity})"
    if kind != "opened":
        title = f"{'worse' if kind == 'worse' else f'resolved after {duration}'}: {title}"
    return {
        "title": f"amiss: {title}",
        "sentence": incident.sentence,
        "severity": incident.severity,
        "since": _when(incident.since, now, zone),
        "until": "" if over is None else _when(over, now, zone),
        "duration": duration,
        "rarity": _rarity(incident),
        "members": "; ".join(observed(member, system) for member in incident.members[1:4]),
        "evidence": incident.evidence[0] if incident.evidence else "",
        "address": page_of(incident, address),
        "state": incident.state,
        "id": incident.id,
    }


def _rarity(incident: Incident) -> str:
    if not isfinite(incident.rarity) or incident.rarity <= 0:
        return ""
    return rare(incident.rarity, incident.watched, incident.since, None)


def _span(ns: int) -> str:
    return write_days(max(ns, 0) / DAY)


def _when(ns: int, now: int, zone: tzinfo | None) -> str:
    at = datetime.fromtimestamp(ns // SECOND, UTC).astimezone(zone)
    ago = "just now" if abs(now - ns) < SECOND else f"{_span(now - ns)} ago"
    return f"{at:%a} {at.day} {at:%b %H:%M %Z} ({ago})"


def _plain(text: str) -> str:
    """On one line, of bounded length, without control codes: log lines come from anyone."""
    text = CONTROL.sub("", text)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."
