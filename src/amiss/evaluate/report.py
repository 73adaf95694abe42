"""A back-test as one page that can be sent on: no script, nothing from elsewhere, all escaped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

import yaml

from amiss.drawing.markup import table
from amiss.evaluate import figures, sections
from amiss.evaluate.confusion import confusion
from amiss.evaluate.entries import Entry
from amiss.evaluate.labels import Found, Label, delay, tells
from amiss.evaluate.listed import incidents
from amiss.evaluate.paper import document, facts, faint, footer
from amiss.evaluate.trial import Trial
from amiss.steps.judge import WARM
from amiss.words.phrases import count, span

NOISIEST = 8  # series


@dataclass(frozen=True, slots=True)
class About:
    """Where it comes from."""

    config: str
    source: str  # of the records
    version: str
    made: int  # ns
    notes: tuple[str, ...] = ()  # what is to be known of the files


def page(
    trials: Sequence[Trial], about: About, found: Sequence[Found], labels: Sequence[Label]
) -> str:
    """All of it, as HTML. `found` has the figures of each trial, or nothing without labels."""
    several, body = len(trials) > 1, list[str]()
    for n, trial in enumerate(trials):
        head = f'<p class="which">Pipeline {escape(trial.pipeline.name)}</p>' if several else ""
        figure = found[n] if found else None
        body.append(f"<section>{head}{''.join(_section(trial, figure, labels))}</section>")
    body.append(made_by(about))
    return document(f"Back-test of {', '.join(trial.pipeline.name for trial in trials)}", body)


def _section(trial: Trial, found: Found | None, labels: Sequence[Label]) -> Iterator[str]:
    rate = figures.rate(trial)
    yield f"<h1>{escape(figures.headline(trial))}</h1>"
    yield f'<p class="lead">{escape(_lead(trial))}</p>'
    yield facts(
        [
            ("told", f"{rate.told:,}"),
            ("asked", figures.amount(rate.asked)),
            ("told for one asked", figures.ratio(rate.told, rate.asked)),
            ("series", f"{len(trial.series):,}"),
            ("samples", f"{trial.samples:,}"),
        ]
    )
    if found is not None:
        yield from labelled(trial.entries, found, labels, trial.start, trial.end)
    yield from sections.told(figures.spent(trial))
    yield from sections.breakdown(trial.entries)
    yield from sections.pictures(trial.entries, trial.start, trial.end, trial.scores)
    order = " <small>the worst first</small>" if len(trial.incidents) > 1 else ""
    yield f"<h2>Incidents{order}</h2>"
    if trial.incidents:
        known = None if found is None else {i.id for i in trial.incidents if tells(i, labels)}
        yield from incidents(trial, known)
    else:
        yield (
            '<div class="calm"><p>Nothing would have been told.</p>'
            f"<p>{escape(_calm(trial))}</p></div>"
        )
    if trial.noisiest:
        yield "<h2>Noisiest series <small>by how many incidents they were in</small></h2>"
        rows = [
            (escape(trial.title(one.series)), str(one.incidents), str(one.first))
            for one in trial.noisiest[:NOISIEST]
        ]
        yield table(("series", "incidents", "most to blame in"), rows, "Noisiest series")
    yield "<h2>What was left out</h2>"
    yield _left_out(trial)
    yield "<h2>Settings used</h2>"
    yield f"<pre>{escape(settings(trial))}</pre>"


def settings(trial: Trial) -> str:
    """The pipeline as YAML, with its share of the budget."""
    said = trial.pipeline.model_dump(mode="json")
    return yaml.safe_dump(
        said, sort_keys=False, allow_unicode=True, width=90, default_flow_style=None
    )


def _lead(trial: Trial) -> str:
    said = f"From {figures.written(trial.start)} to {figures.written(trial.end)}"
    if trial.warm:
        said += f", after {span(trial.warm)} of history to learn from"
    return f"{said}. All times are UTC; nothing was judged by what came after it."


def _calm(trial: Trial) -> str:
    if trial.young == len(trial.series):
        return f"Nor could it have been: of no series there were more than {WARM} samples."
    return (
        f"{count(trial.samples, 'sample')} of {count(len(trial.series), 'series', 'series')} were "
        "judged, and none was strange enough to spend the budget on."
    )


def labelled(
    entries: Sequence[Entry], found: Found, labels: Sequence[Label], start: int, end: int
) -> Iterator[str]:
    """What was told against what was labelled, by events and by time."""
    yield "<h2>Against what was labelled</h2>"
    yield facts(_figures(found))
    yield faint(_unused(found))
    amiss = [(one.start, one.end) for one in labels]
    told = [(one.since, one.until) for one in entries]
    yield from sections.confused(confusion(told, amiss, start, end))


def _figures(found: Found) -> list[tuple[str, str]]:
    return [
        ("events found", f"{found.found} of {found.events}"),
        ("missed", f"{found.missed}"),
        ("precision", "-" if found.precision is None else f"{found.precision:.0%}"),
        ("told, median", delay(found)),
        ("false a week", "-" if found.false_a_week is None else figures.amount(found.false_a_week)),
    ]


def _unused(found: Found) -> str:
    said = "An event is found if an incident opens in it; it counts once, however long it is."
    if found.outside:
        said += f" {count(found.outside, 'label')} outside of the span did not count."
    if found.unknown:
        said += f" {count(found.unknown, 'label')} of series that are not here did not count."
    return said


def _left_out(trial: Trial) -> str:
    lines = list(trial.left_out())
    if not lines:
        return faint("Nothing.")
    return f'<ul class="plain">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def made_by(about: About) -> str:
    """Where the page comes from."""
    said = f"Made by Amiss {about.version} on {figures.written(about.made)}"
    return footer(about.notes, f"{said}, with {about.config} over {about.source}.")
