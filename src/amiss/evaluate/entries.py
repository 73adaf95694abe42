"""What a report counts: incidents of a program, or anomalies of a script, on one footing. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from amiss.data import Incident, Member, parse_key
from amiss.words.units import words
from amiss.words.wording import is_whole

WHOLE = "the picture as a whole"
RECORD = "a single record"
RULE = "a rule of yours"
ITSELF = "stuck or absent"
SERIES = "a series"


@dataclass(frozen=True, slots=True)
class Entry:
    """One that was told."""

    since: int  # ns
    until: int  # ns, when it was strange for the last time
    severity: str
    kind: str  # which pipeline, or kind of sample
    subject: str  # whose: of whom a single record is, else the system
    judged: str  # what was strange: a series, a single record...
    score: float  # nats
    said: str
    of: Mapping[str, float] = field(default_factory=dict)  # what it consists of, in nats


def of_incident(incident: Incident, pipeline: str) -> Entry:
    """An incident of this pipeline."""
    labels = parse_key(f"x{{{incident.system}}}")[1]
    until = incident.seen if incident.until is None else min(incident.seen, incident.until)
    parts: dict[str, float] = {}
    for member in incident.members:
        for name in _parts(member):
            parts[name] = max(parts.get(name, 0.0), member.score)
    return Entry(
        since=incident.since,
        until=max(until, incident.since),
        severity=incident.severity,
        kind=pipeline,
        subject=_whose(incident.members, labels) or ", ".join(labels.values()) or "all",
        judged=_judged(incident.members[0]) if incident.members else SERIES,
        score=incident.score,
        said=incident.title,
        of=parts,
    )


def counted(
    entries: Sequence[Entry], by: Callable[[Entry], str], most: int = 10
) -> list[tuple[str, int]]:
    """How many of each, the most frequent first; beyond `most` of them together."""
    found = sorted(Counter(map(by, entries)).items(), key=lambda one: (-one[1], one[0]))
    rest = sum(number for _, number in found[most:])
    return found[:most] + ([(f"{len(found) - most} more", rest)] if rest else [])


def _whose(members: Sequence[Member], system: Mapping[str, str]) -> str:
    """Whom a single record is about, where it says so: a user, an address."""
    if not members or not members[0].said:
        return ""
    labels = parse_key(members[0].series)[1]
    return ", ".join(said for name, said in labels.items() if name not in system)


def _judged(member: Member) -> str:
    if member.rules:
        return RULE
    if member.said:
        return RECORD
    if is_whole(member):
        return WHOLE
    return ITSELF if member.why else SERIES


def _parts(member: Member) -> list[str]:
    """What a member consists of, without whose it is: names, and reasons without their numbers."""
    if member.said and member.blame:
        return [_reason(each) for each in member.blame]
    if is_whole(member):
        return [words(each) for each in member.blame] or [WHOLE]
    return [words(member.series)]


def _reason(text: str) -> str:
    said = text.rpartition(": ")[0] or text
    return " ".join(word for word in said.split() if not re.search(r"\d", word)) or said
