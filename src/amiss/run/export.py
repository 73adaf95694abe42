"""Write what was judged to where an export says, each in its own thread.

What is committed is written, tick by tick, and marked when it was: a crash in between writes the
same samples at the same times once more, which receivers take for the same. What a receiver
refuses is counted and passed by; one that does not answer, or refuses for the sake of settings
that may be put right, is asked again and delays only itself.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from traceback import extract_tb
from typing import Any

import numpy as np

from amiss.data import HOUR, Floats, Times
from amiss.errors import ConfigError, Rejected, StateError, Unreachable
from amiss.exports import RemoteWrite
from amiss.exposed import clean, labels_of
from amiss.formats.remote_write import Row
from amiss.run.recent import COLUMNS
from amiss.run.tell import Channel, back_off, refused, succeed
from amiss.run.watched import Watch
from amiss.store import Store

log = logging.getLogger(__name__)

STRETCH = HOUR  # of history that is read at once, or less of many series
CELLS = 8_000_000  # numbers that are read at once, of 8 bytes


@dataclass(slots=True)
class Exporting(Channel):
    """An export and its thread. `delivered`, `retried` and `refused` count requests."""

    sink: Any  # RemoteWrite
    watches: Callable[[], Sequence[Watch]] = tuple

    def run(self) -> None:
        """Keep it up to date until `stop` is set."""
        succeed(self)
        while not self.stop.is_set():
            try:
                if not write(self):
                    self.world.wait(self.stop, self.sink.every / 1e9)
            except (Unreachable, Rejected, ConfigError, StateError) as exc:
                self._wait(str(exc), getattr(exc, "after", None))
            except Exception as exc:
                # A fault of ours must not end the thread: nothing would be written any more,
                # and nobody would know. Its text may hold anything, so it is not repeated.
                place = extract_tb(exc.__traceback__)[-1]
                where = f"{place.filename}:{place.lineno}"
                self._wait(f"fault in the export: {type(exc).__name__} at {where}")

    def _wait(self, why: str, after: float | None = None) -> None:
        wait = back_off(self.failures, after)
        self.failures += 1
        self.status = replace(
            self.status,
            retried=self.status.retried + 1,
            last_error=why,
            waiting_since=self.status.waiting_since or self.world.now(),
        )
        log.warning("export %s is tried again in %.0f s: %s", self.name, wait, why)
        self.world.wait(self.stop, wait)


def exporting(
    exports: dict[str, RemoteWrite],
    store: Store,
    world: Any,
    watches: Callable[[], Sequence[Watch]],
) -> list[Channel]:
    """One for each export, to be started."""
    return [Exporting(name, one, store, world, watches=watches) for name, one in exports.items()]


def write(channel: Exporting) -> bool:
    """Write the next stretch of each pipeline; says whether there is more.

    Raises Unreachable, ConfigError or a mendable Rejected of the receiver, Unreachable or
    StateError of the store; the mark then stays where all was written.
    """
    store: Store = channel.incidents  # type: ignore[assignment]
    place, more = f"export {channel.name}", False
    marks: dict[str, int] = store.get_meta(place, {})
    for watch in channel.watches():
        if watch.name not in marks:
            marks[watch.name] = channel.world.now()
            store.set_meta(place, marks)
        keys, time, cells, end = _new(watch, store, marks[watch.name])
        more = more or end is not None
        for last, rows in _requests(channel.sink, watch.name, keys, time, cells):
            if channel.stop.is_set():
                return False
            _send(channel, rows)
            if last is not None:
                marks[watch.name] = last
                store.set_meta(place, marks)
        if end is not None and not len(time):  # a stretch of silence
            marks[watch.name] = end
            store.set_meta(place, marks)
    return more


def _new(
    watch: Watch, store: Store, mark: int
) -> tuple[tuple[str, ...], Times, Floats, int | None]:
    """Keys, times (T,) and cells (T, S, 5) of committed ticks after the mark: out of memory, or,
    where that does not go back so far, a stretch of the history, and the end of it (ns).
    """
    keys, time, cells, oldest = watch.recent.after(mark)
    if not watch.ready or watch.waiting:  # the newest may not be committed
        return keys, time[:0], cells[:0], None
    if not keys or not len(time) or oldest <= mark:
        return keys, time, cells, None
    end = mark + _stretch(watch, len(keys))
    found = store.history_many(keys, mark + 1, min(end, oldest - 1))
    times = np.unique(np.concatenate([points.time for points in found.values()]))
    old = np.full((len(times), len(keys), len(COLUMNS)), np.nan)
    for s, points in enumerate(found.values()):
        rows = np.searchsorted(times, points.time)
        for c, column in enumerate(points.columns()[1:]):
            old[rows, s, c] = column
    if end < oldest:
        return keys, times, old, end
    return keys, np.concatenate([times, time]), np.concatenate([old, cells]), None


def _stretch(watch: Watch, series: int) -> int:
    """How much of the history (ns) to read at once, so that it is bounded in memory."""
    return min(STRETCH, max(CELLS // (series * len(COLUMNS)), 1) * watch.pipeline.every)


def _requests(
    export: RemoteWrite, pipeline: str, keys: Sequence[str], time: Times, cells: Floats
) -> Iterator[tuple[int | None, list[Row]]]:
    """What each request carries, and the last tick that is whole with it; None within a tick."""
    wanted = [(name, COLUMNS.index(name)) for name in export.metrics]
    step = max(1, export.most // max(1, len(keys) * len(wanted)))
    some = max(1, export.most // max(1, step * len(wanted)))
    common = clean(export.labels)
    for at in range(0, len(time), step):
        ticks, values = time[at : at + step], cells[at : at + step]
        for first in range(0, len(keys), some):
            rows: list[Row] = []
            for s, key in enumerate(keys[first : first + some], first):
                labels = {**labels_of(key, pipeline), **common}
                for name, column in wanted:
                    known = np.isfinite(values[:, s, column])
                    if known.any():
                        said = {**labels, "__name__": f"amiss_{name}"}
                        rows.append(
                            (said, ticks[known].tolist(), values[known, s, column].tolist())
                        )
            yield int(ticks[-1]) if first + some >= len(keys) else None, rows


def _send(channel: Exporting, rows: list[Row]) -> None:
    if not rows:
        return
    try:
        channel.sink.write(rows, channel.world)
    except Rejected as exc:
        if exc.mendable:
            raise
        if channel.status.last_error != str(exc):
            log.error("export %s: refused, and passed by: %s", channel.name, exc)
        status = refused(channel.status, str(exc))
    else:
        now = channel.world.now()
        delivered = channel.status.delivered + 1
        status = replace(channel.status, delivered=delivered, refusals=0, last=now)
    channel.failures, channel.status = 0, replace(status, waiting_since=None)
