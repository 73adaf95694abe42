"""What was recorded of pipelines: files, the history that is kept, or a source's own past."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiss.component import Source
    from amiss.evaluate.columns import Asked
    from amiss.evaluate.recording import Recording
    from amiss.pipeline import Pipeline
    from amiss.settings import Settings


@contextmanager
def recordings(
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


def bounds(
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
