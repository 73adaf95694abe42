"""Logs of Zeek: tables whose fields are named in #fields, or the same as JSON."""

import re

from amiss.formats import objects
from amiss.formats.parsed import Parsed, sparse

REASON = "lines of Zeek before a header, or with more or fewer values than it names"
ESCAPED = re.compile(r"(?:\\x[0-9a-fA-F]{2})+")
SIGNS = ("separator", "set_separator", "empty_field", "unset_field", "fields", "path")

Header = tuple[str, ...]
"""What the lines with # say: one `sign value` each, in the order of SIGNS."""


def header(lines: list[str]) -> Header:
    """What the first lines with # say; nothing where there are none."""
    said: dict[str, str] = {}
    for line in lines:
        if line.startswith("#"):
            _take(said, line)
    return _packed(said)


def parse(lines: list[str], known: Header) -> Parsed:
    """Rows of the header that is `known`, until another one comes; or JSON.

    What is unset or empty is absent. The name of the log (#path) is the field `log`.
    """
    signs = {line[:1] for line in lines}
    if not known and "{" in signs and "#" not in signs:
        return objects.parse(lines)
    said, text, rows, bad = _unpacked(known), list[str](), list[dict[str, str]](), 0
    names = said.get("fields", "").split("\t")
    for line in lines:
        if line.startswith("#"):
            _take(said, line)
            names = said.get("fields", "").split("\t")
            continue
        values = line.split(said.get("separator", "\t"))
        if "fields" not in said or len(values) != len(names):
            bad += 1
            continue
        absent = ("", said.get("unset_field", "-"), said.get("empty_field", "(empty)"))
        between = said.get("set_separator", ",")
        row = {n: _plain(v, between) for n, v in zip(names, values, strict=True) if v not in absent}
        text.append(line)
        rows.append(row | ({"log": said["path"]} if "path" in said else {}))
    found = sparse(text, rows)
    if bad:
        found.skipped[REASON] = bad
    found.header = _packed(said) if _packed(said) != known else ()
    return found


def _plain(value: str, between: str) -> str:
    """With escaped bytes as they are, and a comma between the items of a set."""
    if "\\x" in value:
        value = ESCAPED.sub(_bytes, value)
    return value if between == "," else value.replace(between, ",")


def _bytes(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("\\x", "")).decode("utf-8", "backslashreplace")


def _take(said: dict[str, str], line: str) -> None:
    """A line with #; one that says something new of how all others are written."""
    if line.startswith("#separator"):
        said.clear()
        said["separator"] = _plain(line[11:].strip(" "), ",") or "\t"
        return
    sign, _, value = line[1:].partition(said.get("separator", "\t"))
    if sign == "fields":
        value = value.replace(said.get("separator", "\t"), "\t")
    if sign in SIGNS:
        said[sign] = value


def _packed(said: dict[str, str]) -> Header:
    return tuple(f"{sign} {said[sign]}" for sign in SIGNS if sign in said)


def _unpacked(known: Header) -> dict[str, str]:
    return {sign: value for sign, _, value in (one.partition(" ") for one in known)}
