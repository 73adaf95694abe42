"""Times, states and headlines as a person says them. Pure."""

from collections import Counter
from datetime import UTC, tzinfo
from math import isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from amiss.data import parse_key
from amiss.run.now import Now, SeriesNow
from amiss.web.headline import blind, condition, few_words
from amiss.words.phrases import (
    USUAL,
    ago,
    band,
    clock,
    count,
    how_rare,
    interval,
    localised,
    model,
    one_in,
    parted,
    quarters,
    rarity_now,
    rarity_of,
    shown,
    span,
    strange_until,
    title,
    worst_first,
)
from amiss.words.units import write_number

__all__ = [
    "USUAL",
    "ago",
    "band",
    "clock",
    "count",
    "doing",
    "headline",
    "how_rare",
    "interval",
    "localised",
    "model",
    "one_in",
    "parted",
    "quarters",
    "rarity_now",
    "rarity_of",
    "shown",
    "span",
    "states",
    "strange_until",
    "strangest",
    "title",
    "waiting",
    "worst_first",
    "zone_of",
]


def zone_of(name: str | None) -> tzinfo:
    """The reader's time zone; UTC if the browser does not say, or says one not known here."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


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
            soon = now.phase == "starting" and not all(p.health == "waiting" for p in now.pipelines)
            more = ": live pictures within a minute" if soon else ""
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


def doing(one: SeriesNow, now: int, zone: tzinfo) -> str:
    """What Amiss does with a series, and why not more."""
    if one.state == "silent":
        return f"no data since {clock(one.time, now, zone)}" if one.time else one.reason
    if one.state == "warming up":
        return one.reason
    value = write_number(one.value, parse_key(one.key)[0])
    return f"{value}: {'amiss, ' if one.amiss else ''}{rarity_now(one.score, one.every)}"
