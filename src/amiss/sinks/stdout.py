"""The program's own output: a sentence for people, or a line of JSON for programs."""

import os
import sys
from collections.abc import Sequence
from typing import Literal, TextIO

import orjson

from amiss.component import Sink
from amiss.data import Event, Incident
from amiss.errors import Rejected, Unreachable
from amiss.sinks import Template
from amiss.words.message import as_json, compose, event_of
from amiss.world import World

LINE = "$title, since $since"


class Stdout(Sink):
    """Prints one line per incident that opens, gets worse or ends."""

    type: Literal["stdout"] = "stdout"
    format: Literal["text", "json"] = "text"
    """`text` for people, `json` for programs (the same lines as the sink `jsonl` writes)."""
    template: Template | None = None
    """The words of `text`, inline or `file:/path`; the first line is the title,
    the rest the body. Fields: $title $sentence $severity $since $until $duration $rarity
    $members $evidence $address $state $id."""
    address: str | None = None
    """Where people reach this Amiss, such as https://amiss.example.com, for $address."""

    def send(self, incidents: Sequence[Incident], world: World, event: Event | None = None) -> None:
        """Print. A reader that has gone away is Rejected, a full disk Unreachable."""
        for incident in incidents:
            if self.format == "json":
                _print(
                    orjson.dumps({"event": event_of(incident, event), **as_json(incident)}).decode()
                )
                continue
            template = self.template or LINE
            said = compose(incident, world.now(), self.address, template, event=event)
            _print(f"{said.title}\n{said.body}".rstrip("\n"))


def _print(text: str) -> None:
    """Past the buffer: what a full disk did not take would stay in it and be printed twice, and
    a stuck reader would have us hold its lock when the program ends.

    A terminal is written to as usual, since it may show a live status line, which must know.
    """
    out = sys.stdout
    data = f"{text}\n".encode(out.encoding or "utf-8", "replace")
    try:
        if out.isatty() or not _has_file(out):
            out.write(data.decode(out.encoding or "utf-8"))
            out.flush()
            return
        while data:
            data = data[os.write(out.fileno(), data) :]
    except BrokenPipeError as exc:
        raise Rejected("nobody reads the program's output any more") from exc
    except OSError as exc:
        raise Unreachable(f"the program's output cannot be written: {exc.strerror}") from exc


def _has_file(out: TextIO) -> bool:
    try:
        out.fileno()
    except OSError:
        return False
    return True
