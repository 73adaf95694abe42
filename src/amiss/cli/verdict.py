"""What a back-test came to: on the terminal, as JSON, as a page."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amiss.evaluate.labels import Found, Label
    from amiss.evaluate.trial import Trial

WORST = 10  # incidents
NOISIEST = 5  # series


def print_verdict(
    trials: "Sequence[Trial]", events: "Sequence[Label] | None", page: Path | None, json: bool
) -> None:
    """Of each pipeline, ending with the sentence that says it all."""
    from amiss.cli.output import print_json
    from amiss.evaluate.figures import headline
    from amiss.evaluate.labels import judge

    found = [None if events is None else judge(trial, events) for trial in trials]
    if json:
        said = {t.pipeline.name: as_json(t, f) for t, f in zip(trials, found, strict=True)}
        print_json({"pipelines": said, "report": None if page is None else str(page)})
        return
    for trial, figures in zip(trials, found, strict=True):
        _print(trial, figures)
    if page is not None:
        print(f"\nThe report is in {page}.")
    several = len(trials) > 1
    for trial in trials:
        print(f"{trial.pipeline.name}: " * several + headline(trial))


def write_report(
    page: Path,
    trials: "Sequence[Trial]",
    config: str,
    source: str,
    notes: Sequence[str],
    events: "Sequence[Label] | None",
) -> None:
    """The page, which takes its place when it is whole. ConfigError if it cannot be written."""
    from amiss.cli.page import about, put
    from amiss.evaluate.labels import judge
    from amiss.evaluate.report import page as made

    found = [] if events is None else [judge(trial, events) for trial in trials]
    put(page, made(trials, about(config, source, notes), found, events or ()))


def as_json(trial: "Trial", found: "Found | None") -> dict[str, Any]:
    """All of a trial but its pictures. Times in RFC 3339 UTC, NaN as null."""
    from amiss.evaluate import figures
    from amiss.words import message

    rate, write = figures.rate(trial), message.write_time
    said: dict[str, Any] = {
        "from": write(trial.start),
        "to": write(trial.end),
        "warm_seconds": trial.warm / 1e9,
        "series": len(trial.series),
        "series_seen_too_little": trial.young,
        "samples": trial.samples,
        "told": rate.told,
        "asked": rate.asked,
        "asked_a_day": rate.a_day,
        "told_for_one_asked": rate.told / rate.asked if rate.asked else None,
        "weeks": [
            {"from": write(w.start), "to": write(w.end), "told": w.told, "asked": w.asked}
            for w in figures.weeks(trial)
        ],
        "incidents": [message.as_json(each) for each in trial.incidents],
        "open_before": trial.open_before,
        "noisiest": [
            {"series": one.series, "incidents": one.incidents, "first": one.first}
            for one in trial.noisiest[:NOISIEST]
        ],
        "skipped": trial.skipped,
        "settings": trial.pipeline.model_dump(mode="json"),
    }
    if found is not None:
        said["labels"] = {
            "events": found.events,
            "found": found.found,
            "missed": found.missed,
            "recall": found.recall,
            "true_incidents": found.true,
            "precision": found.precision,
            "delay_seconds_median": found.delay,
            "false_a_week": found.false_a_week,
            "outside": found.outside,
            "unknown": found.unknown,
        }
    return said


def _print(trial: "Trial", found: "Found | None") -> None:
    from amiss.cli.output import WIDTH, print_table
    from amiss.evaluate import figures
    from amiss.words.phrases import count, span, worst_first

    warm = f", after {span(trial.warm)} to learn from" if trial.warm else ""
    print(
        f"{trial.pipeline.name}: {figures.written(trial.start)} to {figures.written(trial.end)}"
        f"{warm}\n{count(len(trial.series), 'series', 'series')}, "
        f"{count(trial.samples, 'sample')}\n"
    )
    parts = figures.weeks(trial)
    rows = [
        (figures.day(w.start), str(w.told), figures.amount(w.asked), figures.ratio(w.told, w.asked))
        for w in parts
    ]
    rate = figures.rate(trial)
    if len(parts) > 1:
        rows.append(
            (
                "in all",
                str(rate.told),
                figures.amount(rate.asked),
                figures.ratio(rate.told, rate.asked),
            )
        )
    print_table(("week from", "told", "asked", "told for one asked"), rows, wide="week from")
    if trial.incidents:
        print("\nThe worst:")
        worst = [
            (each.severity, _lasted(each), each.sentence)
            for each in worst_first(trial.incidents)[:WORST]
        ]
        print_table(("severity", "lasted", "what"), worst, wide="what")
        if len(trial.incidents) > WORST:
            print(f"and {len(trial.incidents) - WORST} more, in the report and with --json")
        print("\nThe noisiest:")
        noisy = [
            (trial.title(one.series), str(one.incidents), str(one.first))
            for one in trial.noisiest[:NOISIEST]
        ]
        print_table(("series", "incidents", "most to blame in"), noisy, wide="series")
    if out := "; ".join(trial.left_out()):
        print("\n" + fill(f"Left out: {out}", WIDTH))
    if found is not None:
        print(f"\n{fill(_of_labels(found), WIDTH)}")


def _lasted(incident: Any) -> str:
    from amiss.cli.output import lasted

    return lasted(incident.until - incident.since) if incident.until else "not over"


def _of_labels(found: "Found") -> str:
    from amiss.evaluate.figures import amount
    from amiss.evaluate.labels import delay
    from amiss.words.phrases import count

    if not found.events:
        return "None of the labels is of this span and of these series."
    said = f"{found.found} of {count(found.events, 'labelled event')} found"
    if found.delay is not None:
        said += f", {delay(found)} in the median"
    if found.precision is not None:
        said += f"; {found.true} of {count(found.incidents, 'incident')} opened in one"
    if found.false_a_week is not None:
        said += f"; {amount(found.false_a_week)} false incidents a week"
    return f"{said}."
