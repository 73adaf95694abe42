"""Who is told, as the configuration has it now."""

from collections.abc import Callable, Sequence

from amiss.component import Sink
from amiss.run import tell
from amiss.run.audited import TRAIL
from amiss.run.export import exporting
from amiss.run.tell import Channel
from amiss.run.watched import Watch
from amiss.settings import Settings
from amiss.store import Store
from amiss.world import World


def listen(
    before: Sequence[Channel],
    settings: Settings,
    store: Store,
    world: World,
    watches: Callable[[], Sequence[Watch]] = tuple,
) -> tuple[Channel, ...]:
    """A channel for each sink, and for each export of what is watched.

    One that is as it was goes on undisturbed, others are stopped.
    Of these one may wait for an answer for long: the channel in its place begins after that.
    Raises Unreachable or StateError of the store; the same call may be made again then.
    """
    sinks = {name: _addressed(sink, settings.link) for name, sink in settings.sinks.items()}
    old = {channel.name: channel for channel in before}
    told = tell.channels(sinks, store, world)
    wanted = [*told, *exporting(settings.exports, store, world, watches)]
    kept = {c.name for c in wanted if c.name in old and _goes_on(old[c.name], c)}
    # first, as one whose mark is gone would tell all there is from the beginning
    tell.stop([channel for channel in before if channel.name not in kept])
    store.enrol([*(channel.name for channel in told), TRAIL])
    for channel in wanted:
        if channel.name not in kept:
            channel.before = old.get(channel.name)
            tell.start(channel)
    return tuple(old[c.name] if c.name in kept else c for c in wanted)


def _goes_on(old: Channel, new: Channel) -> bool:
    return old.sink == new.sink and not old.stop.is_set()  # unless of a call that did not work


def _addressed(sink: Sink, address: str) -> Sink:
    """The same sink, knowing where the pages are, if it wants to and was not told otherwise."""
    if getattr(sink, "address", "") is None:
        return sink.model_copy(update={"address": address})
    return sink
