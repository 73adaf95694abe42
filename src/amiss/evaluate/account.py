"""What an installation did in a span, as a page to print and as text. See survey.py, report.py."""

from collections.abc import Iterator, Sequence
from html import escape

from amiss.data import DAY
from amiss.drawing.markup import table
from amiss.evaluate import figures, sections
from amiss.evaluate.labels import Found, Label, tells
from amiss.evaluate.listed import incidents
from amiss.evaluate.paper import document, facts, faint
from amiss.evaluate.report import About, labelled, made_by
from amiss.evaluate.survey import Survey
from amiss.store.models import Model
from amiss.words.phrases import count, model, span, worst_first

WORST = 10  # incidents, as text


def page(of: Survey, about: About, found: Found | None, labels: Sequence[Label]) -> str:
    """All of it, as HTML. `found` has the figures against labels, if there are any."""
    return document(f"Report, {when(of)}", [*_body(of, found, labels), made_by(about)])


def text(of: Survey, found: Found | None) -> Iterator[str]:
    """The same without pictures, line by line."""
    yield f"{when(of)}, all times in UTC"
    yield ""
    yield from (f"{name:<24} {said}" for name, said in counts(of))
    if found is not None:
        yield f"{'labelled events found':<24} {found.found} of {found.events}"
    yield from sections.breakdown_lines(of.entries)
    if of.scores.judged:
        yield ""
        yield sections.in_short(of.scores)
    if of.incidents:
        yield ""
        yield "The worst"
        yield from (
            f"  {one.severity:<7} {figures.shortly(one.since)}  {sections.printable(one.title)}"
            for one in worst_first(of.incidents)[:WORST]
        )
    yield ""
    yield headline(of)


def headline(of: Survey) -> str:
    """It told you 4 times in 14 days (asked: 5 a day)."""
    told = figures.times(len(of.incidents)) if of.incidents else "nothing"
    asked = "" if of.a_day is None else f" (asked: {figures.often(of.a_day)})"
    return f"It told you {told} in {span(of.end - of.start)}{asked}."


def when(of: Survey) -> str:
    """From when to when."""
    return f"{figures.written(of.start)} to {figures.written(of.end)}"


def counts(of: Survey) -> list[tuple[str, str]]:
    """What was seen and told, in numbers."""
    found = [("incidents", f"{len(of.incidents):,}")]
    if of.a_day is not None:
        asked = of.a_day * (of.end - of.start) / DAY
        found.append(("asked", figures.amount(asked)))
        found.append(("told for one asked", figures.ratio(len(of.incidents), asked)))
    found += [("series", f"{len(of.series):,}"), ("samples", f"{of.samples:,}")]
    if of.events:
        found.append(("single records", f"{of.events:,}"))
    if of.reported_false is not None:
        found.append(("reported as false", f"{of.reported_false:,}"))
    return found


def _body(of: Survey, found: Found | None, labels: Sequence[Label]) -> Iterator[str]:
    yield f"<h1>{escape(headline(of))}</h1>"
    yield f'<p class="lead">{escape(_lead(of))}</p>'
    yield facts(counts(of))
    if found is not None:
        yield from labelled(of.entries, found, labels, of.start, of.end)
    if of.a_day is not None:
        yield from sections.told(of.spent)
    yield from sections.breakdown(of.entries)
    yield from sections.pictures(of.entries, of.start, of.end, of.scores)
    yield "<h2>Incidents <small>the worst first</small></h2>"
    if of.incidents:
        yield from incidents(
            of, None if found is None else {i.id for i in of.incidents if tells(i, labels)}
        )
    else:
        said = f"{count(of.samples, 'sample')} of {count(len(of.series), 'series', 'series')}"
        yield f'<div class="calm"><p>Nothing was told.</p><p>{said} were seen.</p></div>'
    yield from _models(of.models)


def _lead(of: Survey) -> str:
    said = f"{when(of)}. All times are UTC."
    if of.open_before:
        said += f" Not counted: {count(of.open_before, 'incident')} that had opened before."
    return said


def _models(models: Sequence[Model]) -> Iterator[str]:
    if not models:
        return
    yield "<h2>Models in use</h2>"
    rows = [
        (
            escape(model(str(one.card.get("name", one.detector)))),
            escape(one.pipeline),
            figures.shortly(one.trained),
            f"{one.card.get('samples', 0):,}",
            f"{one.card.get('seconds', 0.0):.1f} s",
        )
        for one in models
    ]
    yield table(("model", "pipeline", "trained", "samples", "took"), rows, "Models in use")
    yield faint("As of now, not of the span.")
