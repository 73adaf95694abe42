"""A log, who writes it, who rotates it, and who reads it."""

import gzip
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import orjson

from amiss.component import Cursor
from amiss.data import SECOND, Records
from amiss.doors.files import Files
from amiss.sources.file import File
from amiss.world import World

START = 1_700_000_000 * SECOND


@dataclass
class Log:
    """In a folder of its own; the clock stands still between polls."""

    folder: Path
    source: File
    now: int = START
    cursor: Cursor = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    written: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    partial: str = ""
    count: int = 0

    @property
    def path(self) -> Path:
        return self.folder / "app.log"

    def append(self, text: str) -> None:
        with self.path.open("a") as file:
            file.write(text)

    def lines(self, n: int, width: int = 0) -> None:
        for _ in range(n):
            self.count += 1
            rest = f"line {self.count}{' ' * (width > 0)}{'x' * width}"
            self.append(f"{rest}\n")
            self.written.append(self.partial + rest)
            self.partial = ""

    def begin(self) -> None:
        self.count += 1
        self.append(f"half {self.count} ")
        self.partial += f"half {self.count} "

    def _cut(self) -> None:
        """What has no end yet is a line by itself once the log is rotated."""
        if self.partial:
            self.halves.append(self.partial)
        self.partial = ""

    def _shift(self) -> None:
        for i in range(30, 0, -1):
            for end in ("", ".gz"):
                old = self.folder / f"app.log.{i}{end}"
                if old.exists():
                    old.rename(self.folder / f"app.log.{i + 1}{end}")

    def rename(self) -> None:
        self._shift()
        if self.path.exists():
            self.path.rename(self.folder / "app.log.1")
            self._cut()

    def copy(self, look: bool = False) -> None:
        if not self.path.exists():
            return
        self._shift()
        shutil.copyfile(self.path, self.folder / "app.log.1")
        if look:
            self.poll()
        self.path.write_text("")
        self._cut()

    def pack(self, look: bool = False) -> None:
        plain = sorted(one for one in self.folder.glob("app.log.*") if one.suffix != ".gz")
        for one in plain[:1]:
            raw = one.read_bytes()
            packed = one.with_name(f"{one.name}.gz")
            if look:
                packed.write_bytes(gzip.compress(raw)[:7])
                self.poll()
            packed.write_bytes(gzip.compress(raw))
            if look:
                self.poll()
            one.unlink()

    def restart(self) -> None:
        self.files = Files()

    def look(self) -> Records:
        world = World(now=lambda: self.now, files=lambda: self.files)
        before = orjson.loads(orjson.dumps(self.cursor))
        self.cursor, records = self.source.poll(before, world)
        return records

    def poll(self) -> None:
        self.now += 30 * SECOND
        while True:
            records = self.look()
            assert records.text is not None
            self.read += records.text.tolist()
            for reason, n in records.skipped.items():
                self.skipped[reason] = self.skipped.get(reason, 0) + n
            if not records.more:
                break


def name(time: int) -> str:
    """As a line begins with it."""
    return datetime.fromtimestamp(time / SECOND, UTC).isoformat(timespec="seconds")
