"""Times as logs write them, to nanoseconds."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, partial
from zoneinfo import ZoneInfo

from amiss.data import DAY, SECOND

Reader = Callable[[str], int | None]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
KINDS = (*UNITS, "epoch", "iso", "clf", "syslog", "ctime")
"""What a time can be written as; besides these, a pattern with % as strptime reads it."""
NAMES = (
    "@timestamp", "timestamp", "time", "ts", "datetime", "date", "eventTime", "event_time",
    "event.created", "created_at", "asctime", "t",
    "firstSeen", "start-time", "Stime", "FLOW_START_MILLISECONDS", "flowStartMilliseconds",
)  # fmt: skip
"""Fields that are looked at for the time, the first that has one counts."""
SAME = 100_000  # times remembered: of those with whole seconds most come again
MONTHS = {
    name: i + 1 for i, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())
}
LONG = 26  # characters up to the microsecond
NUMBER = re.compile(r"(\d{1,19})(?:\.(\d{1,18}))?")
FINE = re.compile(r"[.,]\d{6}(\d{1,3})")
CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})")
RFC3164 = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)")
CTIME = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(\.\d{1,6})? (\d{4})"
)
BEFORE = {
    "iso": re.compile(
        r"\W?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d)(?!\d))?)"
    ),
    "clf": re.compile(r"\W?(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})"),
    "ctime": re.compile(
        r"\W?([A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,6})? \d{4})"
    ),
    "syslog": re.compile(r"\W?([A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d)"),
}
"""A time that a line of text begins with."""
WITHIN = re.compile("|".join(pattern.pattern.removeprefix(r"\W?") for pattern in BEFORE.values()))
"""A time that stands somewhere in it."""


def reader(kind: str, zone: str, latest: int) -> Reader:
    """From text to ns, None where there is none. `zone` (IANA) is that of times without one.

    A time without a year is of the last year in which it is not after `latest`. In the hour that
    comes twice when clocks are set back, the first is meant. Raises ValueError for an unknown
    kind or zone. About 1 us a time; patterns of strptime take 6.
    """
    where = zone_of(zone)
    known: dict[str, Callable[[str], int]] = {
        "epoch": _epoch,
        "iso": partial(_iso, where),
        "clf": _clf,
        "syslog": partial(_syslog, where, latest),
        "ctime": partial(_ctime, where),
        **{name: partial(_number, unit) for name, unit in UNITS.items()},
    }
    read = known.get(kind) or partial(_pattern, kind, where, latest)
    if kind not in known and "%" not in kind:
        raise ValueError(f"{kind!r} is no way to write a time")
    memory: dict[str, int | None] = {}

    def remembered(text: str) -> int | None:
        if text in memory:
            return memory[text]
        if len(memory) >= SAME:
            memory.clear()
        try:
            found: int | None = read(text)
        except (ValueError, OverflowError):
            found = None
        if found is not None and not 0 <= found < 2**62:
            found = None
        memory[text] = found
        return found

    return remembered


@cache
def zone_of(name: str) -> tzinfo:
    """Raises ValueError if there is no such time zone."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Berlin") from None


def kind_of(texts: list[str]) -> str | None:
    """What most of these are written as; None if it is none that is known."""
    best, most = None, len(texts) / 2
    for kind in ("epoch", "iso", "clf", "syslog", "ctime"):
        read = reader(kind, "UTC", 2**62)
        there = sum(read(text) is not None for text in texts)
        if there > most:
            best, most = kind, there
    return best


def stamp_of(lines: list[str]) -> str | None:
    """The kind of time that at least half of these lines begin with."""
    for kind, pattern in BEFORE.items():
        if lines and sum(pattern.match(line) is not None for line in lines) * 2 >= len(lines):
            return kind
    return None


def _ns(moment: datetime) -> int:
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1000


def _number(unit: int, text: str) -> int:
    found = NUMBER.fullmatch(text.strip())
    if not found:
        raise ValueError
    digits = len(str(unit)) - 1
    return int(found[1]) * unit + int(((found[2] or "") + "0" * digits)[:digits] or "0")


def _epoch(text: str) -> int:
    """The unit is that which makes it a time between 1973 and 5138."""
    whole = len(text.strip().partition(".")[0])
    if not 9 <= whole <= 19:
        raise ValueError
    return _number(
        next(u for u, most in zip(UNITS.values(), (11, 14, 17, 19), strict=True) if whole <= most),
        text,
    )


def _iso(zone: tzinfo, text: str) -> int:
    text = text.strip()
    if len(text) < 19 or text[4] != "-":
        raise ValueError
    fine = FINE.search(text, 19) if len(text) > LONG else None
    if fine:  # beyond microseconds
        text = text[: fine.start(1)] + text[fine.end(1) :]
    if " " in text[19:]:
        text = text[:19] + text[19:].replace(" ", "")
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return _ns(moment) + (int(fine[1].ljust(3, "0")) if fine else 0)


def _clf(text: str) -> int:
    found = CLF.fullmatch(text)
    if not found:
        raise ValueError
    day, month, year, hour, minute, second, zone = found.groups()
    moment = datetime(
        int(year), _month(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC
    )
    minutes = int(zone[:3]) * 60 + int(zone[0] + zone[3:])
    return _ns(moment) - minutes * 60 * SECOND


def _ctime(zone: tzinfo, text: str) -> int:
    found = CTIME.fullmatch(text)
    if not found:
        raise ValueError
    month, day, hour, minute, second, part, year = found.groups()
    micro = round(float(part or 0) * 10**6)
    clock = int(hour), int(minute), int(second), micro
    return _ns(datetime(int(year), _month(month), int(day), *clock, tzinfo=zone))


def _syslog(zone: tzinfo, latest: int, text: str) -> int:
    found = RFC3164.fullmatch(text)
    if not found:
        return _iso(zone, text)
    month, day, *rest = found.groups()
    hour, minute, second = map(int, rest)
    return _without_year(
        latest, lambda year: datetime(year, _month(month), int(day), hour, minute, second, 0, zone)
    )


def _pattern(pattern: str, zone: tzinfo, latest: int, text: str) -> int:
    """As strptime reads it; without a year as syslog."""
    if any(year in pattern for year in ("%Y", "%y", "%c", "%x", "%G")):
        return _ns(_parsed(text.strip(), pattern, zone))

    def moment(year: int) -> datetime:
        return _parsed(f"{year} {text.strip()}", f"%Y {pattern}", zone)

    return _without_year(latest, moment)


def _parsed(text: str, pattern: str, zone: tzinfo) -> datetime:
    moment = datetime.strptime(text, pattern)  # noqa: DTZ007  (the zone is given below)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _without_year(latest: int, moment: Callable[[int], datetime]) -> int:
    """In the last year in which it is not after `latest`: a 29th of February needs up to eight."""
    now = EPOCH + timedelta(seconds=latest // SECOND)
    for year in range(now.year + 1, now.year - 9, -1):
        try:
            found = _ns(moment(year))
        except ValueError:
            continue
        if found <= latest:
            return found
    raise ValueError


def _month(name: str) -> int:
    if name not in MONTHS:
        raise ValueError
    return MONTHS[name]


def latest_of(now: int, modified: int) -> int:
    """No record of a file is later than this: a day after it was written last, or from now."""
    return min(now, modified if modified > 10_000 * DAY else now) + DAY


def before(lines: list[str], kind: str, read: Reader) -> list[int | None]:
    """The time that each line begins with."""
    match = BEFORE[kind].match
    return [read(found[1]) if (found := match(line)) else None for line in lines]


def after(line: str) -> str:
    """What a line says behind the time that it begins with; all of it if there is none."""
    for pattern in BEFORE.values():
        if found := pattern.match(line):
            return line[found.end() :].lstrip("] ")
    return line
