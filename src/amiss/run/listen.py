"""Who is told, as the configuration has it now."""

from collections.abc import Sequence

from amiss.component import Sink
from amiss.run import tell
from amiss.run.tell import Channel
from amiss.settings import Settings
from amiss.store import Store
from amiss.world import World


def listen(
    before: Sequence[Channel], settings: Settings, store: Store, world: World
) -> tuple[Channel, ...]:
    """A channel for each sink; one that is as it was goes on undisturbed, others are stopped."""
    sinks = {name: _addressed(sink, settings.link) for name, sink in settings.sinks.items()}
    old = {channel.name: channel for channel in before}
    wanted = tell.channels(sinks, store, world)
    kept = {c.name for c in wanted if c.name in old and old[c.name].sink == c.sink}
    store.enrol([channel.name for channel in wanted])
    tell.stop([channel for channel in before if channel.name not in kept])
    for channel in wanted:
        if channel.name not in kept:
            tell.start(channel)
    return tuple(old[c.name] if c.name in kept else c for c in wanted)


def _addressed(sink: Sink, address: str) -> Sink:
    """The same sink, knowing where the pages are, if it wants to and was not told otherwise."""
    if getattr(sink, "address", "") is None:
        return sink.model_copy(update={"address": address})
    return sink
