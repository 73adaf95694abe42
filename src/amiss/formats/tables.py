"""CSV: a line with the names of the columns, then one line a row."""

import csv

from amiss.formats.parsed import Parsed, table

SEPARATORS = ",;\t|"
REASON = "rows with more or fewer values than the header"


def parse(lines: list[str], columns: list[str], separator: str) -> Parsed:
    """Rows of these columns. A header that comes again (after a rotation) passes by."""
    texts, rows = [], []
    skipped = again = 0
    for line in lines:
        row = cells(line, separator)
        if len(row) != len(columns):
            skipped += 1
        elif row == columns:
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
    names = [name.strip().lstrip("#").strip() for name in cells(line, separator)]
    bare = all(name and not _number(name) for name in names)
    return names if bare and len(set(names)) == len(names) else None


def guess(lines: list[str]) -> str | None:
    """The separator of a table of two columns and more, if the first line is a header."""
    for separator in SEPARATORS:
        widths = {len(cells(line, separator)) for line in lines}
        if len(lines) > 1 and len(widths) == 1 and widths.pop() > 1 and header(lines[0], separator):
            return separator
    return None


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
