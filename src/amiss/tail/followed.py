"""How far a file has been read, as the cursor of a source keeps it."""

from dataclasses import dataclass, field, fields
from hashlib import blake2b
from typing import Any, Literal, Self

from amiss.doors.files import Damaged, Files, Found
from amiss.tail.names import stem

WINDOW = 1024  # bytes at the beginning and before the place of reading that say which file it is
Id = tuple[int, int]


@dataclass(slots=True)
class Followed:
    """A file, by its number and by what has been read of it."""

    path: str
    device: int
    inode: int
    size: int = 0  # bytes on the disk at the last look
    modified: int = 0  # ns, at the last look
    offset: int = 0  # bytes that have been read, unpacked
    head: str = ""  # of the first WINDOW of them
    tail: str = ""  # of the last WINDOW of them
    grown: int = 0  # ns, by the clock of the reader: when it was first seen as it is now
    moved: bool = False  # it is, by its name or since it is known, not written to any more
    inside: bool = False  # the rest of a line that was too long is still to come
    source: list[int] | None = None  # the number of the file, read itself, that it is a copy of
    cut: Literal["", "waits", "counted"] = ""  # a .gz that ends before its end: it may go on
    unread: bool = False  # the last poll left something
    newest: int | None = None  # ns, of its records
    last: int | None = None  # ns, of its last record
    form: dict[str, Any] = field(default_factory=dict)  # how its lines are written

    @property
    def id(self) -> Id:
        """What the file system calls it."""
        return self.device, self.inode

    @property
    def copy(self) -> bool:
        """Whether it waits for what it is a copy of."""
        return self.source is not None

    @classmethod
    def of(cls, found: Found, now: int) -> Self:
        """Nothing of it is read yet."""
        known = (found.path, found.device, found.inode, found.size, found.modified)
        return cls(*known, grown=now, moved=stem(found.path) != found.path)

    @classmethod
    def load(cls, said: dict[str, Any]) -> Self:
        """From JSON."""
        return cls(**said)

    def dump(self) -> dict[str, Any]:
        """To JSON, without what is as it is at first."""
        plain = ((one.name, getattr(self, one.name)) for one in fields(self))
        return {name: value for name, value in plain if value not in ("", 0, None, {})}

    def see(self, found: Found, now: int) -> None:
        """It is there, perhaps under another name or as another file with the same content."""
        self.moved |= found.path != self.path
        new = (found.path, found.size, found.modified)
        if new != (self.path, self.size, self.modified):
            self.grown = now
        self.path, self.device, self.inode = found.path, found.device, found.inode
        self.size, self.modified = found.size, found.modified

    def read_to(self, offset: int, files: Files, found: Found) -> None:
        """It has been read so far. Raises as `Files.read`."""
        if offset == self.offset and self.head:
            return
        if self.offset < WINDOW or not self.head:
            self.head, self.tail = prints(files, found, offset)
        else:  # the beginning stays as it is, and to unpack it again would take long
            self.tail = _print(files.read(found, offset - WINDOW, WINDOW))
        self.offset = offset


def prints(files: Files, found: Found, offset: int) -> tuple[str, str]:
    """What the content before `offset` is known by. Raises as `Files.read`."""
    if not offset:
        return "", ""
    head = files.read(found, 0, min(WINDOW, offset))
    tail = files.read(found, max(0, offset - WINDOW), min(WINDOW, offset))
    return _print(head), _print(tail)


def agrees(files: Files, found: Found, followed: Followed) -> bool:
    """Whether all that was read is there: the file itself, its copy, or it packed."""
    if not followed.offset:
        return True
    if not found.packed and found.size < followed.offset:
        return False
    try:
        return prints(files, found, followed.offset) == (followed.head, followed.tail)
    except (Damaged, FileNotFoundError):
        return False


def _print(data: bytes) -> str:
    return blake2b(data, digest_size=8).hexdigest() if data else ""
