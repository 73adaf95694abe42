"""What others push here, on the disk before it is acknowledged, until it has been judged.

An inbox is a folder of segments, files that are only ever written at their end:

    entry    checksum, lengths, time of arrival and kind; then the body as it was sent

A reader goes by a place (segment, offset) and may begin again at any that it once had. What is
behind the places of all readers is dropped, by whole segments. What a crash cut off at the end
of a segment was not acknowledged, and is passed over.
"""

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from amiss.data import SECOND
from amiss.errors import Unreachable

SEGMENT = 16 * 2**20  # bytes after which a new one is begun
LARGEST = 2**30  # of all segments, unless told otherwise
HEAD = struct.Struct("<IIIqB")
"""Checksum of the rest, bytes of the body, when unpacked, ns of arrival, bytes of the kind."""
SUFFIX = ".inbox"
NONE = -1  # no file
AFTER = 5.0  # seconds after which a sender may try again


class Place(NamedTuple):
    """Where to read on."""

    segment: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it came."""

    arrived: int  # ns
    kind: str  # what it is written in; at most 255 bytes
    body: bytes
    unpacked: int = 0  # bytes that it takes then, if more than as it came


class Inbox:
    """One folder. Safe to be used from several threads; of one process at a time."""

    def __init__(
        self, folder: Path, most: int = LARGEST, sync: Callable[[int], None] = os.fdatasync
    ) -> None:
        self.folder, self.most = folder, most
        self._sync = sync
        self._lock = Lock()
        self._file = NONE
        self._segment = self._at = 0
        self._held = -1  # bytes on the disk; -1 is not known yet

    def append(self, entries: list[Entry]) -> None:
        """Keep messages, all or none; returns when they are on the disk.

        Raises Unreachable, with the seconds to wait, if the inbox or the disk is full. An empty
        one takes any.
        """
        data = b"".join(map(_written, entries))
        with self._lock:
            try:
                self._open(entries[0].arrived)
                if self._held and self._held + len(data) > self.most:
                    if self._at:
                        self._begin(entries[0].arrived)  # what is judged can be dropped then
                    raise Unreachable(
                        f"inbox {self.folder.name}: {self._held:,} bytes wait to be judged, and "
                        f"{self.most:,} are its limit",
                        AFTER,
                    )
                self._write(data)
            except OSError as exc:
                self._give_up()
                said = exc.strerror or type(exc).__name__
                raise Unreachable(f"inbox {self.folder.name}: {said}", AFTER) from None

    def read(self, place: Place, most: int) -> tuple[list[Entry], Place, bool, int]:
        """Messages from a place on, `most` bytes of them when unpacked, but one at least.

        Returns them, the place behind, whether there are more, and how many entries of damaged
        segments were passed over. A place that was dropped meanwhile is the oldest there is.
        Raises Unreachable if the disk cannot be read.
        """
        try:
            return self._read(place, most)
        except OSError as exc:
            said = exc.strerror or type(exc).__name__
            raise Unreachable(f"inbox {self.folder.name}: {said}") from None

    def forget(self, before: int) -> None:
        """Drop the segments before that number."""
        for number, path in self._segments():
            if number >= before:
                break
            with self._lock:
                if self._held >= 0:
                    self._held -= path.stat().st_size
                path.unlink()

    def close(self) -> None:
        """Let go of the file that is written to."""
        with self._lock:
            self._close()

    def _read(self, place: Place, most: int) -> tuple[list[Entry], Place, bool, int]:
        found, damaged, room = list[Entry](), 0, most
        segments = [one for one in self._segments() if one[0] >= place.segment]
        for i, (number, path) in enumerate(segments):
            offset = place.offset if number == place.segment else 0
            end = self._end(number, path)
            data = _bytes(path, offset, min(room + HEAD.size, end - offset))
            used = 0
            while room > 0 or not found:
                entry, size = _entry(data, used)
                if entry is None and len(data) - used < size <= end - offset - used:
                    data = _bytes(path, offset, used + size)  # what was read of the file cut it
                    entry, size = _entry(data, used)
                if entry is None:
                    break
                found.append(entry)
                used, room = used + size, room - max(size, entry.unpacked)
            place = Place(number, offset + used)
            if found and room <= 0:
                more = i + 1 < len(segments) or end > place.offset
                return found, place, more, damaged
            if i + 1 < len(segments):  # what remains of it was cut off by a crash
                damaged += end > place.offset
                place = Place(segments[i + 1][0], 0)
        return found, place, False, damaged

    def _open(self, now: int) -> None:
        if self._file == NONE or self._at >= SEGMENT:
            self._begin(now)

    def _begin(self, now: int) -> None:
        """Begin a segment behind all there are, so that nothing is written behind a cut.

        Its number is none that a reader may know of another, even if the folder was emptied.
        """
        self._close()
        self.folder.mkdir(parents=True, exist_ok=True)
        there = self._segments()
        self._held = sum(path.stat().st_size for _, path in there)
        self._segment, self._at = max(there[-1][0] + 1 if there else 0, now // SECOND), 0
        path = self.folder / f"{self._segment:012d}{SUFFIX}"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _end(self, number: int, path: Path) -> int:
        """Bytes of a segment that may be read: of the newest, those that were acknowledged."""
        with self._lock:
            if self._file != NONE and number == self._segment:
                return self._at
        return path.stat().st_size

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._sync(self._file)
        self._at += len(data)
        self._held += len(data)

    def _give_up(self) -> None:
        """Take back what was not acknowledged, as it will be sent again."""
        if self._file != NONE:
            try:
                os.ftruncate(self._file, self._at)
            except OSError:
                pass  # the checksum says of a part that it is none
        self._close()

    def _close(self) -> None:
        if self._file != NONE:
            os.close(self._file)
            self._file = NONE

    def _segments(self) -> list[tuple[int, Path]]:
        """By number, the oldest first."""
        try:
            names = sorted(name for name in os.listdir(self.folder) if name.endswith(SUFFIX))
        except (FileNotFoundError, NotADirectoryError):
            return []
        return [(int(name.removesuffix(SUFFIX)), self.folder / name) for name in names]


def _written(entry: Entry) -> bytes:
    kind = entry.kind.encode()
    unpacked = min(entry.unpacked, 2**32 - 1)
    head = HEAD.pack(0, len(entry.body), unpacked, entry.arrived, len(kind))[4:]
    rest = b"".join((head, kind, entry.body))
    return zlib.crc32(rest).to_bytes(4, "little") + rest


def _entry(data: bytes, at: int) -> tuple[Entry | None, int]:
    """The entry at a place, if it is whole, and its bytes as far as they are known."""
    if len(data) < at + HEAD.size:
        return None, HEAD.size
    checksum, body, unpacked, arrived, kind = HEAD.unpack_from(data, at)
    size = HEAD.size + kind + body
    if len(data) < at + size or zlib.crc32(memoryview(data)[at + 4 : at + size]) != checksum:
        return None, size
    name = data[at + HEAD.size : at + HEAD.size + kind].decode()
    return Entry(arrived, name, data[at + HEAD.size + kind : at + size], unpacked), size


def _bytes(path: Path, offset: int, size: int) -> bytes:
    if size <= 0:
        return b""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)
