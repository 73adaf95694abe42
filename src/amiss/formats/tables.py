"""CSV: a line with the names of the columns, then one line a row."""

import csv
import re

from amiss.formats.parsed import Parsed, table

SEPARATORS = ",;\t|"
TIME = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
REASON = "rows with more or fewer values than the header"


def parse(lines: list[str], columns: list[str], separator: str) -> Parsed:
    """Rows of these columns. A header that comes again (after a rotation) passes by."""
    texts, rows = [], []
    skipped = again = 0
    for line in lines:
        row = cells(line, separator)
        if len(row) != len(columns):
            skipped += 1
        elif columns[0] in row[0] and _names(row) == columns:
            again += 1
        else:
            texts.append(line)
            rows.append(tuple(row))
    found = table(texts, tuple(columns), rows)
    if skipped:
        found.skipped[REASON] = skipped
    return found


def cells(line: str, separator: str) -> list[str]:
    """The values of one line, without their quotes."""
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []


def header(line: str, separator: str) -> list[str] | None:
    """The names of the columns, if the line says such: all different, none empty, no numbers."""
    names = _names(cells(line, separator))
    bare = all(name and not _number(name) for name in names)
    return names if bare and len(set(names)) == len(names) else None


def _names(row: list[str]) -> list[str]:
    return [name.strip().lstrip("#").strip() for name in row]


def guess(lines: list[str]) -> str | None:
    """The separator of a table: two columns and more, a header, and below it a column of numbers
    or times. Sentences with a comma each are none.
    """
    for separator in SEPARATORS:
        rows = [cells(line, separator) for line in lines]
        if len(rows) < 2 or len(rows[0]) < 2 or {len(row) for row in rows} != {len(rows[0])}:
            continue
        below = zip(*rows[1:], strict=True)
        if header(lines[0], separator) and any(all(map(_measured, column)) for column in below):
            return separator
    return None


def _measured(text: str) -> bool:
    return _number(text) or TIME.match(text) is not None


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
