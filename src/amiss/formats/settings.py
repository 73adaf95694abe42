"""How lines are written, as settings say it: the same words for all sources of lines."""

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator

from amiss.formats import form, times

LONGEST = 2048  # characters of a field
NO_LABEL = re.compile(r'[=,{}"\s]')

LineFormat: TypeAlias = Literal[
    "auto", "json", "logfmt", "combined", "syslog", "eve", "auth", "audit", "regex", "text"
]
"""What a line by itself can be, without a header or the lines around it."""


def _time_format(kind: str) -> str:
    if kind and kind not in times.KINDS and "%" not in kind:
        raise ValueError(f"write one of {', '.join(times.KINDS)}, or a pattern such as %d.%m.%Y")
    return kind


def _pattern(pattern: str) -> str:
    try:
        form.compiled(pattern)
    except re.error as exc:
        raise ValueError(f"no regular expression: {exc}") from None
    return pattern


def _zone(zone: str) -> str:
    times.zone_of(zone)
    return zone


Zone = Annotated[str, AfterValidator(_zone)]
"""A time zone by its name, such as Europe/Berlin."""
TimeFormat = Annotated[str, AfterValidator(_time_format)]
"""How a time is written (see times.KINDS), or a pattern of strptime."""
Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression."""


def fit(format_: str, regex: str, fields: bool) -> None:
    """Raises ValueError if these do not go together; `fields`: some are named."""
    if format_ == "regex" and not form.compiled(regex).groupindex:
        raise ValueError("format regex needs a regex with named groups: (?P<status>\\d+)")
    if regex and format_ != "regex":
        raise ValueError("regex is read with `format: regex` alone")
    if format_ == "text" and fields:
        raise ValueError("text has no fields; take `format: regex` for `time` and `value`")


def label(field: str) -> str:
    """What the label of a field is called."""
    return NO_LABEL.sub("_", field)[:100] or "_"


def short(column: list[str]) -> list[str]:
    """Long values cut, so that one does not make a column of all as wide."""
    if max(map(len, column), default=0) <= LONGEST:
        return column
    return [one if len(one) <= LONGEST else f"{one[:LONGEST]}..." for one in column]


def at_most(text: list[str], most: int) -> list[str]:
    """Texts of at most so many bytes each, and of those cut how many there were."""
    if max(map(len, text), default=0) * 4 <= most:
        return text
    return [shorten(one, most) for one in text]


def shorten(text: str, most: int) -> str:
    """At most so many bytes, and how many were cut."""
    if len(text) * 4 <= most:
        return text
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) <= most:
        return text
    return f"{raw[:most].decode('utf-8', 'ignore')}... ({len(raw) - most} bytes cut)"
