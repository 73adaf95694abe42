"""Where the ticks of an axis lie and what they say. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil, floor, isfinite, log10

from amiss.data import DAY, HOUR, MINUTE, SECOND
from amiss.words.units import write_number

TIMES = (
    *(n * SECOND for n in (1, 5, 15, 30)),
    *(n * MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR for n in (1, 2, 3, 6, 12)),
    *(n * DAY for n in (1, 2, 7, 14, 28, 91, 364, 3640, 36400)),
)
"""Steps that a clock or a calendar has."""
MOST_DIGITS = 8

Tick = tuple[float, str]


def of_time(start: int, end: int, most: int = 5) -> list[Tick]:
    """Round times (ns, UTC) between two, each with what to call it."""
    step = next((s for s in TIMES if (end - start) / s <= most), TIMES[-1])
    first = -(-start // step) * step
    return [(at, _moment(at, step)) for at in range(first, end + 1, step)]


def of_value(low: float, high: float, name: str, most: int = 4) -> list[Tick]:
    """Round values between two, in the unit of a series of this name."""
    span = high - low
    if not (isfinite(span) and span > 0):
        return []
    raw = span / most
    size = 10.0 ** floor(log10(raw))
    step = next(size * n for n in (1, 2, 5, 10) if size * n >= raw * 0.999)
    places = range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    at = [n * step for n in places]
    return list(zip(at, told_apart(at, name), strict=True))


def told_apart(values: Sequence[float], name: str) -> list[str]:
    """With as few digits as it takes to tell them apart."""
    for digits in range(2, MOST_DIGITS + 1):
        said = [write_number(x, name, digits) for x in values]
        if len(set(said)) == len(said):
            break
    return said if values else []


def _moment(ns: int, step: int) -> str:
    at = datetime.fromtimestamp(ns // SECOND, UTC)
    if step >= 28 * DAY:
        return f"{at.day} {at:%b %Y}"
    if step >= DAY or not (at.hour or at.minute or at.second):
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M}" if step >= MINUTE else f"{at:%H:%M:%S}"
