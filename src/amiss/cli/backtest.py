"""`amiss backtest`: what would have been told, had a configuration run over the past."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amiss.cli.options import AsJson, Home

if TYPE_CHECKING:
    from amiss.component import Source
    from amiss.evaluate.columns import Asked
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
    labels: Annotated[
        str | None,
        typer.Option(
            help="A table of what was amiss: start,end or time for moments, and series if known."
        ),
    ] = None,
    near: Annotated[
        str, typer.Option(help="How far from a labelled moment an incident still tells of it.")
    ] = "10m",
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
    page = None if no_report else _target(report, read_too)
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
    with _recordings(settings, chosen, data, asked, home, notes) as recordings:
        for one, recording in recordings:
            bounds = _bounds(recording, start, end, warm)
            trials.append(_try(one, recording, bounds, drawn=page is not None))
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


def _target(report: Path, read: Sequence[str]) -> Path:
    """Where the page goes; ConfigError if nothing can be written there, or if it is read."""
    import os

    from amiss.errors import ConfigError

    if report.is_dir():
        raise ConfigError(
            f"--report: {report} is a folder; name a file, such as {report}/report.html"
        )
    if not os.access(report.parent, os.W_OK):
        raise ConfigError(f"--report: nothing can be written in the folder {report.parent}")
    for one in read:
        if report.exists() and Path(one).exists() and report.samefile(one):
            raise ConfigError(f"{one}: the report would be written over it; see --report")
    return report


@contextmanager
def _recordings(
    settings: "Settings",
    chosen: "list[Pipeline]",
    data: list[str] | None,
    asked: "Asked",
    home: Path | None,
    notes: list[str],
) -> "Iterator[Sequence[tuple[Pipeline, Recording]]]":
    """What each pipeline is stepped through: the files, or its history."""
    if data:
        from amiss.cli.progress import reading
        from amiss.evaluate.recorded import look_over
        from amiss.evaluate.tables import Table

        tables = [Table(path) for path in data]
        with reading(sum(table.size or 0 for table in tables), "reading") as tell:
            files = look_over(tables, asked, tell)
        notes += [
            f"{one.table.name}: {said}" for one in files.files for said in one.notes.sentences()
        ]
        yield [(one, files) for one in chosen]
        return
    with ExitStack() as opened:
        kept = None
        found: list[tuple[Pipeline, Recording]] = []
        for one in chosen:
            if (source := one.source.again()) is not None:
                found.append((one, _again(one, source)))
                continue
            kept = kept or opened.enter_context(_history(home))
            found.append((one, kept(one, settings)))
        yield found


def _again(pipeline: "Pipeline", source: "Source") -> "Recording":
    from amiss.cli.poll import poll
    from amiss.errors import ConfigError
    from amiss.evaluate.again import look_over
    from amiss.world import World

    world, name = World(), pipeline.name
    if wrong := poll(pipeline.model_copy(update={"source": source}), world).wrong:
        raise ConfigError("\n".join(f"{name}: {said}" for said in wrong))
    return look_over(source, world, f"the source of {name}")


@contextmanager
def _history(home: Path | None) -> "Iterator[Callable[[Pipeline, Settings], Recording]]":
    from amiss.cli.stored import stored
    from amiss.errors import ConfigError
    from amiss.evaluate.kept import Kept, series_of
    from amiss.home import home as folder_of

    where = f"the history in {folder_of(home)}"
    with stored(home, reading=True) as store:

        def of(pipeline: "Pipeline", settings: "Settings") -> "Recording":
            others = [p.name for p in settings.pipelines if p.name != pipeline.name]
            series = tuple(one for one in series_of(store, pipeline.name, others) if one.points)
            if not series:
                raise ConfigError(
                    f"{where} has no series of pipeline {pipeline.name!r} yet; `amiss run` keeps "
                    "it from its first checkpoint on, and --data names files instead"
                )
            return Kept(store, where, series)

        yield of


def _bounds(
    recording: "Recording", start: str | None, end: str | None, warm: str | None
) -> tuple[int, int, int]:
    """When learning begins, from when on it counts, and until when, in ns."""
    from amiss.cli.times import moment, span
    from amiss.errors import ConfigError
    from amiss.evaluate.figures import written

    first, last = recording.first, recording.last
    until = moment(end, "--to", last) if end is not None else last
    since = moment(start, "--from", last) if start is not None else first
    if start is not None and end is not None and since >= until:
        raise ConfigError(f"--from {written(since)} is not before --to {written(until)}")
    if since > last or until < first:
        asked = f" from {written(since)} on" if since > last else f" up to {written(until)}"
        raise ConfigError(
            f"{recording.name} has nothing{asked}: it goes from {written(first)} to {written(last)}"
        )
    since, until = max(since, first), min(until, last)
    return max(first, since - span(warm, "--warm")) if warm is not None else first, since, until


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
