"""What models are not to learn from: times of incidents, and what a person excluded.

An incident that a person called normal is learned from as any other time.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from amiss.errors import ConfigError
from amiss.fitting import INCIDENTS, Span
from amiss.store import Store

EXCLUDED = "excluded"  # name of the list in the store
MOST_INCIDENTS = 10_000


@dataclass(frozen=True, slots=True)
class Excluded:
    """A time that a person excluded, both ends included: maintenance, a load test."""

    start: int  # ns
    end: int
    why: str = ""
    pipeline: str = ""  # "" is all

    def __post_init__(self) -> None:
        if self.start > self.end:
            raise ConfigError("what is excluded ends before it begins")


def excluded(store: Store) -> list[Excluded]:
    """All that is excluded, in the order in which it was."""
    return [Excluded(**said) for said in store.get_meta(EXCLUDED, [])]


def exclude(store: Store, one: Excluded) -> None:
    """From now on, no model learns from this time."""
    _keep(store, [*excluded(store), one])


def include(store: Store, number: int) -> Excluded:
    """Take back the one with this number, from 1. Raises ConfigError if there is none."""
    every = excluded(store)
    if not 1 <= number <= len(every):
        raise ConfigError(f"nothing that is excluded has the number {number}")
    one = every.pop(number - 1)
    _keep(store, every)
    return one


def not_learned(store: Store, pipeline: str, start: int) -> Iterator[Span]:
    """What to spare of the history of a pipeline since `start` (ns)."""
    for one in excluded(store):
        if one.pipeline in ("", pipeline):
            yield Span(one.start, one.end, "excluded by a person")
    normal = {one.incident for one in store.said() if one.word == "normal"}
    for incident in store.incidents(since=start, limit=MOST_INCIDENTS, pipeline=pipeline):
        if incident.id in normal:
            continue
        end = incident.seen if incident.until is None else incident.until
        yield Span(incident.since, end, INCIDENTS, incident.system)


def _keep(store: Store, every: list[Excluded]) -> None:
    store.set_meta(EXCLUDED, [asdict(one) for one in every])
