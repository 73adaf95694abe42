"""Times as the API takes them, ISO 8601 or seconds since 1970, and as it gives them."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from amiss.data import SECOND

LATEST = 2**63 - 1  # ns
SPACE_FOR_PLUS = re.compile(r"(?<=\d) (?=\d\d:?\d\d$)")
EXAMPLE = "2026-03-07T14:02:10.000Z"


def iso(ns: int) -> str:
    """RFC 3339 in UTC with milliseconds: 2026-03-07T14:02:10.000Z."""
    seconds, rest = divmod(ns, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 10**6:03d}Z"


def parse_time(said: Any) -> int:
    """Nanoseconds since 1970. A time without a zone is UTC. ValueError if it is no time."""
    text = str(said).strip()
    ns = _of_seconds(text)
    if ns is None:
        ns = _of_date(text)
    if ns is None or not 0 <= ns <= LATEST:
        raise ValueError(f"{text[:60]!r} is not a time; write {EXAMPLE} or seconds since 1970")
    return ns


def _of_seconds(text: str) -> int | None:
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        return None
    if not seconds.is_finite() or abs(seconds) > LATEST:
        return None
    return int(seconds * SECOND)


def _of_date(text: str) -> int | None:
    zoned = "T" in text and text.count(":") >= 2
    try:
        # a + that was not escaped in an address arrives as a space
        at = datetime.fromisoformat(SPACE_FOR_PLUS.sub("+", text) if zoned else text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    whole = int(at.replace(microsecond=0).timestamp())
    return whole * SECOND + at.microsecond * 1000


def _written(said: Any) -> Any:
    return iso(said) if isinstance(said, int) else said


When = Annotated[
    int,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "examples": [EXAMPLE, "1772892130"]}),
]
"""A time that somebody asks for, in ns."""

Moment = Annotated[
    str,
    BeforeValidator(_written),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [EXAMPLE]}),
]
"""A time that is told; made from ns."""


def _ever(said: Any) -> Any:
    return None if said == 0 else _written(said)


Ever = Annotated[
    str | None,
    BeforeValidator(_ever),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
]
"""The same; 0 is null, for what has never been."""
