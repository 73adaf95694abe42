"""How many incidents were told of how many that were asked for, in all and by week or day."""

from dataclasses import dataclass
from datetime import UTC, datetime

from amiss.data import DAY, SECOND
from amiss.evaluate.trial import Trial
from amiss.words.phrases import span

WEEK = 7 * DAY
MONDAY = 4 * DAY  # the first one after 1 January 1970, a Thursday
MOST_DAYS = 62  # that are shown one by one
TIMES = {1: "once", 2: "twice"}


@dataclass(frozen=True, slots=True)
class Part:
    """A day or a week, as far as it lies in the span."""

    start: int  # ns
    end: int
    told: int
    asked: float


@dataclass(frozen=True, slots=True)
class Spent:
    """When incidents opened in a span, and how many a day were asked for."""

    opened: tuple[int, ...]  # ns
    start: int
    end: int
    a_day: float


@dataclass(frozen=True, slots=True)
class Rate:
    """What was told against what was asked for."""

    told: int
    asked: float  # in all of the span
    a_day: float  # asked for


def rate(trial: Trial) -> Rate:
    """Of all of the span."""
    a_day = trial.pipeline.budget
    return Rate(len(trial.incidents), a_day * (trial.end - trial.start) / DAY, a_day)


def weeks(trial: Trial) -> list[Part]:
    """Weeks from Monday on, in UTC."""
    return parts(spent(trial), WEEK, MONDAY)


def days(trial: Trial) -> list[Part]:
    """Days in UTC; weeks if there are too many of them, or if less than one a day was asked."""
    return days_of(spent(trial))


def days_of(of: Spent) -> list[Part]:
    """The same of any that opened in a span."""
    long = of.end - of.start
    by_week = long > MOST_DAYS * DAY or (of.a_day < 1 and long > 2 * WEEK)
    return parts(of, WEEK, MONDAY) if by_week else parts(of, DAY)


def parts(of: Spent, size: int, first: int = 0) -> list[Part]:
    """The span cut at `first` and at whole multiples of `size` (ns) from there."""
    opened = sorted(of.opened)
    found, at = list[Part](), (of.start - first) // size * size + first
    while at < of.end or not found:
        start, end = max(at, of.start), min(at + size, of.end)
        told = sum(at <= each < at + size for each in opened)
        found.append(Part(start, end, told, of.a_day * (end - start) / DAY))
        at += size
    if opened and opened[-1] >= at:  # in the very last moment
        last = found.pop()
        found.append(Part(last.start, last.end, last.told + 1, last.asked))
    return found


def spent(trial: Trial) -> Spent:
    """Of a back-test."""
    opened = tuple(each.since for each in trial.incidents)
    return Spent(opened, trial.start, trial.end, trial.pipeline.budget)


def ratio(told: int, asked: float) -> str:
    """Told for one asked; where less than one was asked there is nothing to compare with."""
    return f"{told / asked:.2g}" if asked >= 1.0 else "-"


def often(a_day: float) -> str:
    """5 a day, 1 a week."""
    return f"{amount(a_day)} a day" if a_day >= 1 else f"{amount(a_day * 7)} a week"


def amount(x: float) -> str:
    """A number of incidents that need not be whole: 0.625, 70, 1,050."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def headline(trial: Trial) -> str:
    """It would have told you 4 times in 14 days (asked: 5 a day)."""
    told = len(trial.incidents)
    said = "never have told you" if not told else f"have told you {times(told)}"
    asked = often(trial.pipeline.budget)
    return f"It would {said} in {span(trial.end - trial.start)} (asked: {asked})."


def times(number: int) -> str:
    """Once, twice, 3 times."""
    return TIMES.get(number, f"{number:,} times")


def written(ns: int) -> str:
    """Sat 7 Mar 2026 14:02 UTC."""
    at = datetime.fromtimestamp(ns // SECOND, UTC)
    return f"{at:%a} {at.day} {at:%b %Y %H:%M} UTC"


def shortly(ns: int) -> str:
    """7 Mar 14:02, where the rest is known."""
    at = datetime.fromtimestamp(ns // SECOND, UTC)
    return f"{at.day} {at:%b %H:%M}"


def day(ns: int) -> str:
    """7 Mar 2026."""
    at = datetime.fromtimestamp(ns // SECOND, UTC)
    return f"{at.day} {at:%b %Y}"
