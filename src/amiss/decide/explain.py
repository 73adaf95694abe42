"""What happened, in a sentence a person understands: whose, what against what, and how rare.

    rarity = interval e^s      how long one would wait for such a score s; s counts 60 at most

for samples that are `interval` apart, in days.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import exp

from amiss.data import DAY, SECOND, Member, parse_key
from amiss.words.units import evidence_for, listed, words, write_days
from amiss.words.wording import is_whole, observed

NAMED = 3  # further members in a sentence
WHOLE = "the picture as a whole"


def moment(ns: int) -> str:
    """14:02 UTC on 21 November, to the minute."""
    at = datetime.fromtimestamp(ns // SECOND, UTC)
    return f"{at:%H:%M} UTC on {at.day} {at:%B}"


def rarity(score: float, interval: float) -> float:
    """Days between two samples of this score, in nats, for samples `interval` seconds apart."""
    return interval * exp(min(score, 60.0)) / 86400.0


def sentence(system: str, members: Sequence[Member], breadth: int, since: int, rarity: str) -> str:
    """Whose, what against what, since when, how rare (unless that is ""), with what else."""
    labels = parse_key(f"x{{{system}}}")[1]
    whose = ", ".join(labels.values())
    first, *others = _untold(members)
    more = [WHOLE if is_whole(m) else words(m.series, labels) for m in others[:NAMED]]
    more = list(dict.fromkeys(more))
    rest = breadth - 1 - (len(members) - 1 - len(others)) - len(others[:NAMED])
    more += [f"{rest} more"] if rest > 0 else []
    said = f"{whose + ': ' if whose else ''}{observed(first, labels)} since {moment(since)}"
    parts = [part for part in (said, rarity, f"with it: {listed(more)}" if more else "") if part]
    return "; ".join(parts) + "."


def _untold(members: Sequence[Member]) -> list[Member]:
    """Without whom the first one names already, and a whole that blames nobody else."""
    first, keys = members[0], {m.series for m in members}
    named = {one.series for one in first.blamed}
    return [first] + [
        m
        for m in members[1:]
        if m.series not in named and not (m.blamed and keys.issuperset(b.series for b in m.blamed))
    ]


def ended(said: str, lasted: int, settled: bool) -> str:
    """The last sentence of an incident: its first one, and how it ended after so many ns."""
    span = write_days(lasted / DAY)
    return f"{said} " + (f"After {span} it is the new normal." if settled else f"It lasted {span}.")


def evidence(member: Member, context: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What the source said beside the numbers that may explain this member, such as processes."""
    names = [parse_key(key)[0] for key in (*member.blame, member.series)]
    family = next((top for name in names if (top := evidence_for(name))), None)
    return tuple(context.get(family, ())) if family else ()
