"""What the program says of itself: a line of key=value or JSON for each event.

LOG_LEVEL    DEBUG, INFO, WARNING or ERROR
LOG_FORMAT   logfmt (key=value) or json
"""

import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import orjson

from amiss.data import readable
from amiss.errors import ConfigError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FORMATS = ("logfmt", "json")
PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Stderr(logging.StreamHandler[TextIO]):
    """Writes to standard error as it is at that moment: a live line on a terminal takes it over."""

    @property
    def stream(self) -> TextIO:
        """Not that of the start."""
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """It cannot be another."""


def start(form: Literal["terminal"] | None = None) -> None:
    """Write all that is logged to standard error, in this form or that which LOG_FORMAT says.

    On a terminal warnings alone, in few words, unless LOG_LEVEL says otherwise. What a logger is
    handed as `extra` becomes further keys. Raises ConfigError for a level or form there is none of.
    """
    level = os.environ.get("LOG_LEVEL", "WARNING" if form else "INFO").upper()
    if level not in LEVELS:
        raise ConfigError(f"LOG_LEVEL: there is no level {level!r}; known: {', '.join(LEVELS)}")
    chosen = form or os.environ.get("LOG_FORMAT", FORMATS[0]).lower()
    if chosen not in (*FORMATS, form):
        raise ConfigError(f"LOG_FORMAT: there is no form {chosen!r}; known: {', '.join(FORMATS)}")
    handler = Stderr()
    handler.setFormatter({"json": Json, "terminal": Terminal}.get(chosen, Logfmt)())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(logging.getLevelName(level), logging.WARNING))  # libraries: INFO is theirs
    logging.getLogger("amiss").setLevel(level)
    logging.captureWarnings(True)


class Terminal(logging.Formatter):
    """14:02:10 warning: what happened."""

    def format(self, record: logging.LogRecord) -> str:
        """One event; the trace of a fault below it."""
        at = datetime.fromtimestamp(record.created).astimezone()
        text = "".join(c if c.isprintable() or c == "\n" else " " for c in record.getMessage())
        said = f"{at:%H:%M:%S} {record.levelname.lower()}: {text}"
        return f"{said}\n{self.formatException(record.exc_info)}" if record.exc_info else said


class Json(logging.Formatter):
    """{"time": ..., "level": ..., "from": ..., "message": ..., ...}."""

    def format(self, record: logging.LogRecord) -> str:
        """One event on one line."""
        said = dict(_keys(record, self))
        return orjson.dumps(said, default=lambda value: readable(str(value))).decode()


class Logfmt(logging.Formatter):
    """time=... level=... from=... message="..." ..., quoted where need be."""

    def format(self, record: logging.LogRecord) -> str:
        """One event on one line."""
        return " ".join(f"{key}={_quoted(value)}" for key, value in _keys(record, self))


def _keys(record: logging.LogRecord, form: logging.Formatter) -> Iterator[tuple[str, Any]]:
    at = datetime.fromtimestamp(record.created, UTC)
    yield "time", f"{at:%Y-%m-%dT%H:%M:%S}.{int(record.msecs):03d}Z"
    yield "level", record.levelname.lower()
    yield "from", record.name
    yield "message", readable(record.getMessage())
    for key, value in vars(record).items():
        if key not in PLAIN:
            yield key, readable(value) if isinstance(value, str) else value
    if record.exc_info:
        yield "fault", readable(form.formatException(record.exc_info))


def _quoted(value: object) -> str:
    text = readable(str(value))
    if text and text.isprintable() and not any(c in ' "=' for c in text):
        return text
    return orjson.dumps(text).decode()
