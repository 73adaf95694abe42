"""Each line of a log by itself, as CSV."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path

from amiss.decide.lines import Lines
from amiss.evaluate.answer import writing
from amiss.evaluate.log import Log
from amiss.evaluate.score import Report
from amiss.evaluate.sessions import opinions

HEADER = ("line", "score", "p", "alert")


def score_lines(
    logs: Sequence[Log],
    outs: Sequence[Path | None],
    history: Log | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Report]:
    """Score the lines of each log by itself, starting from what the history taught.

    Raises ConfigError for what cannot be read or written.
    """
    learned = Lines()
    if history is not None:
        for lines in history.lines(tell):
            learned.step(lines, True)
        learned.learn(True)
    for log, out in zip(logs, outs, strict=True):
        report, scorer = Report(log.name, out), deepcopy(learned)
        with writing(out) as file:
            file.write(f"{','.join(HEADER)}\n".encode())
            for lines in log.lines(tell):
                p, alert = scorer.step(lines)
                said = zip(opinions(p), alert.tolist(), strict=True)
                rows = (f"{n},{x},{int(a)}\n" for n, (x, a) in enumerate(said, report.rows + 1))
                file.write("".join(rows).encode())
                report.rows += len(lines)
                report.alerts += int(alert.sum())
        report.samples = report.rows
        yield report
