"""The template of each line of a log, as CSV."""

import csv
import io
from array import array
from collections.abc import Callable
from pathlib import Path

from amiss.evaluate.answer import writing
from amiss.evaluate.log import Log
from amiss.features.templates import Templates

HEADER = ("line", "template_id", "template")
ROWS = 1 << 16  # written at once


def write_templates(
    log: Log, out: Path | None, tell: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Write a row for each line; how many lines, and how many templates, there were.

    Ids are those that are known at the end, when what had proved to be one template is one.
    Four bytes are kept for each line. Raises ConfigError for what cannot be read or written.
    """
    miner, ids = Templates(), array("i")
    for lines in log.lines(tell):
        ids.extend(map(miner.add, lines))
    final = [miner.same(template) for template in range(len(miner.text))]
    ends = [_row(template, miner.shown(template)) for template in final]
    with writing(out) as file:
        file.write(f"{','.join(HEADER)}\n".encode())
        for at in range(0, len(ids), ROWS):
            rows = enumerate(ids[at : at + ROWS], at + 1)
            file.write("".join(f"{n},{ends[template]}" for n, template in rows).encode())
    return len(ids), len({final[template] for template in set(ids)})


def _row(*cells: object) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
