"""Incidents as a page lists them: a sentence, what was seen and expected, pictures. All escaped."""

from collections.abc import Collection, Iterator
from html import escape
from typing import Protocol

from amiss.data import SECOND, Incident, Member, parse_key
from amiss.drawing.markup import table
from amiss.evaluate import svg
from amiss.evaluate.figures import shortly, written
from amiss.evaluate.trial import Pictures
from amiss.words.phrases import band, count, how_rare, interval, parted, rarity_of, worst_first
from amiss.words.units import words, write_number
from amiss.words.wording import is_whole

SHOWN = 200  # incidents; more are counted
MEMBERS = 6
DRAWN = [
    ("line", "seen"),
    ("band", "expected"),
    ("mark", "amiss"),
    ("span", "while it lasted"),
    ("heat", "below: the stronger, the rarer"),
]


class Shown(Protocol):
    """What has incidents, with pictures of some by id, and names for series: a trial, a survey."""

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """In order."""

    @property
    def pictures(self) -> Pictures:
        """By id of the incident."""

    def title(self, key: str) -> str:
        """What a series is called."""


def incidents(trial: Shown, true: Collection[str] | None = None) -> Iterator[str]:
    """Each as an article, the worst first. `true`: the ids of those that tell of an event."""
    found = worst_first(trial.incidents)
    if trial.pictures:
        yield svg.legend(DRAWN)
    for incident in found[:SHOWN]:
        yield _article(trial, incident, None if true is None else incident.id in true)
    if len(found) > SHOWN:
        yield f'<p class="faint">And {count(len(found) - SHOWN, "more incident")}.</p>'


def _article(trial: Shown, incident: Incident, true: bool | None) -> str:
    rest = incident.sentence.removeprefix(incident.title).strip()
    tags = [tag(incident.severity, incident.severity)]
    if true is not None:
        tags.append(tag("labelled", "good") if true else tag("not labelled", "still"))
    more = incident.breadth - min(len(incident.members), MEMBERS)
    rows = [_member(trial, member, interval(incident)) for member in incident.members[:MEMBERS]]
    seen = table(("series", "seen", "expected", "rarity", "strangest at"), rows, "Members")
    pictures = "".join(_pictures(trial, incident))
    return (
        f'<article class="{incident.severity}"><p class="meta">{"".join(tags)}'
        f"<span>{escape(_when(incident))}</span></p><h3>{escape(incident.title)}</h3>"
        f"<p>{escape(rest[:1].upper() + rest[1:])}</p>{_evidence(incident)}{pictures}{seen}"
        + (f'<p class="faint">and {more} more series</p>' if more > 0 else "")
        + "</article>"
    )


def tag(word: str, tone: str) -> str:
    """A shape, a colour, the word."""
    return f'<span class="tag {tone}"><i></i>{escape(word)}</span>'


def _when(incident: Incident) -> str:
    if incident.until is None:
        return f"since {written(incident.since)}, and not over at the end; {how_rare(incident)}"
    return f"{written(incident.since)} to {written(incident.until)}"


def _evidence(incident: Incident) -> str:
    if not incident.evidence:
        return ""
    return f'<ul class="plain">{"".join(f"<li>{escape(e)}</li>" for e in incident.evidence)}</ul>'


def _pictures(trial: Shown, incident: Incident) -> Iterator[str]:
    for curve in trial.pictures.get(incident.id, ()):
        until = incident.seen + int(curve.every * SECOND)
        until = until if incident.until is None else min(until, incident.until)
        name = trial.title(curve.series)
        yield f'<p class="name">{escape(name)}</p>'
        yield svg.series(
            curve, (incident.since, until), f"{name} before, during and after the incident"
        )


def _member(trial: Shown, member: Member, every: float) -> tuple[str, ...]:
    at = escape(shortly(member.at))
    if member.said:
        blame = escape(", ".join(member.blame))
        most = f"<small>most of all {blame}</small>" if blame else ""
        title, said = escape(trial.title(member.series)), f"<code>{escape(member.said)}</code>"
        return title + most, said, "like those before", escape(rarity_of(member, every)), at
    rare = escape(rarity_of(member, every))
    if is_whole(member):
        blame = ", ".join(words(key) for key in member.blame)
        most = f"<small>most of all {escape(blame)}</small>" if blame else ""
        found, given = (
            "".join(f"<small>{escape(one)}</small>" for one in part) for part in parted(member)
        )
        expected = f"{'given all others' if given else 'as before'}{given}"
        return f"The picture as a whole{most}", f"unusual{found}", expected, rare, at
    name = parse_key(member.series)[0]
    times = member.observed / member.expected if member.expected > 0 else 0.0
    much = f"<small>{times:.0f} times the usual</small>" if 2 <= times < 1000 else ""
    expected = band(member.expected, member.lower, member.upper, member.observed, name)
    observed = f"<b>{escape(write_number(member.observed, name))}</b>{much}"
    observed = escape(member.why) or observed
    return escape(trial.title(member.series)), observed, escape(expected), rare, at
