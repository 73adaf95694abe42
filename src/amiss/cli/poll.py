"""What a source has to say, before anything is watched."""

from dataclasses import dataclass, replace

from amiss.errors import ConfigError, Rejected, Unreachable
from amiss.pipeline import Pipeline
from amiss.world import World


@dataclass(frozen=True, slots=True)
class Polled:
    """How many series there are, what was left out and why, or why there is nothing."""

    series: int
    skipped: dict[str, int]  # by reason
    failure: str = ""
    found: tuple[str, ...] = ()  # what else the source says


def poll(pipeline: Pipeline, world: World) -> Polled:
    """Ask a source twice, the second time by a clock that is a tick ahead: rates need two."""
    source, features = pipeline.source, pipeline.features
    later = replace(
        world,
        now=lambda: world.now() + source.every,
        monotonic=lambda: world.monotonic() + source.every,
    )
    keys, skipped, state = set[str](), dict[str, int](), features.init()
    try:
        cursor, records = source.poll({}, world)
        found = source.found(cursor, records)
        skipped.update(records.skipped)
        state, first = features.step(state, records)
        cursor, records = source.poll(cursor, later)
        state, second = features.step(state, records)
    except (Unreachable, Rejected, ConfigError) as exc:
        return Polled(0, {}, str(exc))
    keys.update(first.keys, second.keys)
    skipped.update(records.skipped)
    return Polled(min(len(keys), pipeline.max_series), skipped, found=found)
