"""Sections that every report has, of a program, a back-test or a script: counts and pictures."""

from collections.abc import Iterator, Sequence
from html import escape
from math import exp

from amiss.data import DAY
from amiss.drawing.markup import table
from amiss.evaluate import panels, svg
from amiss.evaluate.confusion import Confusion
from amiss.evaluate.distribution import Distribution
from amiss.evaluate.embedding import embed
from amiss.evaluate.entries import Entry, counted
from amiss.evaluate.figures import Spent, days_of
from amiss.evaluate.paper import faint
from amiss.words.phrases import count

ORDER = ("high", "medium", "low")
STRANGE = 7  # nats: about one sample in a thousand


def breakdowns(entries: Sequence[Entry]) -> list[tuple[str, list[tuple[str, int]]]]:
    """By severity, kind, subject, and what was judged; each with the numbers of its values."""
    severities = dict(counted(entries, lambda one: one.severity))
    return [
        ("severity", [(name, severities[name]) for name in ORDER if name in severities]),
        ("kind", counted(entries, lambda one: one.kind)),
        ("subject", counted(entries, lambda one: one.subject)),
        ("what was strange", counted(entries, lambda one: one.judged)),
    ]


def breakdown(entries: Sequence[Entry], what: str = "incidents") -> Iterator[str]:
    """The counts as tables."""
    if not entries:
        return
    yield "<h2>How many of what</h2>"
    tables = [
        table((name, what), [(escape(a), f"{n:,}") for a, n in rows], f"By {name}")
        for name, rows in breakdowns(entries)
    ]
    yield f'<div class="tables">{"".join(tables)}</div>'


def breakdown_lines(entries: Sequence[Entry]) -> Iterator[str]:
    """The counts as text."""
    for name, rows in breakdowns(entries):
        yield ""
        yield f"By {name}"
        yield from (f"  {printable(said):<32} {number:,}" for said, number in rows)
        if not rows:
            yield "  none"


def printable(text: str) -> str:
    """Without what a terminal would obey: names and log lines come from anyone."""
    return "".join(c if c.isprintable() else " " for c in text)


def told(spent: Spent) -> Iterator[str]:
    """What was told by day or week, against what was asked for."""
    parts = days_of(spent)
    if len(parts) < 2:
        return
    unit = "week" if max(part.end - part.start for part in parts) > DAY else "day"
    yield f"<h2>Told by {unit} <small>against what was asked for</small></h2>"
    yield svg.told(parts, spent.a_day, svg.spoken(parts))
    yield svg.legend([("bar", "told"), ("over", "told, more than asked"), ("asked", "asked")])


def pictures(
    entries: Sequence[Entry],
    start: int,
    end: int,
    scores: Distribution,
    each: str = "an incident",
) -> Iterator[str]:
    """When, how strange, and what lies near what."""
    if entries:
        yield "<h2>When <small>as long as it was strange; the taller, the more severe</small></h2>"
        yield panels.timeline(entries, start, end)
        yield svg.legend([(f"at {name}", name) for name in ORDER])
    if scores.judged:
        yield "<h2>How strange samples were <small>by score, the negative log of p</small></h2>"
        yield panels.distribution(scores)
        yield svg.legend(
            [
                ("bar", "samples, each step of the axis ten times as many"),
                ("over", "more than twice as many as by chance"),
                ("asked", "if nothing were amiss and every score exact"),
            ]
        )
        yield faint(in_short(scores))
    if entries:
        yield f"<h2>What lies near what <small>each dot {each}</small></h2>"
        yield from _map(entries)


def in_short(scores: Distribution) -> str:
    """The distribution in a sentence."""
    said = (
        f"Of {count(scores.judged, 'sample')}, {scores.beyond(STRANGE):.3%} have a score of "
        f"{STRANGE} or more; by chance it would be {exp(-STRANGE):.3%}."
    )
    if scores.unjudged:
        said += f" Of {scores.unjudged:,} more there was no opinion."
    return said


def _map(entries: Sequence[Entry]) -> Iterator[str]:
    found = embed(entries)
    if found is None:
        yield faint("There is no map: it takes three that differ.")
        return
    yield panels.embedding(found)
    yield svg.legend(panels.SEVERITIES)
    yield faint(
        f"Across: {panels.in_words('left-right', found.axes[0])}. "
        f"Up: {panels.in_words('below-above', found.axes[1])}. Placed by what they consist of, "
        "along the two principal components; what differs in other ways lies together here."
    )


def confused(of: Confusion) -> Iterator[str]:
    """Told against labelled, by time."""
    yield panels.matrix(of)
    yield faint("By time: an incident counts from its first to its last strange moment.")
