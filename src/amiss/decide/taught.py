"""Incidents like those that people called normal: these are kept, and told to nobody. Pure.

An incident is like them if each of its series was in one that somebody called normal, on the same
side of what was expected, no more than two nats less strange, with the same rules and nothing else
to blame; and if no more series are in it. Of several that a series was in, the last word counts, so
that a problem is not kept quiet by what was said before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from amiss.data import Incident, Member
from amiss.decide.told import AGAIN

Verdict: TypeAlias = Literal["normal", "amiss"]


@dataclass(frozen=True, slots=True)
class Taught:
    """What a person said of an incident, as it was then."""

    incident: Incident
    verdict: Verdict
    who: str
    at: int  # ns


def like(incident: Incident, taught: Sequence[Taught]) -> Taught | None:
    """What was called normal and is like this in its strangest series, or None if not all of it is.

    `taught` is in the order in which it was said. Cost: members times members of what was taught.
    """
    last = [_last_word(member, taught) for member in incident.members]
    found = [one for one in last if one is not None and one.verdict == "normal"]
    if not found or len(found) < len(incident.members):
        return None
    return found[0] if incident.breadth <= max(one.incident.breadth for one in found) else None


def _last_word(seen: Member, taught: Sequence[Taught]) -> Taught | None:
    return next(
        (
            one
            for one in reversed(taught)
            if any(_covers(known, seen, one.verdict) for known in one.incident.members)
        ),
        None,
    )


def _covers(known: Member, seen: Member, verdict: Verdict) -> bool:
    """Whether what was said of a series in one incident holds for it in another."""
    if known.series != seen.series or _side(known) != _side(seen):
        return False
    if verdict == "amiss":
        return True
    if not (set(seen.blame) <= set(known.blame) and set(seen.rules) <= set(known.rules)):
        return False
    # the score of a rule follows the price of the day, and says nothing of what was seen
    return bool(seen.rules) or seen.score < known.score + AGAIN


def _side(member: Member) -> int:
    """1 above what was expected, -1 below it, 0 if neither can be said."""
    return int(member.observed > member.upper) - int(member.observed < member.lower)
