"""`amiss backtest`: what would have been told, had a configuration run over the past."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amiss.cli.options import AsJson, Home, Labels, Near

if TYPE_CHECKING:
    from amiss.evaluate.recording import Recording
    from amiss.evaluate.trial import Trial
    from amiss.pipeline import Pipeline
    from amiss.settings import Settings

PAST = "of the past: 2026-03-07, or 7d before the last record there is"


def backtest(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The configuration; without, that of this machine.", show_default=False
        ),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", help=f"From when on incidents count, {PAST}; else all.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Until when, written the same way.")
    ] = None,
    warm: Annotated[
        str | None,
        typer.Option(help="How much of what was before --from to learn from: 14d; else all of it."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="A file instead of the history that is kept: CSV, JSON lines or Parquet, .gz or "
            "not; may be given again."
        ),
    ] = None,
    time: Annotated[
        str, typer.Option(help="The column of times of files: Unix seconds or ISO 8601.")
    ] = "time",
    by: Annotated[
        list[str] | None,
        typer.Option(help="A column of files that is a label of its series; may be given again."),
    ] = None,
    pipeline: Annotated[str | None, typer.Option(help="This one alone; else all.")] = None,
    labels: Labels = None,
    near: Near = "10m",
    report: Annotated[
        Path, typer.Option(help="The page to write; what has this name is replaced.")
    ] = Path("backtest.html"),
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no page.")] = False,
    json: AsJson = False,
    home: Home = None,
) -> None:
    """Say what would have been told, had a configuration run over the past.

    Steps each pipeline through what was recorded just as live does, and nobody is told: how many
    incidents of how many asked for, which, and what was left out. A page with all of it and the
    pictures is written beside. The history kept by `amiss run` is only read, and it may run.

    The series of a file are named by its columns, those of --by are their labels. Labels have the
    columns start and end, or time; an event is found if an incident opens in it.
    """
    from amiss.cli.page import target
    from amiss.cli.recordings import bounds, recordings
    from amiss.cli.times import span
    from amiss.cli.verdict import print_verdict, write_report
    from amiss.config import read
    from amiss.errors import ConfigError
    from amiss.evaluate import labels as labelled
    from amiss.evaluate.columns import Asked
    from amiss.evaluate.tables import Table
    from amiss.settings import default

    if by and not data:
        raise ConfigError("--by: it is for files; name one with --data")
    settings = read(file) if file is not None else default()
    chosen = _chosen(settings, pipeline, data, str(file or "the built-in configuration"))
    read_too = [*(data or []), *(str(one) for one in (labels, file) if one)]
    page = None if no_report else target(report, "--report", read_too)
    within = span(near, "--near")
    events = labelled.read(Table(labels), within) if labels else None
    asked = Asked(time, tuple(by or ()))
    trials: list[Trial] = []
    notes = [
        f"pipeline {one.name} is left out: it judges single records, and {_WHY[bool(data)]}"
        for one in settings.pipelines
        if pipeline is None and not _can(one, data)
    ]
    source = ""
    with recordings(settings, chosen, data, asked, home, notes) as found:
        for one, recording in found:
            span_of = bounds(recording, start, end, warm)
            trials.append(_try(one, recording, span_of, drawn=page is not None))
            source = recording.name
    for note in notes:
        print(note, file=sys.stderr)
    config = str(file) if file else "the built-in configuration"
    if page is not None:
        write_report(page, trials, config, source, notes, events)
    print_verdict(trials, events, page, json)


_WHY = {False: "its source keeps no history of such", True: "--data has series"}


def _can(pipeline: "Pipeline", data: list[str] | None) -> bool:
    """Whether there is a past of what it judges."""
    return not pipeline.features.each or (not data and pipeline.source.again() is not None)


def _chosen(
    settings: "Settings", name: str | None, data: list[str] | None, where: str
) -> "list[Pipeline]":
    from amiss.errors import ConfigError

    shared = settings.shared_out()
    if name is not None and name not in shared:
        raise ConfigError(
            f"--pipeline: {where} has no pipeline {name!r}; it has {', '.join(sorted(shared))}"
        )
    wanted = [one for one in shared.values() if name in (None, one.name)]
    chosen = [one for one in wanted if _can(one, data)]
    if not chosen:
        raise ConfigError(
            f"{where}: pipeline {wanted[0].name!r} judges single records, and {_WHY[bool(data)]}; "
            "`amiss score --as events` or `--as lines` scores files of them"
        )
    return chosen


def _try(
    pipeline: "Pipeline", recording: "Recording", bounds: tuple[int, int, int], drawn: bool
) -> "Trial":
    from amiss.cli.progress import stepping
    from amiss.evaluate.around import Around
    from amiss.evaluate.trial import Tally
    from amiss.run.replay import replay

    first, since, until = bounds
    around = Around() if drawn else None
    tally, done = Tally(pipeline, since, until, first, around=around), first
    with stepping(until - first, f"stepping {pipeline.name}") as tell:
        for outcome in replay(pipeline, recording.records(first, until)):
            tally.take(outcome)
            if len(outcome.frame.time):
                newest = int(outcome.frame.time[-1])
                tell(newest - done)
                done = newest
    return tally.trial()
