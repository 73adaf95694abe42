"""Times, spans, series and incidents as a person says them, on a page or in a report. Pure."""

import re
from datetime import datetime, tzinfo
from math import exp, isfinite

from amiss.data import DAY, SECOND, Incident, Member, parse_key, readable
from amiss.decide.explain import moment, rarity
from amiss.decide.severity import ORDER
from amiss.words.units import words, write_days, write_number
from amiss.words.wording import rare

USUAL = 4.0  # nats below which a moment is not worth a word about how rare it is
DIGITS = "-+.e0123456789"
NUMBER = re.compile(r"[-+.e0-9]*")
TICK = 5 * SECOND  # a sample counts for so long
BEFORE = re.compile(r"last like this [^;.]* before")
ACRONYMS = frozenset({"aer", "dbscan", "lstm", "onnx", "svm"})
OPERATIONS = re.compile(r"disk_(read|write)_per_second")


def clock(ns: int, now: int, zone: tzinfo, seconds: bool = False) -> str:
    """15:02 CET; with the day if that is not today."""
    at = datetime.fromtimestamp(ns // SECOND, zone)
    today = datetime.fromtimestamp(now // SECOND, zone)
    text = f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"
    if at.date() != today.date():
        year = f" {at.year}" if at.year != today.year else ""
        text = f"{at.day} {at:%b}{year} {text}"
    return f"{text} {at:%Z}"


def quarters(start: int, end: int, zone: tzinfo) -> list[tuple[int, str]]:
    """The hours 0, 6, 12 and 18 between two times, as the reader's clock has them."""
    found, at = [], start // (900 * SECOND) + 1
    while at * 900 * SECOND < end:
        local = datetime.fromtimestamp(at * 900, zone)
        if local.hour % 6 == 0 and local.minute == 0:
            text = f"{local:%a} {local.day}" if local.hour == 0 else f"{local:%H:%M}"
            found.append((at * 900 * SECOND, text))
        at += 1
    return found


def span(ns: int) -> str:
    """18 minutes, 3 days."""
    return write_days(max(ns, 0) / DAY)


def ago(ns: int, now: int) -> str:
    """18 minutes ago, 3 days ago."""
    if now - ns < 2 * SECOND:
        return "just now"
    return f"{span(now - ns)} ago"


def count(n: int, one: str, many: str = "") -> str:
    """1 thing, 2 things, 1,024 things."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def localised(incident: Incident, now: int, zone: tzinfo) -> str:
    """The sentence of an incident, its time where the reader is."""
    return incident.sentence.replace(moment(incident.since), clock(incident.since, now, zone))


def strange_until(incident: Incident, now: int) -> int:
    """When it was strange for the last time: an incident is closed some time after that."""
    return now if incident.until is None else min(incident.seen + TICK, incident.until)


def how_rare(incident: Incident) -> str:
    """About once in 3 months, that nothing like it was seen, or when; as its sentence says."""
    if before := BEFORE.search(incident.sentence.removeprefix(incident.title)):
        return before[0]
    if not isfinite(incident.rarity):
        return "a rule says so"
    return rare(incident.rarity, incident.watched, incident.since, None)


def worst_first(incidents: tuple[Incident, ...] | list[Incident]) -> list[Incident]:
    """By severity, then by surprise, then the longest."""
    return sorted(incidents, key=lambda i: (-ORDER[i.severity], -i.score, i.since))


def one_in(score: float, among: int) -> str:
    """How rare a single record is: one in 290, or no more than those seen so far can show."""
    often = exp(min(score, 700.0))
    if often <= among:
        return f"one in {float(f'{often:.2g}'):,.0f}"
    return f"fewer than one in {among:,} seen" if among else "seldom"


def rarity_now(score: float, every: float) -> str:
    """What a score of a sample means, for samples `every` seconds apart."""
    if not isfinite(score):
        return "no opinion"
    if score < USUAL:
        return "usual"
    return f"about once in {write_days(rarity(score, every))}"


def interval(incident: Incident) -> float:
    """Seconds between two samples of what it is about, as its rarity has it; NaN by a rule."""
    return incident.rarity / rarity(incident.score, 1.0)


def rarity_of(member: Member, every: float) -> str:
    """How rare it was at its strangest; every: seconds between samples, NaN if not known."""
    if member.rules:
        return "a rule says so"
    if member.said or not isfinite(every):
        return one_in(member.score, member.among)
    return rarity_now(member.score, every)


def band(expected: float, lower: float, upper: float, observed: float, name: str) -> str:
    """1 to 12 %: what was expected, not beyond 0 or 100 % where the series never goes."""
    if not (isfinite(lower) and isfinite(upper)):
        return write_number(expected, name) if isfinite(expected) else "nothing yet"
    low, high = shown(expected, lower, upper, observed, name)
    first, last = write_number(low, name, 2), write_number(high, name, 2)
    if first == last:
        first, last = write_number(low, name, 4), write_number(high, name, 4)
    if first == last:
        return first
    number, unit = NUMBER.match(first), first.lstrip(DIGITS)
    plain = number[0] if number and (number[0] == "0" or unit == last.lstrip(DIGITS)) else first
    return f"{plain} to {last}"


def parted(member: Member) -> tuple[list[str], list[str]]:
    """Of a system as a whole: what was seen of each metric to blame, and what all others let
    expect: CPU 80 %; CPU 40 to 60 %.
    """
    seen, expected = list[str](), list[str]()
    for one in member.blamed:
        name = parse_key(one.series)[0]
        seen.append(f"{words(one.series)} {write_number(one.observed, name)}")
        if isfinite(one.expected):
            said = band(one.expected, one.lower, one.upper, one.observed, name)
            expected.append(f"{words(one.series)} {said}")
    return seen, expected


def shown(
    expected: float, lower: float, upper: float, observed: float, name: str
) -> tuple[float, float]:
    """A band cut off where the series cannot be."""
    if observed >= 0 and expected >= 0:
        lower = max(lower, 0.0)
    if "_percent" in name and max(observed, expected) <= 100:
        upper = min(upper, 100.0)
    return lower, upper


def model(name: str) -> str:
    """one_class_svm is "one class SVM"."""
    return " ".join(part.upper() if part in ACRONYMS else part for part in name.split("_"))


def title(key: str, systems: int = 1) -> str:
    """What a series is; and whose, if more than one system is watched."""
    name = words(key)
    if OPERATIONS.match(key):  # else they read like the bytes
        name = name.replace("read", "reads", 1).replace("write", "writes", 1)
    return whose(key, readable(name[:1].upper() + name[1:]), systems)


def whose(key: str, text: str, systems: int) -> str:
    """What a series is called; and whose it is, if more than one system is watched."""
    labels = parse_key(key)[1]
    host = labels.get("host") or labels.get("instance") or ""
    return f"{text}, {readable(host)}" if systems > 1 and host else text
