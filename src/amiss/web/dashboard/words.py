"""Times, states and headlines as a person says them. Pure."""

import re
from collections import Counter
from datetime import UTC, datetime, tzinfo
from math import isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from amiss.data import DAY, SECOND, Incident, parse_key, readable
from amiss.decide.explain import moment, rarity
from amiss.decide.severity import ORDER
from amiss.run.now import Now, SeriesNow
from amiss.units import words, write_days, write_number
from amiss.web.headline import blind, condition, few_words
from amiss.wording import rare

USUAL = 4.0  # nats below which a moment is not worth a word about how rare it is
DIGITS = "-+.e0123456789"
NUMBER = re.compile(r"[-+.e0-9]*")
TICK = 5 * SECOND  # a sample counts for so long
OPERATIONS = re.compile(r"disk_(read|write)_per_second")


def zone_of(name: str | None) -> tzinfo:
    """The reader's time zone; UTC if the browser does not say, or says one not known here."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


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
    """About once in 3 months, or that nothing like it was seen."""
    return rare(incident.rarity, incident.watched, incident.since, None)


def worst_first(incidents: tuple[Incident, ...] | list[Incident]) -> list[Incident]:
    """By severity, then by surprise, then the longest."""
    return sorted(incidents, key=lambda i: (-ORDER[i.severity], -i.score, i.since))


def rarity_now(score: float, every: float) -> str:
    """What a score of a sample means, for samples `every` seconds apart."""
    if not isfinite(score):
        return "no opinion"
    if score < USUAL:
        return "usual"
    return f"about once in {write_days(rarity(score, every))}"


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


def shown(
    expected: float, lower: float, upper: float, observed: float, name: str
) -> tuple[float, float]:
    """A band cut off where the series cannot be."""
    if observed >= 0 and expected >= 0:
        lower = max(lower, 0.0)
    if "_percent" in name and max(observed, expected) <= 100:
        upper = min(upper, 100.0)
    return lower, upper


def title(key: str, systems: int = 1) -> str:
    """What a series is; and whose, if more than one system is watched."""
    name = words(key)
    if OPERATIONS.match(key):  # else they read like the bytes
        name = name.replace("read", "reads", 1).replace("write", "writes", 1)
    text = readable(name[:1].upper() + name[1:])
    labels = parse_key(key)[1]
    host = labels.get("host") or labels.get("instance") or ""
    return f"{text}, {readable(host)}" if systems > 1 and host else text


def headline(now: Now, at: int) -> tuple[str, str, str]:
    """How things are: a tone (a severity, good, wait, fail), a few words, and a sentence."""
    watched = count(len(now.series), "series", "series")
    title = few_words(now)
    match condition(now):
        case "stopping":
            return "wait", title, "It goes on where it was when it is started again."
        case "blind":
            lost = blind(now)[0]
            since = f"No news for {span(at - lost.polled)}" if lost.polled else "No news yet"
            more = f"; {count(len(now.open), 'incident')} open" if now.open else ""
            return "fail", title, f"{since}: {lost.reason}{more}."
        case "amiss":
            worst = worst_first(now.open)[0]
            return (
                worst.severity,
                title,
                f"{'The worst' if len(now.open) > 1 else 'It'} is {worst.severity} and began "
                f"{ago(worst.since, at)}; {watched} watched.",
            )
        case "waiting":
            more = ": live pictures within a minute" if now.phase == "starting" else ""
            return "wait", title, f"{now.reason.rstrip('.')}{more}."
        case "quiet":
            return "good", title, f"{watched} watched, nothing amiss."


def waiting(series: tuple[SeriesNow, ...]) -> tuple[list[SeriesNow], list[SeriesNow]]:
    """Those that are warming up, the furthest first, and those that are silent."""
    warming = [one for one in series if one.state == "warming up"]
    warming.sort(key=lambda one: -one.seen)
    return warming, [one for one in series if one.state == "silent"]


def states(series: tuple[SeriesNow, ...]) -> Counter[str]:
    """How many series are in each state."""
    return Counter(one.state for one in series)


def strangest(series: tuple[SeriesNow, ...], bar: float) -> list[SeriesNow]:
    """Worst first; in steps, so that the order does not change with every sample."""

    def step(one: SeriesNow) -> float:
        if not isfinite(one.score):
            return -1.0
        if isfinite(bar) and one.score >= bar:
            return one.score
        return float(one.score >= USUAL)

    return sorted(series, key=lambda one: (not one.amiss, -step(one), one.key))


def doing(one: SeriesNow, now: int, zone: tzinfo, every: float) -> str:
    """What Amiss does with a series, and why not more."""
    if one.state == "silent":
        return f"no data since {clock(one.time, now, zone)}" if one.time else one.reason
    if one.state == "warming up":
        return one.reason
    value = write_number(one.value, parse_key(one.key)[0])
    return f"{value}: {'amiss, ' if one.amiss else ''}{rarity_now(one.score, every)}"
