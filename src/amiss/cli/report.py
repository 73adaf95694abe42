"""`amiss report`: what was watched and told in a span, to read, to send on and to print."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amiss.cli.options import AsJson, Home, Labels, Near

if TYPE_CHECKING:
    from amiss.evaluate.labels import Found
    from amiss.evaluate.survey import Survey
    from amiss.store import Store


def report(
    start: Annotated[
        str | None, typer.Option("--from", help="From when on: 7d, 2026-03-07; else 7d ago.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Until when, written the same way; else now.")
    ] = None,
    labels: Labels = None,
    near: Near = "10m",
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The page; what has this name is replaced.")
    ] = Path("report.html"),
    no_page: Annotated[bool, typer.Option("--no-page", help="Write no page.")] = False,
    json: AsJson = False,
    home: Home = None,
) -> None:
    """Write a report of what was watched and told in a span.

    Prints it as text, and writes it with pictures as one page that needs nothing else and prints
    well: how many incidents of how many asked for, of what and of whom, when they were, how
    strange samples were, and, where there are labels, what was found and missed. The data folder
    is only read, and the program may run.
    """
    import time

    from amiss.cli.output import print_json
    from amiss.cli.page import about, put, target
    from amiss.cli.stored import stored
    from amiss.cli.times import span
    from amiss.evaluate import labels as labelled
    from amiss.evaluate.account import page as made
    from amiss.evaluate.account import text
    from amiss.evaluate.tables import Table
    from amiss.home import home as folder_of

    read_too = [labels] if labels else []
    page = None if no_page else target(out, "--out", read_too)
    events = labelled.read(Table(labels), span(near, "--near")) if labels else None
    with stored(home, reading=True) as store:
        found = _survey(store, start, end, time.time_ns())
    figures = None if events is None else labelled.judge(found, events)
    if page is not None:
        source = about("what is kept", str(folder_of(home)))
        put(page, made(found, source, figures, events or []))
    if json:
        print_json(_as_json(found, page, figures))
        return
    print("\n".join(text(found, figures)))
    if page is not None:
        print(f"The page is {page}: open it, send it on, or print it.", file=sys.stderr)


def _survey(store: "Store", start: str | None, end: str | None, now: int) -> "Survey":
    from amiss.cli.progress import stepping
    from amiss.cli.times import moment
    from amiss.data import DAY
    from amiss.errors import ConfigError
    from amiss.evaluate.survey import survey
    from amiss.run.audited import watched

    until = moment(end, "--to", now) if end is not None else now
    since = moment(start, "--from", now) if start is not None else until - 7 * DAY
    if since >= until:
        raise ConfigError("--from is not before --to")
    known = watched(store)
    first = store.get_meta("first")
    if start is None and isinstance(first, int):
        since = min(max(since, first), until - 1)
    points = sum(one.points for one in store.series())
    with stepping(points, "reading") as tell:
        return survey(store, known.pipelines, since, until, known.budget, tell)


def _as_json(of: "Survey", page: Path | None, found: "Found | None") -> dict[str, Any]:
    """All of it but the pictures. Times in RFC 3339 UTC."""
    from amiss.evaluate.sections import breakdowns
    from amiss.words import message

    return {
        "from": message.write_time(of.start),
        "to": message.write_time(of.end),
        "told": len(of.incidents),
        "asked_a_day": of.a_day,
        "series": len(of.series),
        "samples": of.samples,
        "single_records": of.events,
        "reported_as_false": of.reported_false,
        "open_before": of.open_before,
        "by": {name.replace(" ", "_"): dict(rows) for name, rows in breakdowns(of.entries)},
        "samples_by_score": of.scores.counts.tolist(),
        "incidents": [message.as_json(one) for one in of.incidents],
        "labels": None if found is None else {"events": found.events, "found": found.found},
        "report": None if page is None else str(page),
    }
