"""logfmt: key=value key="another value", as Go programs and Heroku write it."""

import json
import re

from amiss.formats.parsed import Parsed, sparse

PAIR = re.compile(r'(?<![^\s="])([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
"""Looked for where a word begins alone: else a long one is walked from each of its characters."""
REASON = "lines without a key=value"


def parse(lines: list[str]) -> Parsed:
    """The pairs; words that are none pass by. Of two pairs with one key the last counts."""
    text, rows = [], []
    for line in lines:
        if pairs := PAIR.findall(line):
            text.append(line)
            rows.append({k: _plain(v) if v[:1] == '"' else v for k, v in pairs})
    found = sparse(text, rows)
    if len(text) < len(lines):
        found.skipped[REASON] = len(lines) - len(text)
    return found


def _plain(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted[1:-1]
    try:
        return str(json.loads(quoted, strict=False))
    except ValueError:  # an escape that JSON does not know
        return quoted[1:-1]
