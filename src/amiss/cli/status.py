"""The live line of `amiss run`: what is watched, and each incident as it comes and goes."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amiss.data import Incident
    from amiss.run.live import Live
    from amiss.run.now import Now

log = logging.getLogger("amiss")

FAILS = "failing"
PAUSE = 1.0  # seconds between two looks


def status(now: "Now", address: str) -> str:
    """The block, a line each for how it is and for what is wrong."""
    warming = sum(one.state == "warming up" for one in now.series)
    silent = sum(one.state == "silent" for one in now.series)
    said = [
        f"watching {len(now.series)} series",
        *([f"{warming} warming up"] if warming else []),
        *([f"{silent} silent"] if silent else []),
        f"{len(now.open)} amiss",
        f"budget {now.budget.today} of {now.budget.asked:g} today",
        address,
    ]
    lines = [", ".join(said)]
    if now.phase != "watching":
        lines.append(now.reason)
    lines += [
        f"pipeline {p.name} fails: {p.reason}" for p in now.pipelines if p.health == "failing"
    ]
    lines += [
        f"pipeline {p.name} waits: {p.reason}" for p in now.pipelines if p.health == "waiting"
    ]
    lines += [f"sink {s.name} fails: {s.reason}" for s in now.sinks if s.health == "failing"]
    if now.config_error:
        lines.append(f"the old configuration is kept: {now.config_error}")
    return "\n".join(lines)


@dataclass(slots=True)
class News:
    """Tells apart what is new between two pictures."""

    open: "dict[str, Incident]" = field(default_factory=dict)
    phase: str = ""

    def take(self, now: "Now", live: "Live") -> "Iterator[tuple[str, Incident]]":
        """Each incident that opened, changed or ended since the last picture, and which of it."""
        found = {each.id: each for each in now.open}
        for id, each in found.items():
            before = self.open.get(id)
            if before is None:
                yield "opened", each
            elif before.revision != each.revision:
                yield "changed", each
        for id in self.open.keys() - found.keys():
            if revisions := live.store.incident(id):
                yield "resolved", revisions[-1]
        self.open = found


@contextmanager
def shown(live: "Live", address: str, terminal: bool) -> Iterator[None]:
    """Show the state of a running program as long as this lasts."""
    over = threading.Event()
    if terminal:
        from rich.console import Console
        from rich.live import Live as Block

        block: Any = Block(console=Console(highlight=False), auto_refresh=False, transient=True)
    else:
        block = None
    follower = threading.Thread(
        target=_follow, args=(live, address, block, over), name="status", daemon=True
    )
    if block:
        block.start()
    follower.start()
    try:
        yield
    finally:
        over.set()
        follower.join(2 * PAUSE)
        if block:
            block.stop()


def _follow(live: "Live", address: str, block: Any, over: threading.Event) -> None:
    from amiss.errors import Error

    news, now = News(), None
    while not over.is_set():
        try:
            now = live.wait(now.version if now else -1, PAUSE)
            for event, incident in news.take(now, live):
                announce(event, incident, block)
        except Error as exc:
            log.warning("the status cannot be shown: %s", exc)
            over.wait(PAUSE)
            continue
        if block:
            from rich.text import Text

            block.update(Text(status(now, address)), refresh=True)
        elif now.phase != news.phase:
            log.info(now.reason, extra={"phase": now.phase, "series": len(now.series)})
        news.phase = now.phase


def announce(event: str, incident: "Incident", block: Any) -> None:
    """One line: on the terminal above the block, else in the log."""
    if block:
        from rich.text import Text

        from amiss.cli.output import moment

        line = f"{moment(incident.seen)} {event} ({incident.severity}): {incident.sentence}"
        block.console.print(Text(line))
        return
    log.info(
        "incident %s",
        event,
        extra={
            "incident": incident.id,
            "revision": incident.revision,
            "severity": incident.severity,
            "system": incident.system,
            "score": round(incident.score, 2),
            "reason": incident.sentence,
        },
    )
