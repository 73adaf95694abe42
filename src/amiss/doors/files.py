"""Files that others write: which there are, and their bytes from any place on.

Nothing is held open from one look to the next but what unpacks a .gz, which would otherwise
begin anew with every read.
"""

import glob
import os
import stat
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Lock

from amiss.errors import ConfigError, Unreachable

OPEN = 16  # .gz files that are being unpacked
STEP = 2**18  # bytes that are unpacked at once
BACK = 2**13  # bytes before a place that are kept with it
MAGIC = glob.has_magic


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file that was there."""

    path: str
    device: int
    inode: int
    size: int  # bytes on the disk
    modified: int  # ns
    readable: bool = True

    @property
    def packed(self) -> bool:
        """Whether it is a .gz, by its name."""
        return self.path.endswith(".gz")

    @property
    def folder(self) -> str:
        """Where it lies."""
        return os.path.dirname(self.path) or "."


class Damaged(Exception):
    """A .gz that cannot be unpacked."""


class Files:
    """The file system, for who only reads; what it remembers makes it faster and nothing else."""

    def __init__(self) -> None:
        self._unpacking: OrderedDict[tuple[int, int, int, int], _Unpacking] = OrderedDict()
        self._lock = Lock()

    def matching(self, pattern: str, most: int) -> list[Found]:
        """The files of a pattern, `most` of them looked at. `**` is any number of folders.

        Raises Unreachable if the folder is not there (`absent`) or may not be read; ConfigError if
        a path without wildcards is no regular file. A file that is not there is none.
        """
        pattern = os.path.expanduser(pattern)
        if not MAGIC(pattern):
            folder = os.path.dirname(pattern) or "."
            _readable(folder, listed=False)
            found = _look(pattern, strict=True)
            return [found] if found else []
        _readable(_root(pattern), listed=True)
        names = islice(glob.iglob(pattern, recursive=True, include_hidden=True), most)
        return [found for name in names if (found := _look(name))]

    def beside(self, folder: str, most: int) -> list[Found]:
        """The regular files of a folder, the last written first; none if it is gone."""
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in islice(entries, 100 * most)]
        except OSError:
            return []
        inside = "" if folder == "." else folder
        found = [one for name in names if (one := _look(os.path.join(inside, name)))]
        return sorted(found, key=lambda one: (-one.modified, one.path))[:most]

    def read(self, file: Found, start: int, size: int) -> bytes:
        """At most `size` bytes from `start` on, unpacked.

        Raises FileNotFoundError if another stands there by now, Unreachable if it may not be
        read, Damaged if it cannot be unpacked. A .gz that is not finished ends where it ends.
        """
        return self.piece(file, start, size)[0]

    def piece(self, file: Found, start: int, size: int) -> tuple[bytes, bool]:
        """The same, and whether it ends there as the file is a .gz that is not finished."""
        try:
            handle = os.open(file.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise Unreachable(f"{file.path}: cannot be read: {exc.strerror}") from None
        try:
            now = os.fstat(handle)
            if (now.st_dev, now.st_ino) != (file.device, file.inode):
                raise FileNotFoundError(file.path)
            if file.packed:
                return self._unpack(file, handle, start, size)
            return os.pread(handle, size, start), False
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise Unreachable(f"{file.path}: cannot be read: {exc.strerror}") from None
        finally:
            os.close(handle)

    def _unpack(self, file: Found, handle: int, start: int, size: int) -> tuple[bytes, bool]:
        key = (file.device, file.inode, file.size, file.modified)
        with self._lock:
            stream = self._unpacking.pop(key, None)
            if stream is None or stream.first > start:
                stream = _Unpacking()
            data = stream.read(handle, start, size)
            self._unpacking[key] = stream
            while len(self._unpacking) > OPEN:
                self._unpacking.popitem(last=False)
        return data, len(data) < size and stream.cut


class _Unpacking:
    """A .gz, unpacked as far as it was asked for; what was asked for last can be read again."""

    def __init__(self) -> None:
        self.first = 0  # place of the first byte that is still there
        self.held = b""
        self._at = 0  # in the file
        self._inflate = zlib.decompressobj(31)

    @property
    def cut(self) -> bool:
        """Whether what is there ends before its end."""
        return self._at > 0 and not self._inflate.eof

    def read(self, handle: int, start: int, size: int) -> bytes:
        while self.first + len(self.held) < start + size:
            more = self._more(handle)
            if not more:
                break
            held = self.held + more
            past = max(0, min(len(held), start - self.first) - BACK)
            self.held, self.first = held[past:], self.first + past
        return self.held[start - self.first : start - self.first + size]

    def _more(self, handle: int) -> bytes:
        """The next bytes; none at the end, or where what is there ends."""
        while True:
            packed = self._inflate.unconsumed_tail
            if self._inflate.eof:
                packed = self._inflate.unused_data
                packed = packed or self._take(handle)
                if not packed.strip(b"\0"):
                    return b""
                self._inflate = zlib.decompressobj(31)  # a .gz may be several, one after the other
            packed = packed or self._take(handle)
            if not packed:
                return b""
            try:
                data = self._inflate.decompress(packed, STEP)
            except zlib.error as exc:
                raise Damaged(str(exc)) from None
            if data:
                return data

    def _take(self, handle: int) -> bytes:
        packed = os.pread(handle, STEP, self._at)
        self._at += len(packed)
        return packed


def _root(pattern: str) -> str:
    """The folder that a pattern begins in."""
    parts: list[str] = []
    for part in pattern.split(os.sep):
        if MAGIC(part):
            break
        parts.append(part)
    return os.sep.join(parts) or (os.sep if pattern.startswith(os.sep) else ".")


def _readable(folder: str, listed: bool) -> None:
    """Raises Unreachable if it is not there or, if it is to be `listed`, cannot be."""
    try:
        with os.scandir(folder):
            return
    except FileNotFoundError:
        raise Unreachable(f"{folder}: there is no such folder", absent=True) from None
    except NotADirectoryError:
        raise Unreachable(f"{folder}: is no folder") from None
    except OSError as exc:
        if isinstance(exc, PermissionError) and not listed:
            return  # its files may be readable by their names
        raise Unreachable(f"{folder}: cannot be read: {exc.strerror}") from None


def _look(path: str, strict: bool = False) -> Found | None:
    try:
        seen = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        if strict:
            raise Unreachable(f"{path}: cannot be read: {exc.strerror}") from None
        return None
    if not stat.S_ISREG(seen.st_mode):
        if strict:
            raise ConfigError(f"{path}: is no regular file, so its lines cannot be followed")
        return None
    readable = os.access(path, os.R_OK)
    if strict and not readable:
        raise Unreachable(f"{path}: cannot be read: Permission denied")
    return Found(path, seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, readable)


def each(groups: Sequence[list[Found]]) -> Iterator[Found]:
    """Each file once, whatever it is called."""
    known = set[tuple[int, int]]()
    for file in (file for group in groups for file in group):
        if (file.device, file.inode) not in known:
            known.add((file.device, file.inode))
            yield file
