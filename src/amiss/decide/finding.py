"""What a detector that tells by itself found, in words, and what a person's rule asks for. Pure.

A rule is not weighed: where it holds it opens an incident or joins the open one, whatever the
price. On the scale of all others it lies so far above the bar that by itself it has the severity
that it was given: low at the bar, medium 3 nats above it, high 6.
"""

from dataclasses import dataclass

from amiss.data import Member, Severity
from amiss.decide.severity import HIGH, MEDIUM, ORDER

ABOVE: dict[Severity, float] = {"low": 0.0, "medium": 2 * MEDIUM, "high": 2 * HIGH}  # nats
"""How far above the bar a rule of each severity lies."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Of one series at one time."""

    why: str  # what follows the name of the series: "has stood at 37 % for 12 minutes"
    rules: tuple[str, ...] = ()  # the rules of a person that hold
    severity: Severity | None = None  # what they ask for at least
    record: str = ""  # of a rule about a field: what the record said in which it holds
    since: int | None = None  # ns, of a run of records: told once, however long it goes on
    run: str = ""  # which of those that are on at one time: a run of a system, or of a subject
    about: str = ""  # of a run of records: what most of them are blamed for, without its values


def both(one: Finding | None, other: Finding) -> Finding:
    """Two findings of one series at one time; what a rule says comes first."""
    if one is None:
        return other
    first, last = (other, one) if other.rules and not one.rules else (one, other)
    level = one.severity or other.severity
    if level and other.severity:
        level = max(level, other.severity, key=lambda name: ORDER[name])
    rules = tuple(dict.fromkeys((*first.rules, *last.rules)))
    return Finding(f"{first.why} and {last.why}", rules, level)


def kept(known: Member | None, found: Finding | None) -> tuple[str, tuple[str, ...]]:
    """The words and the rules of a member that was known: what a rule said is not forgotten."""
    why, rules = (found.why, found.rules) if found else ("", ())
    if known is None or not known.rules or set(rules) >= set(known.rules):
        return why, rules
    if set(rules) <= set(known.rules):
        return known.why, known.rules
    return f"{known.why} and {why}", tuple(dict.fromkeys((*known.rules, *rules)))
