"""How the lines of one file are written, found by looking at the first, kept in the cursor."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from amiss.formats import audit, auth, eve, objects, pairs, patterns, tables, times, zeek
from amiss.formats.parsed import Parsed, table

LOOK = 50  # lines that are looked at
SURE = 10  # lines after which text is text


@dataclass(frozen=True, slots=True)
class Form:
    """What a file's lines are; `time` is the field with the time, written as `stamp`."""

    kind: str  # json, csv, logfmt, combined, syslog, zeek, eve, auth, audit, regex or text
    time: str = ""
    stamp: str = ""  # without such a field, of the time that a line begins with
    columns: tuple[str, ...] = ()  # of a table; of Zeek what its header says
    separator: str = ""
    sure: bool = True  # False: there were too few lines to tell

    def dump(self) -> dict[str, Any]:
        """To JSON."""
        said = {"kind": self.kind, "time": self.time, "stamp": self.stamp, "sure": self.sure}
        more = {"columns": list(self.columns), "separator": self.separator}
        return said | more if self.columns else said


def load(said: dict[str, Any]) -> Form:
    """From JSON."""
    return Form(**{**said, "columns": tuple(said.get("columns", ()))})


@dataclass(frozen=True, slots=True)
class Asked:
    """What the configuration says of it; "" and "auto" are to be found."""

    kind: str
    time: str = ""
    stamp: str = ""
    regex: str = ""
    columns: tuple[str, ...] = ()


def look(lines: list[str], asked: Asked, known: Form | None) -> Form:
    """From the first lines of a file; `known` is the form of the file before it."""
    lines = [line for line in lines if line.strip()][:LOOK]
    kind = _kind(lines) if asked.kind == "auto" else asked.kind
    if kind == "text":
        stamp = asked.stamp or times.stamp_of(lines) or ""
        return Form("text", "", stamp, sure=len(lines) >= SURE or asked.kind == "text")
    columns, separator = asked.columns, ""
    if kind == "csv":
        separator = tables.guess(lines) or (known.separator if known else "") or ","
        columns = columns or _columns(lines, separator, known)
    if kind == "zeek":
        columns = zeek.header(lines) or (known.columns if known else ())
    form = Form(kind, "", "", columns, separator)
    parsed = parse(lines, form, asked.regex)
    time, stamp = _time(parsed, asked)
    if kind in ("syslog", "auth") and not asked.stamp and stamp == "iso":
        stamp = "syslog"  # of several senders some write one, some the other; this reads both
    if kind == "logfmt" and not (time or asked.time):
        stamp = asked.stamp or times.stamp_of(lines) or ""
    sure = bool(parsed.text) and bool(time or not asked.time)
    return Form(kind, time, stamp, columns, separator, sure)


def parse(lines: list[str], form: Form, regex: str = "") -> Parsed:
    """Lines to text and fields; what does not fit is counted."""
    if form.kind == "csv":
        return tables.parse(lines, list(form.columns), form.separator)
    if form.kind == "zeek":
        return zeek.parse(lines, form.columns)
    if form.kind == "regex":
        return patterns.by_pattern(lines, compiled(regex), "lines that the pattern does not fit")
    parsers: dict[str, Callable[[list[str]], Parsed]] = {
        "json": objects.parse,
        "logfmt": pairs.parse,
        "combined": patterns.combined,
        "syslog": patterns.syslog,
        "eve": eve.parse,
        "auth": auth.parse,
        "audit": audit.parse,
    }
    return parsers[form.kind](lines) if form.kind in parsers else table(lines, (), [])


@cache
def compiled(regex: str) -> re.Pattern[str]:
    """Raises re.error if it is none."""
    return re.compile(regex)


def _kind(lines: list[str]) -> str:
    """What at least nine of ten lines are."""
    enough = len(lines) * 0.9
    if lines and lines[0].startswith("#separator "):
        return "zeek"
    for kind in ("audit", "json", "combined", "syslog"):
        if lines and len(parse(lines, Form(kind)).text) >= enough:
            return kind
    parsed = pairs.parse(lines)
    begun = sum(pairs.PAIR.match(times.after(line)) is not None for line in parsed.text)
    several = sum(len(pairs.PAIR.findall(line)) > 1 for line in parsed.text)
    if lines and min(begun, several) >= enough:
        return "logfmt"
    return "csv" if tables.guess(lines) else "text"


def _columns(lines: list[str], separator: str, known: Form | None) -> tuple[str, ...]:
    """Those of the file before this one, which may go on without a header; else the header's."""
    if not lines:
        return known.columns if known else ()
    width = len(tables.cells(lines[0], separator))
    if known and len(known.columns) == width:
        return known.columns
    names = tables.header(lines[0], separator)
    return tuple(names) if names else tuple(f"c{i + 1}" for i in range(width))


def _time(parsed: Parsed, asked: Asked) -> tuple[str, str]:
    """The field with the time, and how it is written; both "" if there is none."""
    names = (asked.time,) if asked.time else times.NAMES
    for name in names:
        texts = [text for text in parsed.columns.get(name, ()) if text]
        stamp = asked.stamp or (times.kind_of(texts) if texts else None)
        if texts and stamp:
            return name, stamp
    return (asked.time, asked.stamp) if asked.time and asked.stamp else ("", "")
