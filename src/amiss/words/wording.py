"""What was seen against what was expected, and how rare that is, in words. Pure."""

import re
from collections.abc import Collection
from math import isfinite

from amiss.data import DAY, Blamed, Member, parse_key
from amiss.words.units import SYSTEM, listed, words, write_days, write_number

MOST_DIGITS = 8
QUOTED = 120  # characters of a line
LINE = "line"  # what records are called that are nothing but text


def rare(days: float, watched: float, since: int, before: int | None) -> str:
    """How rare: `before` is when it was as strange, ns; days beyond those watched are no claim."""
    if before is not None and before < since:
        return f"last like this {write_days((since - before) / DAY)} before"
    if days > watched:
        return f"not seen before in the {write_days(watched)} watched"
    return f"about once in {write_days(days)}"


def observed(member: Member, system: Collection[str] = SYSTEM) -> str:
    """CPU at 97.2 % (1 to 12 % expected). Labels named in `system` are left out."""
    if member.said:
        return _single(member, system)
    if member.why:
        return f"{words(member.series, system)} {member.why}"
    if is_whole(member):
        blame = listed([words(key, system) for key in member.blame]) if member.blame else ""
        if any(is_beyond(one) for one in member.blamed):
            blame = listed([_number(one, system, "") for one in member.blamed])
            blame += ", given all others"
        return "an unusual picture as a whole" + (f", most of all {blame}" if blame else "")
    return _number(member, system, ", but its course is unusual")


def is_beyond(one: Blamed) -> bool:
    """Whether it is not where the others let expect it. NaN is not beyond."""
    return one.observed < one.lower or one.observed > one.upper


def _number(member: Member | Blamed, system: Collection[str], inside: str) -> str:
    """What was seen against the band that was expected; and what to say `inside` of it."""
    name, digits = parse_key(member.series)[0], 3
    low, high = _shown_band(member)
    shown = [low, high] if isfinite(low) and isfinite(high) else [member.expected]
    # as many digits as it takes to tell them apart
    while digits < MOST_DIGITS and write_number(member.observed, name, digits) in {
        write_number(x, name, digits) for x in shown if x != member.observed
    }:
        digits += 1
    said = f"{words(member.series, system)} at {write_number(member.observed, name, digits)}"
    if not isfinite(member.expected):
        return said
    return f"{said} ({_expected(member, shown, name, digits, inside)})"


def _single(member: Member, system: Collection[str]) -> str:
    """an unusual login of alice, most of all country KP; or what a line says; or several."""
    name, labels = parse_key(member.series)
    of = [value for label, value in labels.items() if label not in system]
    name, whose = name.replace("_", " "), f" of {listed(of)}" if of else ""
    article = "an" if name[:1] in "aeiou" else "a"
    said = f"{article} {name}{whose} {member.why}" if member.rules else f"an unusual {name}{whose}"
    if member.why and not member.rules:
        said = f"odd {name}{whose}, {member.why}"
    if member.rules:
        return f'{said}: "{_quoted(member.said)}"'
    if member.blame and name != LINE:
        return f"{said}, most of all {listed(list(member.blame))}"
    reasons = f" ({'; '.join(member.blame)})" if member.blame else ""
    return f'{said}: "{_quoted(member.said)}"{reasons}'


def _quoted(text: str) -> str:
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}..."


def is_whole(member: Member) -> bool:
    """Whether this is a system judged as a whole: nothing is expected of it in numbers."""
    return not (member.said or member.why) and (bool(member.blame) or not isfinite(member.expected))


def _expected(
    member: Member | Blamed, shown: list[float], name: str, digits: int, inside: str
) -> str:
    """What was expected, a band where there is one, and how far off that is."""
    texts = list(dict.fromkeys(write_number(x, name, digits) for x in shown))
    text = f"{_short(texts)} expected"
    if len(shown) > 1 and shown[0] <= member.observed <= shown[1]:
        return text + inside
    times = member.observed / member.expected if member.expected > 0.0 else 0.0
    return f"{times:.0f} times the usual; {text}" if 2.0 <= times < 1000.0 else text


def _shown_band(member: Member | Blamed) -> tuple[float, float]:
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
