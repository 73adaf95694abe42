"""What happened, in a sentence a person understands."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from math import exp, isfinite

from amiss.data import DAY, SECOND, Member, parse_key
from amiss.units import SYSTEM, evidence_for, listed, words, write_days, write_number

NAMED = 3  # further members in a sentence
MOST_DIGITS = 8
WHOLE = "the picture as a whole"


def moment(ns: int) -> str:
    """14:02 UTC on 21 November, to the minute."""
    at = datetime.fromtimestamp(ns // SECOND, UTC)
    return f"{at:%H:%M} UTC on {at.day} {at:%B}"


def rarity(score: float, interval: float) -> float:
    """Days between two samples of this score, in nats, for samples `interval` seconds apart."""
    return interval * exp(min(score, 60.0)) / 86400.0


def rare(days: float, watched: float, since: int, before: int | None) -> str:
    """How rare: `before` is when it was as strange, ns; days beyond those watched are no claim."""
    if before is not None and before < since:
        return f"last like this {write_days((since - before) / DAY)} before"
    if days > watched:
        return f"not seen before in the {write_days(watched)} watched"
    return f"about once in {write_days(days)}"


def observed(member: Member, system: Collection[str] = SYSTEM) -> str:
    """CPU at 97.2 % (1 to 12 % expected). Labels named in `system` are left out."""
    if is_whole(member):
        blame = listed([words(key, system) for key in member.blame]) if member.blame else ""
        return "an unusual picture as a whole" + (f", most of all {blame}" if blame else "")
    name, digits = parse_key(member.series)[0], 3
    low, high = _shown_band(member)
    shown = [low, high] if isfinite(low) and isfinite(high) else [member.expected]
    # as many digits as it takes to tell them apart
    while digits < MOST_DIGITS and write_number(member.observed, name, digits) in {
        write_number(x, name, digits) for x in shown if x != member.observed
    }:
        digits += 1
    said = f"{words(member.series, system)} at {write_number(member.observed, name, digits)}"
    return f"{said} ({_expected(member, shown, name, digits)})"


def is_whole(member: Member) -> bool:
    """Whether this is a system judged as a whole: nothing is expected of it in numbers."""
    return bool(member.blame) or not isfinite(member.expected)


def _expected(member: Member, shown: list[float], name: str, digits: int) -> str:
    """What was expected, a band where there is one, and how far off that is."""
    texts = list(dict.fromkeys(write_number(x, name, digits) for x in shown))
    text = f"{_short(texts)} expected"
    if len(shown) > 1 and shown[0] <= member.observed <= shown[1]:
        return f"{text}, but its course is unusual"
    times = member.observed / member.expected if member.expected > 0.0 else 0.0
    return f"{times:.0f} times the usual; {text}" if 2.0 <= times < 1000.0 else text


def _shown_band(member: Member) -> tuple[float, float]:
    """The band, but not beyond 0 or 100 % where the series never goes."""
    low, high = member.lower, member.upper
    if member.expected >= 0.0 and member.observed >= 0.0:
        low = max(low, 0.0)
    if "_percent" in member.series and max(member.expected, member.observed) <= 100.0:
        high = min(high, 100.0)
    return low, high


def _short(texts: list[str]) -> str:
    """2 to 40 MB/s: the unit once if it is the same, and none with a zero."""
    *low, high = texts
    if not low:
        return high
    number, unit = _parts(low[0])
    return f"{number if number == '0' or unit == _parts(high)[1] else low[0]} to {high}"


def _parts(text: str) -> tuple[str, str]:
    number = re.match(r"[-+.e\d]*", text)
    end = number.end() if number else 0
    return text[:end], text[end:]


def sentence(system: str, members: Sequence[Member], breadth: int, since: int, rarity: str) -> str:
    """Whose, what against what, since when, how rare, with what else."""
    labels = parse_key(f"x{{{system}}}")[1]
    whose = ", ".join(labels.values())
    first, *others = members
    more = [WHOLE if is_whole(m) else words(m.series, labels) for m in others[:NAMED]]
    more = list(dict.fromkeys(more))
    rest = breadth - 1 - len(others[:NAMED])
    more += [f"{rest} more"] if rest > 0 else []
    said = f"{whose + ': ' if whose else ''}{observed(first, labels)} since {moment(since)}"
    parts = [said, rarity, *([f"with it: {listed(more)}"] if more else [])]
    return "; ".join(parts) + "."


def ended(said: str, lasted: int, settled: bool) -> str:
    """The last sentence of an incident: its first one, and how it ended after so many ns."""
    span = write_days(lasted / DAY)
    return f"{said} " + (f"After {span} it is the new normal." if settled else f"It lasted {span}.")


def evidence(member: Member, context: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What the source said beside the numbers that may explain this member, such as processes."""
    names = [parse_key(key)[0] for key in (*member.blame, member.series)]
    family = next((top for name in names if (top := evidence_for(name))), None)
    return tuple(context.get(family, ())) if family else ()
