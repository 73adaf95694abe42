"""The template of each line of a log, as CSV."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np

from amiss.evaluate import digits
from amiss.evaluate.answer import writing
from amiss.evaluate.log import Log
from amiss.features import templates

HEADER = ("line", "template_id", "template")
ROWS = 1 << 14  # written at once


def write_templates(
    log: Log, out: Path | None, tell: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Write a row for each line; how many lines, and how many templates, there were.

    Ids are those that are known at the end, when what had proved to be one template is one.
    Four bytes are kept for each line. Raises ConfigError for what cannot be read or written.
    """
    state, told = templates.init(), [np.zeros(0, np.int32)]
    for lines in log.lines(tell):
        state, ids = templates.add(state, lines)
        told.append(ids)
    ids, same = np.concatenate(told), templates.same(state)
    rows = [_row(template, templates.shown(state, template)) for template in same.tolist()]
    ends = np.cumsum([0, *map(len, rows)])
    text = np.frombuffer(b"".join(rows), np.uint8)
    with writing(out) as file:
        file.write(f"{','.join(HEADER)}\n".encode())
        for at in range(0, len(ids), ROWS):
            part = ids[at : at + ROWS]
            size = int((ends[part + 1] - ends[part]).sum()) + len(part) * digits.WIDEST
            buffer = np.empty(size, np.uint8)
            file.write(buffer[: digits.endings(buffer, at + 1, part, text, ends)].tobytes())
    return len(ids), len(np.unique(same[ids]))


def _row(*cells: object) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()
