"""The inboxes of one installation, and who listens for them beside HTTP."""

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from amiss.doors.inbox import Inbox
from amiss.errors import ConfigError
from amiss.run.syslog import Listener
from amiss.run.watch import Watch
from amiss.run.watched import count
from amiss.sources.push import Push
from amiss.store import Store
from amiss.world import World

log = logging.getLogger(__name__)

FOLDER = "inbox"


class Inboxes:
    """One folder for each inbox, below that of the installation. Safe for any thread."""

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER
        self._open: dict[str, Inbox] = {}
        self._lock = threading.Lock()
        self._listening: dict[str, Listener] = {}

    def into(self, world: World) -> World:
        """A World in which sources find what was pushed."""
        return replace(world, inbox=self.get)

    def get(self, name: str) -> Inbox:
        """The inbox of that name, which nothing need have been pushed to."""
        with self._lock:
            return self._open.setdefault(name, Inbox(self.folder / name))

    def names(self, watches: Iterable[Watch]) -> list[str]:
        """Those that are read."""
        return sorted({source.inbox for _, source in readers(watches)})

    def tend(self, watches: Sequence[Watch], store: Store, world: World) -> None:
        """Drop what all have judged, and listen where the sources ask for it.

        Raises ConfigError for an address that cannot be listened on.
        """
        reading = readers(watches)
        for name in self.names(watches):
            mine = [(watch, source) for watch, source in reading if source.inbox == name]
            inbox = self.get(name)
            inbox.most = max(source.megabytes for _, source in mine) * 2**20
            judged = [store.cursor(watch.name).get("place", (0, 0)) for watch, _ in mine]
            inbox.forget(min(segment for segment, _ in judged))
        for watch, source in reading:
            for url in source.syslog:
                if url in self._listening:
                    count(watch, self._listening[url].lost())
        wanted: dict[str, str] = {}
        for _, source in reading:
            for url in source.syslog:
                if wanted.setdefault(url, source.inbox) != source.inbox:
                    raise ConfigError(
                        f"syslog: {url}: two inboxes cannot listen there, {wanted[url]} and "
                        f"{source.inbox}"
                    )
        self._listen(wanted, world)

    def close(self) -> None:
        """End all listening, and let go of the files."""
        for listener in self._listening.values():
            listener.stop()
        self._listening.clear()
        for inbox in self._open.values():
            inbox.close()

    def _listen(self, wanted: dict[str, str], world: World) -> None:
        for url in [url for url, one in self._listening.items() if wanted.get(url) != one.name]:
            self._listening.pop(url).stop()
        wrong = ""
        for url, name in wanted.items():
            if url not in self._listening:
                try:
                    self._listening[url] = Listener(url, name, self.get(name), world.now)
                except (OSError, UnicodeError) as exc:  # the latter of names that cannot be
                    wrong = f"syslog: {url}: {getattr(exc, 'strerror', None) or exc}"
                    continue
                log.info("syslog: listens on %s for inbox %s", url, name)
        if wrong:
            raise ConfigError(wrong)


def readers(watches: Iterable[Watch]) -> list[tuple[Watch, Push]]:
    """Those that read an inbox."""
    found = ((watch, watch.pipeline.source) for watch in watches)
    return [(watch, source) for watch, source in found if isinstance(source, Push)]
