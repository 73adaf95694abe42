"""A file of JSON lines, rotated, never torn."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import orjson
from pydantic import Field

from amiss.component import Sink
from amiss.data import Event, Incident
from amiss.jsonlog import append
from amiss.words.message import as_json, event_of
from amiss.world import World


class Jsonl(Sink):
    """One line per incident that opens, gets worse or ends: `event`, then the incident.

    Times are RFC 3339 in UTC, `score` is in nats, `rarity` and `watched` are in days, and
    numbers that are none are null. The same revision is never written twice.
    """

    type: Literal["jsonl"] = "jsonl"
    path: Path = Field(examples=["incidents.jsonl"])
    """The file; folders are made."""
    max_bytes: int = Field(100_000_000, ge=1024)
    """A file that would grow beyond this is renamed to `path.1`, that one to `path.2`."""
    keep: int = Field(5, ge=1)
    """How many renamed files to keep."""
    fsync: bool = True
    """Have each line on the disk before it counts as told."""

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """Append. Raises Unreachable while the file cannot be written."""
        for incident in incidents:
            line = orjson.dumps({"event": event_of(incident, event), **as_json(incident)})
            append(
                self.path.expanduser(),
                line,
                max_bytes=self.max_bytes,
                keep=self.keep,
                fsync=self.fsync,
                unless=partial(_is, incident),
            )


def _is(incident: Incident, line: bytes) -> bool:
    """Whether a line is that revision: it comes twice after a crash between send and mark."""
    if f'"{incident.id}"'.encode() not in line:
        return False
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:  # somebody else's line
        return False
    whose = (said.get("id"), said.get("revision")) if isinstance(said, dict) else None
    return whose == (incident.id, incident.revision)
