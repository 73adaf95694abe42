"""The sessions of a log: lines that a pattern gives the same name, judged as a whole."""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path

import numpy as np

from amiss.data import Floats, State
from amiss.decide import sessions
from amiss.errors import ConfigError
from amiss.evaluate.answer import quoted, writing
from amiss.evaluate.log import Log
from amiss.evaluate.score import Report
from amiss.features import templates
from amiss.text.lines import Lines

HEADER = ("session", "first", "last", "lines", "score", "p", "alert")
PART = 4096  # sessions judged at once


@dataclass(slots=True)
class Session:
    """The lines of a session: the templates they had when they came."""

    first: int
    last: int = 0
    templates: "array[int]" = field(default_factory=lambda: array("i"))


def pattern(text: str) -> re.Pattern[str]:
    """What names a session: the first group of the first match. Raises ConfigError."""
    try:
        found = re.compile(text)
    except (re.error, OverflowError, RecursionError) as exc:
        raise ConfigError(f"--session: {text[:60]!r} is no pattern: {exc}") from None
    if not found.groups:
        raise ConfigError(
            f"--session: {text[:60]!r} has no group; what is in brackets names a session, "
            "such as (blk_-?[0-9]+)"
        )
    return found


def gather(
    pieces: Iterable[Lines], name: re.Pattern[str], known: State, report: Report
) -> tuple[State, dict[str, Session]]:
    """The sessions of a log, in the order of their last lines. Four bytes a line are kept."""
    found: dict[str, Session] = {}
    search, number = name.search, 0
    for lines in pieces:
        known, ids = templates.add(known, lines)
        raw, whole = (
            lines.text.tobytes(),
            zip(lines.begin.tolist(), lines.end.tolist(), strict=True),
        )
        for (a, b), template in zip(whole, ids.tolist(), strict=True):
            number += 1
            match = search(raw[a:b].decode("utf-8", "replace"))
            if match is None or (which := match[1]) is None:
                continue
            session = found.get(which)
            if session is None:
                session = found[which] = Session(number)
            session.last = number
            session.templates.append(template)
    report.rows = number
    return known, dict(sorted(found.items(), key=lambda named: named[1].last))


def score_sessions(
    logs: Sequence[Log],
    outs: Sequence[Path | None],
    name: re.Pattern[str],
    history: Log | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Report]:
    """Score the sessions of each log by itself, starting from what the history taught.

    Raises ConfigError for what cannot be read or written.
    """
    known, learned = templates.init(), sessions.init()
    if history is not None:
        known, past = gather(history.lines(tell), name, known, Report(history.name, None))
        same = templates.same(known)
        merged = [same[np.asarray(session.templates)] for session in past.values()]
        learned, *_ = sessions.step(learned, merged, True)
    for log, out in zip(logs, outs, strict=True):
        report = Report(log.name, out)
        _, found = gather(log.lines(tell), name, deepcopy(known), report)
        report.samples, named = len(found), list(found.items())
        states = deepcopy(learned)
        with writing(out) as file:
            file.write(f"{','.join(HEADER)}\n".encode())
            for at in range(0, len(named), PART):
                part = named[at : at + PART]
                ids = [np.asarray(session.templates) for _, session in part]
                states, _, p, alert = sessions.step(states, ids)
                report.alerts += int(alert.sum())
                file.write("".join(_rows(part, p, alert.tolist())).encode("utf-8", "replace"))
        yield report


def _rows(part: Sequence[tuple[str, Session]], p: Floats, alert: Sequence[bool]) -> Iterator[str]:
    for (name, one), said, told in zip(part, opinions(p), alert, strict=True):
        yield (f"{quoted(name)},{one.first},{one.last},{len(one.templates)},{said},{int(told)}\n")


def opinions(p: Floats) -> Iterator[str]:
    """Score and p as they are written: with all digits that matter, or nothing."""
    for each, score in zip(p.tolist(), (-np.log(p)).tolist(), strict=True):
        yield f"{abs(score):.9g},{each:.9g}" if isfinite(each) else ","
