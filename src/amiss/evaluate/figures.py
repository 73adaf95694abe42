"""How many incidents were told of how many that were asked for, in all and by week or day."""

from dataclasses import dataclass
from datetime import UTC, datetime

from amiss.data import DAY, SECOND
from amiss.evaluate.trial import Trial
from amiss.phrases import span

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
    return parts(trial, WEEK, MONDAY)


def days(trial: Trial) -> list[Part]:
    """Days in UTC; weeks if there are too many of them, or if less than one a day was asked."""
    long = trial.end - trial.start
    by_week = long > MOST_DAYS * DAY or (trial.pipeline.budget < 1 and long > 2 * WEEK)
    return weeks(trial) if by_week else parts(trial, DAY)


def parts(trial: Trial, size: int, first: int = 0) -> list[Part]:
    """The span cut at `first` and at whole multiples of `size` (ns) from there."""
    opened = sorted(each.since for each in trial.incidents)
    found, at = list[Part](), (trial.start - first) // size * size + first
    while at < trial.end or not found:
        start, end = max(at, trial.start), min(at + size, trial.end)
        told = sum(at <= each < at + size for each in opened)
        found.append(Part(start, end, told, trial.pipeline.budget * (end - start) / DAY))
        at += size
    if opened and opened[-1] >= at:  # in the very last moment
        last = found.pop()
        found.append(Part(last.start, last.end, last.told + 1, last.asked))
    return found


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
    said = (
        "never have told you" if not told else f"have told you {TIMES.get(told, f'{told:,} times')}"
    )
    asked = often(trial.pipeline.budget)
    return f"It would {said} in {span(trial.end - trial.start)} (asked: {asked})."


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
