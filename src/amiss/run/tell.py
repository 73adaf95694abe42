"""Bring each sink up to date with the incident log, every one in its own thread.

What is committed is told, in order, and marked when it was. A sink that does not answer, or
refuses for the sake of settings that may be put right, is asked again later and delays only
itself; what it refuses for its own sake is recorded and put aside, and so is what is like
incidents that people called normal.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from traceback import extract_tb
from typing import Protocol, TypeAlias, runtime_checkable

from amiss.component import Sink
from amiss.data import Event, Incident
from amiss.decide.taught import Taught, like
from amiss.errors import ConfigError, Rejected, StateError, Unreachable
from amiss.words.message import telling
from amiss.world import World

log = logging.getLogger(__name__)

LONGEST_BACK_OFF = 300.0  # seconds
LONGEST_PATIENCE = 3600.0  # seconds that a receiver may ask us to stay away
SEVERAL = 5  # tries, in half a minute, after which it is seen whether others are taken
JOIN = 0.2  # seconds between two looks at whether to give up waiting for a thread
IDLE = 60.0  # seconds; there is a call when there is news, this is for what was missed

Delivery: TypeAlias = tuple[str, str, int, int, str, str]
"""The arguments of IncidentLog.delivered."""


class IncidentLog(Protocol):
    """What telling needs of the store. All of it is tried again if it raises."""

    def untold(self, sink: str, limit: int = 100) -> tuple[int, list[Incident]]:
        """The next revisions after the sink's mark, oldest first, and the mark after them."""

    def told(self, sink: str, mark: int) -> None:
        """Move the sink's mark."""

    def delivered(
        self, sink: str, incident: str, revision: int, at: int, outcome: str, message: str
    ) -> None:
        """Remember the outcome of a try at a time in ns: delivered, refused, retrying or quiet.

        `message` says why, but for the first. Of several with the same sink, incident and
        revision the last counts; none comes after one that was delivered or refused.
        """

    def last_told(self, sink: str, incident: str) -> Incident | None:
        """The highest revision that was delivered to or refused by this sink."""

    def taught(self) -> list[Taught]:
        """What people said of incidents, in the order in which they did."""


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """How a sink is doing, for the health page and /metrics. Counts since the start."""

    delivered: int = 0
    retried: int = 0
    refused: int = 0
    refusals: int = 0  # since the last delivery
    quiet: int = 0  # not told, being like what people called normal
    last: int = 0  # ns, of the last delivery; 0 if none
    last_error: str | None = None  # of the last retry or refusal; holds no secret
    waiting_since: int | None = None  # ns, when the oldest untold news was first sent


@dataclass(slots=True)
class Channel:
    """One sink and its thread. Others read `status`, set `wake` when there is news, or `stop`."""

    name: str
    sink: Sink
    incidents: IncidentLog
    world: World
    status: SinkStatus = SinkStatus()
    wake: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    failures: int = 0  # since something was told
    unwritten: deque[Delivery] = field(default_factory=deque)
    """What was sent, but the log could not take: written before anything else is sent, so
    that a full disk does not make a sink hear things twice."""
    before: "Channel | None" = None
    """The one of the same name in whose place this one is: it may still wait for an answer."""

    def run(self) -> None:
        """What its thread does."""
        run_sink(self)


@runtime_checkable
class Divisible(Protocol):
    """A sink with several receivers, each to be told on its own."""

    def apart(self) -> dict[str, Sink]:
        """One sink per receiver, by names that stay the same."""


def channels(sinks: Mapping[str, Sink], incidents: IncidentLog, world: World) -> list[Channel]:
    """A channel for each sink; for each receiver of one that has several, as `name/receiver`."""
    made = []
    for name, sink in sinks.items():
        parts = sink.apart() if isinstance(sink, Divisible) else {}
        named = {f"{name}/{part}": each for part, each in parts.items()} or {name: sink}
        made += [Channel(each, of, incidents, world) for each, of in named.items()]
    return made


def start(channel: Channel) -> None:
    """Keep its sink up to date in a thread; a daemon, so that a hanging one keeps nobody."""
    channel.thread = threading.Thread(target=channel.run, name=f"sink {channel.name}", daemon=True)
    channel.thread.start()


def stop(running: Iterable[Channel], patience: float = 2.0) -> None:
    """Stop channels, waiting at most `patience` seconds for all together."""
    running = list(running)
    for channel in running:
        channel.stop.set()
        channel.wake.set()
    last = time.monotonic() + patience
    for channel in running:
        if channel.thread is not None:
            channel.thread.join(max(0.0, last - time.monotonic()))


def run_sink(channel: Channel) -> None:
    """Keep one sink up to date until its `stop` is set (and `wake`, so that it is seen)."""
    world = channel.world
    succeed(channel)
    while not channel.stop.is_set():
        channel.wake.clear()
        try:
            if not tell(channel) and not channel.stop.is_set():
                world.wait(channel.wake, IDLE)
        except (Unreachable, Rejected, ConfigError, StateError) as exc:
            wait = back_off(channel.failures, getattr(exc, "after", None))
            channel.failures += 1
            retried = channel.status.retried + 1
            channel.status = replace(channel.status, retried=retried, last_error=str(exc))
            log.warning("sink %s is told again in %.0f s: %s", channel.name, wait, exc)
            world.wait(channel.stop, wait)


def tell(channel: Channel) -> bool:
    """Tell a sink the next revisions in its log; says whether there were any.

    Raises Unreachable, ConfigError or a mendable Rejected of the sink, Unreachable or StateError
    of the log; the mark then stays, and what was delivered is not sent again.
    """
    _write(channel)
    mark, revisions = channel.incidents.untold(channel.name)
    quiet = 0
    for n, incident in enumerate(revisions):
        if channel.stop.is_set():
            return False
        event, alike = _due(channel, incident)
        if event is None:
            continue
        if alike:
            _keep_quiet(channel, incident, alike)
            quiet += 1
            continue
        waiting = channel.status.waiting_since or channel.world.now()
        channel.status = replace(channel.status, waiting_since=waiting)
        try:
            refusal = _send(channel, incident, event)
        except (Unreachable, Rejected, ConfigError) as exc:
            channel.incidents.delivered(*_outcome(channel, incident, "retrying", str(exc)))
            later = [one for one in revisions[n + 1 :] if one.id != incident.id]
            if not (isinstance(exc, Rejected) and _takes_one_of(channel, later)):
                raise
            refusal = _send(channel, incident, event, mendable=False)
        _done(channel, incident, refusal)
        channel.failures = 0
    if revisions:
        channel.incidents.told(channel.name, mark)
        quiet += channel.status.quiet  # each once, however often the others were tried
        channel.status = replace(channel.status, quiet=quiet)
    return bool(revisions)


def back_off(failures: int, after: float | None = None) -> float:
    """Seconds until the next try: 1, 2, 4 ... 300, and no less than the receiver asked for."""
    own = min(2.0 ** min(failures, 9), LONGEST_BACK_OFF)
    return max(own, min(after or 0.0, LONGEST_PATIENCE))


def succeed(channel: Channel) -> None:
    """Begin when those before have ended, with what they could not write: each may be sending
    what would be told twice. Ends sooner if `stop` is set.
    """
    chain = [channel]
    while (before := chain[-1].before) is not None:
        chain.append(before)
    for old in reversed(chain[1:]):
        while old.thread is not None and old.thread.is_alive():
            if channel.stop.is_set():
                return
            old.thread.join(JOIN)
        channel.unwritten.extend(old.unwritten)
    channel.before = None


def _outcome(channel: Channel, incident: Incident, outcome: str, message: str) -> Delivery:
    now = channel.world.now()
    return channel.name, incident.id, incident.revision, now, outcome, message


def _write(channel: Channel) -> None:
    while channel.unwritten:
        channel.incidents.delivered(*channel.unwritten[0])
        channel.unwritten.popleft()


def _due(channel: Channel, incident: Incident) -> tuple[Event | None, Taught | None]:
    """What a revision is news of, if any, and what people called normal that it is like."""
    before = channel.incidents.last_told(channel.name, incident.id)
    event = telling(before, incident)
    # who heard that it began hears that it is over
    ends = before is not None and event == "resolved"
    return event, None if event is None or ends else like(incident, channel.incidents.taught())


def _takes_one_of(channel: Channel, later: Sequence[Incident]) -> bool:
    """Whether a sink that refused several times takes what comes next, which then is told.

    So it was not for the sake of settings: firewalls answer 403 to words that look like an attack.
    """
    if channel.failures < SEVERAL:
        return False
    for incident in later:
        event, alike = _due(channel, incident)
        if event is not None and not alike:
            try:
                refusal = _send(channel, incident, event)
            except (Unreachable, Rejected, ConfigError):
                return False  # the first still waits, and says why
            _done(channel, incident, refusal)
            return refusal is None
    return False


def _done(channel: Channel, incident: Incident, refusal: str | None) -> None:
    """Write down that a revision was taken, or why not."""
    said = "delivered" if refusal is None else "refused"
    channel.unwritten.append(_outcome(channel, incident, said, refusal or ""))
    channel.status = _counted(channel.status, channel.unwritten[-1])
    _write(channel)


def _send(channel: Channel, incident: Incident, event: Event, mendable: bool = True) -> str | None:
    """Send one revision; why it was refused for its own sake, or None."""
    try:
        channel.sink.send((incident,), channel.world, event)
        return None
    except (Unreachable, ConfigError):
        raise
    except Rejected as exc:
        if exc.mendable and mendable:  # all that follows would be refused as well, and be lost
            raise
        refusal = str(exc)
    except Exception as exc:
        # A fault in a sink, maybe a plug-in, must not hold back what comes after: it would
        # come again with this incident. Its text may hold anything, so it is not repeated.
        place = extract_tb(exc.__traceback__)[-1]
        refusal = f"fault in the sink: {type(exc).__name__} at {place.filename}:{place.lineno}"
    name, which = channel.name, f"{incident.id}/{incident.revision}"
    log.error("sink %s refused incident %s: %s", name, which, refusal)
    return refusal


def _keep_quiet(channel: Channel, incident: Incident, alike: Taught) -> None:
    said = f"like {alike.incident.id}, which {alike.who} called normal"
    channel.incidents.delivered(*_outcome(channel, incident, "quiet", said))
    log.info("sink %s is not told of incident %s: %s", channel.name, incident.id, said)


def _counted(status: SinkStatus, outcome: Delivery) -> SinkStatus:
    *_, at, said, message = outcome
    status = replace(status, waiting_since=None)
    if said == "delivered":
        return replace(status, delivered=status.delivered + 1, refusals=0, last=at)
    return refused(status, message)


def refused(status: SinkStatus, why: str) -> SinkStatus:
    """One more was refused."""
    more = {"refused": status.refused + 1, "refusals": status.refusals + 1}
    return replace(status, **more, last_error=why)
