"""Moments as they are written on a command line: a time, or so long ago."""

import re


def moment(text: str, option: str, now: int) -> int:
    """ns of `7d`, before `now`, or of 2026-03-07T14:02. ConfigError, naming the option, if neither.

    A time without a zone is UTC.
    """
    from amiss.errors import ConfigError
    from amiss.spans import SPAN
    from amiss.web.times import parse_time

    if re.match(SPAN, text):
        return now - span(text, option)
    try:
        return parse_time(text)
    except ValueError:
        raise ConfigError(
            f"{option}: {text!r} is neither a span such as 24h or 7d nor a time such as 2026-03-07"
        ) from None


def span(text: str, option: str) -> int:
    """ns of 90s, 15m, 6h or 7d. ConfigError, naming the option, if it is none."""
    from amiss.errors import ConfigError
    from amiss.spans import parse_span

    try:
        found = parse_span(text)
    except ValueError as exc:
        raise ConfigError(f"{option}: {exc}") from None
    return found if isinstance(found, int) else 0
