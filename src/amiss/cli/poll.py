"""What a source has to say, before anything is watched."""

from dataclasses import dataclass, replace

from amiss.data import Records
from amiss.errors import ConfigError, Rejected, Unreachable
from amiss.features.each import HEAD
from amiss.pipeline import Pipeline
from amiss.world import World


@dataclass(frozen=True, slots=True)
class Polled:
    """How many series there are, what was left out and why, or why there is nothing."""

    series: int
    skipped: dict[str, int]  # by reason
    failure: str = ""
    found: tuple[str, ...] = ()  # what else the source says
    wrong: tuple[str, ...] = ()  # settings that do not fit what it gave
    doubtful: tuple[str, ...] = ()  # settings that may not fit: it gave too little to be sure


def poll(pipeline: Pipeline, world: World) -> Polled:
    """Ask a source twice, the second time by a clock that is a tick ahead: rates need two."""
    source, features = pipeline.source, pipeline.features
    tick = max(source.every, pipeline.every)
    later = replace(
        world, now=lambda: world.now() + tick, monotonic=lambda: world.monotonic() + tick
    )
    keys, skipped, state = set[str](), dict[str, int](), features.init()
    try:
        cursor, records = source.poll({}, world)
        recent = None if len(records) else source.recent()
        if recent is not None:  # its history may begin before that of the server
            cursor, records = recent.poll({}, world)
        found = source.found(cursor, records)
        whole = source.again()  # what is there already counts here, wherever it begins to read
        first_of = (cursor, records) if whole in (None, source) else whole.poll({}, world)
        absent, sure = missing(pipeline, first_of[1]), len(first_of[1]) >= HEAD
        wrong = (*source.wrong(*first_of), *(absent if sure else ()))
        doubtful = () if sure else absent
        skipped.update(records.skipped)
        state, first = features.step(state, records)
        cursor, records = source.poll(cursor, later)
        state, second = features.step(state, records)
    except (Unreachable, Rejected, ConfigError) as exc:
        return Polled(0, {}, str(exc))
    keys.update(first.keys, second.keys)
    skipped.update(records.skipped)
    series = min(len(keys), pipeline.max_series)
    return Polled(series, skipped, found=found, wrong=wrong, doubtful=doubtful)


def missing(pipeline: Pipeline, records: Records) -> tuple[str, ...]:
    """Fields of single records that are named and that none of the first ones has.

    Of fewer than HEAD it is no mistake yet: one may come in rare records alone.
    """
    features = pipeline.features
    if not features.each or not len(records):
        return ()
    named = {
        "subject": features.whom,
        "count_by": features.counted,
        "roles": features.playing,
    }
    who = "no record" if len(records) >= HEAD else f"no record of the {len(records)} read so far"
    there = f"; there are {', '.join(records.labels)}"
    return tuple(
        f"features.{setting}: {who} has a field {field!r}{there}"
        for setting, fields in named.items()
        for field in fields
        if field not in records.labels and field != "value"
    )
