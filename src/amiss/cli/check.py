"""`amiss check`: whether a configuration can run, and what it will need."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amiss.cli.options import AsJson

if TYPE_CHECKING:
    from pydantic import BaseModel

    from amiss.cli.poll import Polled
    from amiss.settings import Settings
    from amiss.world import World


def check(
    file: Annotated[Path, typer.Argument(help="The configuration.", show_default=False)],
    json: AsJson = False,
) -> None:
    """Say whether a configuration can run.

    Finds every mistake, looks up secrets, asks each source, and says what memory and disk it
    will take. Ends with 2 if there is a mistake in it, with 1 if a source does not answer.
    """
    from amiss.cli.cost import of_all
    from amiss.cli.output import print_json
    from amiss.cli.poll import poll
    from amiss.config import read
    from amiss.errors import ConfigError
    from amiss.world import World

    world = World()
    settings = read(file)
    _resolve(settings, world, str(file))
    polled = {pipeline.name: poll(pipeline, world) for pipeline in settings.pipelines}
    if wrong := [f"{file}: {name}: {said}" for name, one in polled.items() for said in one.wrong]:
        raise ConfigError("\n".join(wrong))
    costs = of_all(settings, {name: one.series for name, one in polled.items()})
    if json:
        said = {
            name: {
                "series": one.series,
                "skipped": one.skipped,
                "failure": one.failure or None,
                "found": one.found,
                "warnings": one.doubtful,
                "memory_bytes": costs[name].memory,
                "disk_bytes": costs[name].disk,
            }
            for name, one in polled.items()
        }
        sinks = {name: _type(sink) for name, sink in settings.sinks.items()}
        print_json({"file": str(file), "pipelines": said, "sinks": sinks})
    else:
        print("\n".join(_words(file, settings, polled)))
    if any(one.failure for one in polled.values()):
        raise typer.Exit(1)


def _resolve(settings: "Settings", world: "World", name: str) -> None:
    """Look up every secret, telling none. ConfigError names all that are not there."""
    from amiss.errors import ConfigError

    missing = []
    for place, reference in _references(settings):
        try:
            if not world.secret(reference).strip():
                missing.append(f"{name}: {place}: {reference} is empty")
        except ConfigError as exc:
            missing.append(f"{name}: {place}: {exc}")
    if missing:
        raise ConfigError("\n".join(missing))


def _references(settings: "Settings") -> Iterator[tuple[str, str]]:
    if settings.token is not None:
        yield "token", settings.token
    yield from _hidden("", settings)


def _hidden(place: str, value: Any) -> Iterator[tuple[str, str]]:
    from pydantic import BaseModel

    from amiss.masked import REFERENCE, Hidden

    parts: Any = ()
    if isinstance(value, Hidden):
        text = value.get_secret_value()
        if REFERENCE.fullmatch(text):
            yield place, text
    elif isinstance(value, BaseModel):
        parts = ((name, getattr(value, name)) for name in type(value).model_fields)
    elif isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, tuple):
        parts = enumerate(value)
    for name, part in parts:
        yield from _hidden(f"{place}.{name}" if place else str(name), part)


def _words(file: Path, settings: "Settings", polled: "dict[str, Polled]") -> Iterator[str]:
    from amiss.cli.cost import PROGRAM, of_all
    from amiss.spans import write_rate, write_span
    from amiss.words.units import write_number

    costs = of_all(settings, {name: one.series for name, one in polled.items()})
    for pipeline in settings.pipelines:
        one = polled[pipeline.name]
        kind = _type(pipeline.source)
        every = write_span(pipeline.every)
        if one.failure:
            yield f"{pipeline.name}: source {kind} fails: {one.failure}"
        else:
            yield f"{pipeline.name}: source {kind} answers, {one.series} series every {every}"
        yield from (f"  {line}" for line in one.found)
        yield from (f"  warning: {line}" for line in one.doubtful)
        if not (one.failure or one.series or one.found):
            yield "  nothing to judge came: is anything written there, and are all names right?"
        yield from (f"  {line}" for d in pipeline.detectors for line in d.notes())
        for reason, count in one.skipped.items():
            yield f"  left out: {reason} ({count})"
    for name, sink in settings.sinks.items():
        yield f"sink {name}: {_type(sink)}"
    if not settings.sinks:
        yield "no sinks: incidents are on the page, in the API and in the log alone"
    memory = PROGRAM + sum(one.memory for one in costs.values())
    disk = sum(one.disk for one in costs.values())
    yield (
        f"needs about {write_number(memory, 'x_bytes')} of memory, and "
        f"{write_number(disk, 'x_bytes')} of disk once there are {settings.keep.days} days"
    )
    yield f"budget: {write_rate(settings.budget)}; listens on {settings.listen}"
    failing = any(one.failure for one in polled.values())
    yield f"{file} has no mistake, but not all answer" if failing else f"{file} can run"


def _type(component: "BaseModel") -> str:
    return str(dict(component)["type"])
