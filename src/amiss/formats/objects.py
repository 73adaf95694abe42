"""JSON, one object a line: Zeek, Suricata EVE, most application logs."""

import json
from itertools import chain
from typing import Any

import orjson

from amiss.formats.parsed import MOST_FIELDS, OVER, Parsed

DEEPEST = 8  # objects in each other that get names of their own
REASON = "lines that are no JSON object"
_exactly = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)

Rows = list[dict[str, Any]]


def parse(lines: list[str]) -> Parsed:
    """Fields of objects in objects are `outer.inner`; items of a list are joined by commas.

    Numbers are as they are written, true and false are words, null is absent.
    """
    said = list(map(_read, lines))
    text = [line for line, one in zip(lines, said, strict=True) if one is not None]
    rows = [one for one in said if one is not None]
    found, odd = Parsed(text), set[int]()
    _columns(found, rows, "", odd)
    if odd:  # numbers that Python would write in another way
        for i in odd:
            rows[i] = _slowly(text[i]) or {}
        found = Parsed(text)
        _columns(found, rows, "", set())
    if len(text) < len(lines):
        found.skipped[REASON] = len(lines) - len(text)
    return found


def _read(line: str) -> dict[str, Any] | None:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _slowly(line) if line.lstrip()[:1] == "{" else None
    return said if type(said) is dict else None


def _slowly(line: str) -> dict[str, Any] | None:
    """With numbers as they are written, and what JSON has not but some write: NaN, halves."""
    try:
        said = _exactly.decode(line)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _columns(found: Parsed, rows: Rows, outer: str, odd: set[int], depth: int = 1) -> None:
    """A column for each name below `outer`; `odd` gets the rows with numbers written otherwise."""
    for name in dict.fromkeys(chain.from_iterable(rows)):
        values = [row.get(name) for row in rows]
        kinds = set(map(type, values))
        if dict in kinds and depth < DEEPEST:
            inner = [value if type(value) is dict else {} for value in values]
            _columns(found, inner, f"{outer}{name}.", odd, depth + 1)
            if not kinds - {dict, type(None)}:
                continue
            values = [None if type(value) is dict else value for value in values]
        if len(found.columns) >= MOST_FIELDS:
            found.skipped[OVER] += sum(value is not None for value in values)
            continue
        words = list(map(str if kinds <= {str, int} else _word, values))
        if kinds & {float, list}:
            odd.update(i for i, v in enumerate(values) if not _faithful(v, found.text[i]))
        mine = found.columns.get(f"{outer}{name}")
        if mine is not None:  # "a.b" and "a": {"b"}
            words = [word or before for word, before in zip(words, mine, strict=True)]
        found.columns[f"{outer}{name}"] = words


def _faithful(value: Any, line: str) -> bool:
    """Whether its numbers are written as Python would."""
    if type(value) is list:
        return all(_faithful(one, line) for one in value)
    if type(value) is not float:
        return True
    said = repr(value)
    return f"{said}," in line or any(said + end in line for end in "}] ")


def _word(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return ""
    if kind is list:
        return ",".join(map(_word, value))
    if kind is dict:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return repr(value)
