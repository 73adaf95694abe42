"""Spans of time and rates, as they are written in configurations: 90s, 15m, 1d; 5/day, 1/week."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from amiss.data import DAY, HOUR, MINUTE, SECOND

SPAN = r"^\d+(\.\d+)?(ms|s|m|h|d)$"
RATE = r"^\d+(\.\d+)?\s*/\s*(hour|day|week)$"
LONGEST = 36_500 * DAY  # ns; now and a century fit in 64 bits
UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def parse_span(text: object) -> object:
    """`90s`, `15m`, `1d` -> nanoseconds; a whole number passes through as nanoseconds.

    ValueError if it is none, or longer than a century.
    """
    if not isinstance(text, str):
        return text
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text)
    if not found:
        raise ValueError(f"{text[:60]!r} is not a span of time; write 90s, 15m, 6h or 1d")
    span = float(found[1]) * UNITS[found[2]]
    if span > LONGEST:
        raise ValueError(f"{text[:60]!r} is too long; write {write_span(LONGEST)} at most")
    return round(span)


def write_span(ns: int) -> str:
    """The shortest text that `parse_span` reads back as the same span."""
    whole = [unit for unit, size in UNITS.items() if ns % size == 0 and ns >= size]
    return f"{ns // UNITS[whole[-1]]}{whole[-1]}" if whole else f"{ns / SECOND:.9g}s"


Span = Annotated[
    int,
    BeforeValidator(parse_span),
    PlainSerializer(write_span),
    Field(le=LONGEST),
    WithJsonSchema({"type": "string", "pattern": SPAN}),
]
"""Nanoseconds, written as 90s, 15m, 6h or 1d."""


def parse_rate(text: object) -> object:
    """`5/day`, `1/week` -> a number a day; a number passes through."""
    if not isinstance(text, str):
        return text
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*/\s*(hour|day|week)", text)
    if not found:
        raise ValueError(f"{text!r} is not a rate; write 5/day or 1/week")
    return float(found[1]) * {"hour": 24.0, "day": 1.0, "week": 1 / 7}[found[2]]


def write_rate(a_day: float) -> str:
    """The text that `parse_rate` reads back as the same rate."""
    return f"{a_day:.12g}/day" if a_day >= 1 else f"{a_day * 7:.12g}/week"


Rate = Annotated[
    float,
    BeforeValidator(parse_rate),
    Field(gt=0, lt=1e6),
    PlainSerializer(write_rate),
    WithJsonSchema({"type": "string", "pattern": RATE}),
]
"""How often, a day; written as 5/day or 1/week."""
