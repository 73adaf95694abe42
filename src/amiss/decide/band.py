"""Who left the band that was expected of it as an incident opened, and who is back in it.

The band is frozen, so that an outage does not explain itself, and twice as wide as the one that is
shown: that one is left by a sample in a hundred, and by many when the hour is another.
"""

from collections.abc import Mapping

from amiss.data import SECOND, Member, parse_key
from amiss.decide.opened import Opened
from amiss.words.units import is_slight

EARLY = 3  # ticks
WIDER = 0.5  # of the band, on either side


def half_outside(it: Opened, values: Mapping[str, float]) -> bool:
    """Whether half of those that left their bands as it opened are outside with these values.

    Not a single one of many: a cache that was filled stays full when all else is over. Who joins
    later may have been drawn up or down by then: its way back would look strange.
    """
    began = [m for key, m in it.members.items() if key in values and _began(it, m)]
    still = sum(_outside(m, values[m.series]) for m in began)
    return 0 < still >= len(began) / 2


def is_back(it: Opened, key: str, value: float) -> bool:
    """A member that left its band is inside it again: the way back is steep, but the end."""
    known = it.members.get(key)
    return known is not None and _outside(known, known.observed) and not _outside(known, value)


def in_order(it: Opened) -> list[Member]:
    """As `order` has it; a system as a whole after those whom it blames, if they reach the bar."""
    known = it.members

    def told(member: Member) -> tuple[bool, bool, tuple[bool, bool, float, str]]:
        alone = (known[b.series].score for b in member.blamed if b.series in known)
        return not member.rules, max(alone, default=0.0) >= it.bar, order(member)

    return sorted(known.values(), key=told)


def order(member: Member) -> tuple[bool, bool, float, str]:
    """The strangest first, but for those that left their band by next to nothing.

    What a rule says comes before all others.
    """
    little = _beyond(member, member.observed, 0.0) and _slight(member, member.observed)
    return not member.rules, little and not member.why, -member.score, member.series


def _began(it: Opened, member: Member) -> bool:
    early = member.since - it.since <= int(EARLY * it.interval * SECOND)
    return early and not member.why and _outside(member, member.observed)


def _outside(member: Member, value: float) -> bool:
    """Outside the wider band of when it joined, and not slightly."""
    return _beyond(member, value, WIDER) and not _slight(member, value)


def _beyond(member: Member, value: float, wider: float) -> bool:
    """NaN, in the value or in the band, is not beyond it."""
    room = wider * (member.upper - member.lower)
    return value < member.lower - room or value > member.upper + room


def _slight(member: Member, value: float) -> bool:
    return is_slight(parse_key(member.series)[0], member.expected, value)
