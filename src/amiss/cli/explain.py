"""`amiss explain ID`: an incident in words."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from amiss.cli.options import AsJson, Home

if TYPE_CHECKING:
    from amiss.data import Floats, Incident, Member, Times
    from amiss.store import Store

BARS = 60  # characters of a sparkline
BEFORE = 2.0  # spans of the incident that are shown before it, so that normal life is seen
LEAST = 20 * 60 * 10**9  # ns shown before it


def explain(
    id: Annotated[str, typer.Argument(help="Of an incident; the beginning is enough.")],
    json: AsJson = False,
    home: Home = None,
) -> None:
    """Say in words what an incident was.

    What was seen against what was expected, since when, and who was told."""
    from dataclasses import asdict

    from amiss.cli.feedback import as_data
    from amiss.cli.output import print_json
    from amiss.cli.stored import stored
    from amiss.run.feedback import found
    from amiss.run.final import final
    from amiss.words.message import as_json

    with stored(home) as store:
        revisions = found(store, id)
        if json:
            told = [
                {"sink": d.sink, "revision": d.revision, "outcome": d.outcome, "message": d.message}
                for d in store.deliveries(revisions[-1].id)
            ]
            said = as_json(revisions[-1])
            finals = [asdict(one) | {"words": one.words} for one in final(store, revisions[-1])]
            more = {"feedback": as_data(store.said(revisions[-1].id)), "final": finals}
            more |= {"told": told}
            print_json(said | {"revisions": [as_json(each) for each in revisions]} | more)
        else:
            print("\n".join([*_words(store, revisions), *_page(revisions[-1].id, home)]))


def _page(id: str, home: Path | None) -> list[str]:
    """Where a browser shows it, if the program runs."""
    from amiss.home import home as folder_of
    from amiss.home import running

    program = running(folder_of(home))
    if program is None:
        return []
    return ["", f"http://{program.address}/dashboard/incident?id={quote(id)}"]


def _words(store: "Store", revisions: "list[Incident]") -> list[str]:
    from amiss.cli.feedback import words
    from amiss.cli.output import lasted, moment
    from amiss.run.feedback import alike
    from amiss.run.final import final

    now = revisions[-1]
    lines = [now.sentence, ""]
    if now.until is None:
        lines.append(f"Since {moment(now.since)}; it goes on. Severity: {now.severity}.")
    else:
        lines.append(
            f"From {moment(now.since)} to {moment(now.until)}, {lasted(now.until - now.since)}. "
            f"Severity: {now.severity}."
        )
    worst = max((each.severity for each in revisions), key=("low", "medium", "high").index)
    if worst != now.severity:
        lines[-1] += f" It was {worst} at its worst."
    finals = {one.series: one.words for one in final(store, now)}
    for member in now.members:
        lines += ["", *_member(store, now, member, finals.get(member.series, ""))]
    if now.breadth > len(now.members):
        lines += ["", f"And {now.breadth - len(now.members)} more series."]
    if now.evidence:
        lines += ["", "Seen then:", *(f"  {each}" for each in now.evidence)]
    if said := words(store, now.id):
        lines += ["", "Said of it:", *(f"  {each}" for each in said)]
    if like := alike(store, now):
        lines += ["", f"It is like {like.incident.id}, which {like.who} called normal."]
    told = [
        f"  {d.sink}: revision {d.revision} {d.outcome} {moment(d.at)}"
        + (f": {d.message}" if d.message else "")
        for d in store.deliveries(now.id)
    ]
    return [*lines, "", "Told:", *told] if told else [*lines, "", "No sink was told."]


def _member(store: "Store", incident: "Incident", member: "Member", final: str) -> list[str]:
    """What was seen of a series, and its curve around that time."""
    from amiss.cli.output import moment, sparkline
    from amiss.words.units import words
    from amiss.words.wording import observed

    lines = [observed(member), f"  -ln p {member.score:.1f}, {member.series}"]
    if member.votes:
        lines.append(f"  {'; '.join(member.votes)}")
    if final:
        lines.append(f"  {final}")
    end = incident.until or incident.seen
    start = incident.since - max(int(BEFORE * (end - incident.since)), LEAST)
    for key in [one.series for one in member.blamed] or [member.series]:
        points = store.history(key, start, end)
        if len(points) < 2:
            continue
        if member.blamed:
            lines.append(f"  {words(key)}")
        first, last = int(points.time[0]), int(points.time[-1])
        lines.append(f"  {sparkline(_bars(points.time, points.value))}")
        lines.append(f"  {moment(first):<{BARS // 2}}{moment(last):>{BARS - BARS // 2}}")
    return lines


def _bars(time: "Times", value: "Floats") -> list[float]:
    """The value of each of BARS equal spans that is furthest from the middle of all."""
    import numpy as np

    place = (time - time[0]) * BARS // (time[-1] - time[0] + 1)
    away = np.abs(value - np.nanmedian(value))
    bars = np.full(BARS, np.nan)
    for i in np.argsort(np.nan_to_num(away, nan=-1.0), kind="stable").tolist():
        bars[place[i]] = value[i]
    return bars.tolist()
