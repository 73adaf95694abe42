"""A file of JSON lines that only grows, is rotated, and never holds a torn line.

Each line is one write to a file opened for appending. What a crash or a full disk leaves
of a line is taken away: at once if we live to see it, else before the next line. A lock on
the file keeps writers apart, threads and programs alike; readers need none.
"""

import fcntl
import os
from collections.abc import Callable
from errno import ENOSPC
from pathlib import Path

import orjson

from amiss.errors import Unreachable

TAIL = 64 * 1024  # bytes at the end in which `unless` looks
BLOCK = 1024 * 1024


def append(
    path: Path,
    line: bytes | Callable[[bytes], bytes],
    *,
    max_bytes: int,
    keep: int,
    fsync: bool = False,
    unless: Callable[[bytes], bool] | None = None,
    mode: int = 0o640,
) -> bool:
    """Add a line (a JSON object, without its newline); says whether it was added.

    It may be made of the one before it, which is empty if there is none: nobody writes meanwhile.

    It is not if `unless` is true of one of the last lines. A file that would grow beyond
    `max_bytes` becomes `path.1`, that one `path.2`, up to `keep` of them. With `fsync` the
    line is on the disk when this returns. Folders are made. About 30 µs without `fsync`.
    Raises Unreachable, the file being as it was, if it cannot be written now.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, mode)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                if not is_at(fd, path):
                    continue  # another writer has rotated it while we waited
                size = _mended(fd)
                if unless is not None and any(unless(old) for old in _tail(fd, size)):
                    return False
                new = line if isinstance(line, bytes) else line(_last(fd, size, path))
                if b"\n" in new:
                    raise ValueError("a line of a log holds no newline")
                if size and size + len(new) + 1 > max_bytes:
                    _rotate(path, keep)
                    continue
                _write(fd, new + b"\n", size)
                if fsync:
                    os.fsync(fd)
                    _sync_folder(path)
                return True
            finally:
                os.close(fd)
    except OSError as exc:
        raise Unreachable(f"{path} cannot be written: {exc.strerror}") from exc


def is_at(fd: int, path: Path) -> bool:
    """Whether an open file is still the one at that path."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False


def _mended(fd: int) -> int:
    """The file's size, after what follows the last newline was dealt with.

    A torn object is cut off. Anything else (the file is not ours, or somebody edited it)
    stays and gets a newline.
    """
    size = os.fstat(fd).st_size
    if size == 0 or os.pread(fd, 1, size - 1) == b"\n":
        return size
    start = _after_last_newline(fd, size)
    if os.pread(fd, 1, start) in (b"{", b"\0") and not _is_whole(fd, start, size):
        os.ftruncate(fd, start)
        return start
    _write(fd, b"\n", size)
    return size + 1


def _after_last_newline(fd: int, size: int) -> int:
    end = size
    while end > 0:
        start = max(0, end - BLOCK)
        at = os.pread(fd, end - start, start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _is_whole(fd: int, start: int, size: int) -> bool:
    try:
        orjson.loads(os.pread(fd, size - start, start))
    except orjson.JSONDecodeError:
        return False
    return True


def _last(fd: int, size: int, path: Path) -> bytes:
    """The last line, of the file that was rotated if this one is empty."""
    if size:
        start = _after_last_newline(fd, size - 1)
        return os.pread(fd, size - 1 - start, start)
    try:
        before = os.open(path.with_name(f"{path.name}.1"), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        size = os.fstat(before).st_size
        return _last(before, size, path) if size else b""
    finally:
        os.close(before)


def _tail(fd: int, size: int) -> list[bytes]:
    start = max(0, size - TAIL)
    lines = os.pread(fd, size - start, start).split(b"\n")
    return [line for line in (lines[1:] if start else lines) if line]


def _write(fd: int, data: bytes, size: int) -> None:
    done = os.write(fd, data)
    if done < len(data):  # the disk is full, or the file as long as it may be
        os.ftruncate(fd, size)
        raise OSError(ENOSPC, os.strerror(ENOSPC))


def _rotate(path: Path, keep: int) -> None:
    for i in range(keep - 1, 0, -1):
        older = path.with_name(f"{path.name}.{i}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{i + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))


def _sync_folder(path: Path) -> None:
    """A file that was just made or renamed is only safe once its folder is."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
