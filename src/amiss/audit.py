"""The audit trail: a line of JSON for each act that matters, with the hash of the one before.

    {"n": 7, "time": "2026-03-07T14:02:10Z", "who": "user joe (1000)", "what": "model promoted",
     "said": {"model": "3a0335"}, "before": "<SHA-256 of line 6, in hex>"}

Whoever changes, takes out or puts in a line breaks the chain at the next one. That the last lines
are still there is known by the number and hash that are kept elsewhere (see run/audited.py).
"""

import fcntl
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from amiss import jsonlog
from amiss.errors import ConfigError
from amiss.words.message import write_time

FILE = "audit.jsonl"
MOST = 10_000_000  # bytes of a file
KEPT = 100  # files that were rotated
NONE = "0" * 64  # the hash before the first line


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of a trail."""

    n: int
    hash: str  # SHA-256 of the line, in hex


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of a trail: how far it is whole."""

    lines: int  # that are whole, from the first on
    head: Head | None  # the last of these
    broken: str = ""  # where and why it is not; "" if it is
    torn: bool = False  # whether a line was cut short by a crash, which is no harm


def note(
    path: Path,
    now: int,
    who: str,
    what: str,
    said: Mapping[str, Any],
    unless: Callable[[bytes], bool] | None = None,
) -> Head | None:
    """Add a line at a time in ns, on the disk when this returns; about 5 ms.

    None if it is not added since `unless` is true of one of the last lines. Only the owner may
    read the file. Raises Unreachable if it cannot be written now.
    """
    made = [Head(0, NONE)]

    def line(last: bytes) -> bytes:
        n = _number(last) + 1
        entry = {
            "n": n,
            "time": write_time(now),
            "who": who,
            "what": what,
            "said": dict(said),
            "before": hashed(last),
        }
        new = orjson.dumps(entry)
        made[0] = Head(n, hashed(new))
        return new

    added = jsonlog.append(
        path, line, max_bytes=MOST, keep=KEPT, fsync=True, unless=unless, mode=0o600
    )
    return made[0] if added else None


def hashed(line: bytes) -> str:
    """What the next line says of this one."""
    return hashlib.sha256(line).hexdigest() if line else NONE


def entries(path: Path, last: int | None = None) -> list[dict[str, Any]]:
    """All that can be read, oldest first, or the `last` so many, which alone take memory.

    Raises ConfigError if there is no trail, or not for us.
    """
    found = (said for _, _, line in _lines(path) if (said := _read(line)) is not None)
    return list(deque(found, last))


def verify(path: Path, head: Head | None = None) -> Verdict:
    """Whether each line follows from the one before, and `head`, if known, is among them.

    Raises ConfigError if there is no trail, or not for us.
    """
    if head is not None and not (path.exists() or _file(path, 1).exists()):
        return Verdict(0, None, f"{path} is gone, and entry {head.n} was written")
    lines, last, found = 0, Head(0, NONE), head is None
    for file, number, whole in _lines(path):
        if file == path and not whole.endswith(b"\n"):
            return _ended(lines, last, None if found else head, torn=True)
        line = whole.removesuffix(b"\n")
        why = _wrong(line, last, all_kept=file != _file(path, KEPT))
        now = Head(_number(line), hashed(line))
        if not why and head is not None and now.n == head.n:
            found, why = True, "" if now == head else "is not what was written"
        if why:
            return Verdict(lines, last if lines else None, f"{file.name}, line {number}: {why}")
        lines, last = lines + 1, now
    return _ended(lines, last, None if found else head)


def _wrong(line: bytes, last: Head, all_kept: bool) -> str:
    """Why this line does not follow on the last one; "" if it does."""
    said = _read(line)
    if said is None:
        return "is no entry"
    if last.n == 0 and said["n"] != 1:  # the first that there is
        return f"is entry {said['n']}, and those before it are gone" if all_kept else ""
    if said["n"] != last.n + 1:
        return f"is entry {said['n']} and follows on {last.n}"
    return "" if said["before"] == last.hash else "what stands before it was changed"


def _ended(lines: int, last: Head, missed: Head | None, torn: bool = False) -> Verdict:
    """Of a trail that was read to its end, and in which `missed` did not come."""
    broken = ""
    if missed is not None and missed.n > last.n:
        broken = f"ends with entry {last.n}, and entry {missed.n} was written"
    return Verdict(lines, last if lines else None, broken, torn)


def _lines(path: Path) -> Iterator[tuple[Path, int, bytes]]:
    """File, number of the line in it, and the line with its newline; the oldest first."""
    with ExitStack() as stack:
        for file, opened, size in _opened(path, stack):
            left = size
            for number, line in enumerate(opened, 1):
                if left <= 0:  # written since
                    break
                yield file, number, line[:left]
                left -= len(line)


def _opened(path: Path, stack: ExitStack) -> list[tuple[Path, BinaryIO, int]]:
    """The files, oldest first, open, and their sizes in bytes, all of one moment.

    So nobody who writes has to wait until they are read.
    """
    found: list[tuple[Path, BinaryIO, int]] = []
    with _alone(path):
        for file in (*(_file(path, i) for i in range(KEPT, 0, -1)), path):
            if file.exists():
                opened = stack.enter_context(file.open("rb"))
                found.append((file, opened, os.fstat(opened.fileno()).st_size))
    return found


def _file(path: Path, i: int) -> Path:
    return path.with_name(f"{path.name}.{i}")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody writes meanwhile, so nothing is rotated away."""
    while True:
        newest = _newest(path)
        try:
            fd = os.open(newest, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if _newest(path) != newest:
                continue
            raise ConfigError(f"{path}: there is no audit trail; `amiss run` begins one") from None
        except OSError as exc:
            raise ConfigError(f"{path} cannot be read: {exc.strerror}") from None
        try:
            fcntl.flock(fd, fcntl.LOCK_SH)
            if _newest(path) != newest or not jsonlog.is_at(fd, newest):
                continue  # it was rotated while we waited
            yield
            return
        finally:
            os.close(fd)


def _newest(path: Path) -> Path:
    return path if path.exists() else _file(path, 1)  # killed while it was rotated


def _number(line: bytes) -> int:
    said = _read(line)
    return said["n"] if said else 0


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    kinds = {"n": int, "time": str, "who": str, "what": str, "said": dict, "before": str}
    if not isinstance(said, dict) or said.keys() != kinds.keys():
        return None
    return said if all(isinstance(said[name], kind) for name, kind in kinds.items()) else None
