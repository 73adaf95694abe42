"""Each line of a log by itself, as CSV."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path

from amiss.decide import lines
from amiss.evaluate.answer import numbered, writing
from amiss.evaluate.log import Log
from amiss.evaluate.score import Report
from amiss.formats.timeless import timeless

HEADER = ("line", "score", "p", "alert")


def score_lines(
    logs: Sequence[Log],
    outs: Sequence[Path | None],
    history: Log | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Report]:
    """Score the lines of each log by itself, starting from what the history taught.

    What a line says is judged, and not when it was written, as detector `lines` does.
    Raises ConfigError for what cannot be read or written.
    """
    learned = lines.init()
    if history is not None:
        for some in history.lines(tell):
            learned, _, _ = lines.step(learned, timeless(some), True)
        learned = lines.settle(learned, True)
    for log, out in zip(logs, outs, strict=True):
        report = Report(log.name, out)
        states = deepcopy(learned) if len(logs) > 1 else learned
        with writing(out) as file:
            file.write(f"{','.join(HEADER)}\n".encode())
            for some in log.lines(tell):
                states, p, alert = lines.step(states, timeless(some))
                file.write(numbered(report.rows + 1, p, alert))
                report.rows += len(p)
                report.alerts += int(alert.sum())
        report.samples = report.rows
        yield report
