"""Many incidents counted: by kind, by subject, by hour of the day, by how rare they were. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from math import isfinite

from amiss.data import SECOND, Incident, Severity, parse_key
from amiss.decide.severity import ORDER

SUBJECTS = 12
RULE = "told by a rule"
RARITIES = (
    (1.0, "about once a day, or more often"),
    (7.0, "about once a week"),
    (31.0, "about once a month"),
    (366.0, "about once a year"),
    (float("inf"), "rarer"),
)
"""Days between two such moments, at most, and what that is called."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Some incidents that have something in common."""

    name: str
    by: Mapping[str, int]  # how many, by severity
    last: Incident

    @property
    def total(self) -> int:
        """How many in all."""
        return sum(self.by.values())


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of a day in which something began."""

    count: int
    worst: Severity


def kind(of: Incident) -> str:
    """What it was about: the rule that held, or what its strangest member measures."""
    if not of.members:
        return "unknown"
    first = of.members[0]
    return first.rules[0] if first.rules else parse_key(first.series)[0].replace("_", " ")


def subject(of: Incident) -> str:
    """Whom or what it was about: of a single record who did it, else the system."""
    labels = parse_key(f"x{{{of.system}}}")[1] if of.system else {}
    first = of.members[0] if of.members else None
    if first is not None and first.said:
        own = parse_key(first.series)[1]
        labels = {name: value for name, value in own.items() if name not in labels} or labels
    return ", ".join(f"{name} {value}" for name, value in labels.items()) or "all"


def counted(found: Sequence[Incident], name: Callable[[Incident], str]) -> list[Counted]:
    """Groups of the same name, the largest first."""
    groups: dict[str, list[Incident]] = {}
    for one in found:
        groups.setdefault(name(one), []).append(one)
    out = [
        Counted(
            said,
            {level: sum(i.severity == level for i in some) for level in ORDER},
            max(some, key=lambda i: i.since),
        )
        for said, some in groups.items()
    ]
    return sorted(out, key=lambda one: (-one.total, one.name))


def rarities(found: Iterable[Incident]) -> dict[str, int]:
    """How many there were of each rarity, the most usual first."""
    out = {said: 0 for _, said in RARITIES} | {RULE: 0}
    for one in found:
        days = one.rarity
        said = next(text for most, text in RARITIES if days <= most) if isfinite(days) else RULE
        out[said] += 1
    return out


def hours(
    found: Iterable[Incident], at: int, days: int, zone: tzinfo
) -> list[tuple[date, dict[int, Hour]]]:
    """The last days, today first, and in which hour of the reader's clock what began."""
    out: dict[date, dict[int, Hour]] = {}
    for one in found:
        began = datetime.fromtimestamp(one.since / SECOND, zone)
        cells = out.setdefault(began.date(), {})
        before = cells.get(began.hour)
        worst = one.severity
        if before is not None and ORDER[before.worst] > ORDER[worst]:
            worst = before.worst
        cells[began.hour] = Hour((before.count if before else 0) + 1, worst)
    today = datetime.fromtimestamp(at / SECOND, zone).date()
    back = [today - timedelta(days=n) for n in range(days)]
    return [(day, out.get(day, {})) for day in back]
