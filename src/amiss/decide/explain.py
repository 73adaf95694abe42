"""What happened, in a sentence a person understands."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import exp, isfinite

from amiss.data import DAY, Member, parse_key
from amiss.units import evidence_for, words, write_days, write_number

NAMED = 3  # further members in a sentence


def moment(ns: int) -> str:
    """14:02 UTC on 21 November, to the minute."""
    at = datetime.fromtimestamp(ns / 1e9, UTC)
    return f"{at:%H:%M} UTC on {at.day} {at:%B}"


def rarity(score: float, interval: float) -> float:
    """Days between two samples of this score, in nats, for samples `interval` seconds apart."""
    return interval * exp(min(score, 60.0)) / 86400.0


def observed(member: Member) -> str:
    """CPU at 97.2 % (1 to 12 % expected)."""
    name, _ = parse_key(member.series)
    if member.blame:
        return (
            f"an unusual picture as a whole, most of all {' and '.join(map(words, member.blame))}"
        )
    said = f"{words(member.series)} at {write_number(member.observed, name)}"
    return f"{said} ({expected(member)})"


def expected(member: Member) -> str:
    """What was expected of a member: a band where there is one, else a value, and how far off."""
    name, _ = parse_key(member.series)
    usual = member.expected
    low, high = member.lower, member.upper
    if isfinite(low) and isfinite(high):
        # a band below nothing helps nobody where the series never went there
        low = max(low, 0.0) if usual >= 0.0 and member.observed >= 0.0 else low
        text = f"{write_number(low, name)} to {write_number(high, name)} expected"
    elif isfinite(usual):
        text = f"{write_number(usual, name)} expected"
    else:
        return "nothing like it before"
    if usual > 0.0 and member.observed >= 2.0 * usual:
        times = member.observed / usual
        text = f"{times:.0f} times the usual; {text}" if times < 1000 else text
    return text


def sentence(
    system: str, members: Sequence[Member], breadth: int, since: int, days: float, watched: float
) -> str:
    """Whose, what against what, since when, how rare, with what else.

    `days` is the rarity, `watched` how many days it rests on: nothing rarer than that is claimed
    to have been measured.
    """
    first = members[0]
    whose = ", ".join(parse_key(f"x{{{system}}}")[1].values())
    more = [words(m.series) for m in members[1 : 1 + NAMED]]
    rest = breadth - 1 - len(more)
    others = ", ".join(more) + (f" and {rest} more" if rest > 0 else "")
    parts = [f"{whose + ': ' if whose else ''}{observed(first)} since {moment(since)}"]
    if days > watched:
        parts.append(f"not seen before in the {write_days(watched)} watched")
    else:
        parts.append(f"about once in {write_days(days)}")
    if more:
        parts.append(f"with it: {others}")
    return "; ".join(parts) + "."


def ended(said: str, until: int, since: int, settled: bool) -> str:
    """The last sentence of an incident: its first one, and how it ended."""
    lasted = write_days((until - since) / DAY)
    how = "has become the new normal" if settled else "is over"
    return f"{said} It {how} after {lasted}."


def evidence(member: Member, context: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What the source said beside the numbers that may explain this member, such as processes."""
    names = [parse_key(key)[0] for key in (*member.blame, member.series)]
    family = next((top for name in names if (top := evidence_for(name))), None)
    return tuple(context.get(family, ())) if family else ()
