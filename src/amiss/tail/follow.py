"""Which file is which: renamed, cut, copied, packed, new or gone since the last look.

A file is known by its number as long as what was read of it still stands there. What cannot be
found so is looked for by content, among the files beside it: that is how a copy or a .gz takes
the place of a file that was cut or removed. A copy of a file that is still being read is not
read itself, until it is all that is left.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeAlias

from amiss.data import DAY
from amiss.doors.files import Damaged, Files, Found, each
from amiss.tail.followed import WINDOW, Followed, Id, agrees
from amiss.tail.names import akin, stem

Pair: TypeAlias = tuple[Followed, Found]

NEAR = 200  # files of a folder that are looked at, the last written first
FORGET = DAY  # after which a file that is no longer one of the patterns' is read no more
FAR = 2**16  # bytes into a .gz that are compared

GONE = "files that went away before their end was read"
CAPPED, CLOSED = "files over the cap", "files that may not be read"


@dataclass(slots=True)
class Following:
    """What is followed now: each with the file that it is."""

    files: Files
    now: int
    kept: dict[Id, tuple[Followed, Found]] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    stems: dict[str, list[Pair]] = field(default_factory=dict)
    heads: dict[bytes, list[Pair]] = field(default_factory=dict)
    unseen: list[Pair] = field(default_factory=list)  # whose beginning was not looked at yet

    def keep(self, followed: Followed, found: Found) -> None:
        """This is that."""
        followed.see(found, self.now)
        self.kept[followed.id] = pair = followed, found
        if not followed.copy:
            self.stems.setdefault(stem(found.path), []).append(pair)
            self.unseen.append(pair)

    def like(self, found: Found) -> list[Pair]:
        """What a file may be a copy of: what is called so, or has the same first kilobyte."""
        head = self._head(found)
        for pair in self.unseen:
            if len(start := self._head(pair[1])) == WINDOW:
                self.heads.setdefault(start, []).append(pair)
        self.unseen.clear()
        return self.stems.get(stem(found.path), []) + self.heads.get(head, [])

    def _head(self, found: Found) -> bytes:
        try:
            return self.files.read(found, 0, WINDOW)
        except (Damaged, FileNotFoundError):
            return b""

    def originals(self) -> list[Pair]:
        """Those that are no copies."""
        return [pair for pair in self.kept.values() if not pair[0].copy]


def follow(
    files: Files, before: list[Followed], named: list[Found], now: int, most: int
) -> Following:
    """`before` as it is now, with what has come to it; `named` are the files of the patterns.

    Raises Unreachable if a file that has been read may not be read any more.
    """
    following, newest = Following(files, now), _newest(before)
    folders = dict.fromkeys(Found(one.path, 0, 0, 0, 0).folder for one in before)
    beside = [files.beside(folder, NEAR) for folder in folders]
    there = {(one.device, one.inode): one for one in each([named, *beside])}
    copies = [one for one in before if one.copy]
    begun = [one for one in before if one.offset and not one.copy]
    missing = [one for one in begun if not _still(following, one, there)]
    for one in missing:
        _successor(following, one, there)
    for one in before:  # of these the number alone is known, and it may be another file's by now
        if not (one.offset or one.copy) and one.id in there and one.id not in following.kept:
            _begin(following, one, there[one.id])
    for one in copies:
        if one.id in there and one.id not in following.kept:
            _again(following, one, there[one.id])
    taken = {(one.device, one.inode) for one in named}
    fresh = [one for one in there.values() if (one.device, one.inode) not in following.kept]
    fresh = [one for one in fresh if (one.device, one.inode) in taken or _newer(one, newest)]
    for found in sorted(fresh, key=lambda one: (one.packed, len(one.path), one.path)):
        if not found.readable or len(following.kept) >= most:
            following.skipped[CAPPED if found.readable else CLOSED] += 1
            continue
        _settle(following, Followed.of(found, now), found)
    for id_, (one, _) in list(following.kept.items()):
        if id_ not in taken and not one.unread and now - one.grown >= FORGET:
            del following.kept[id_]
    return following


def _still(following: Following, one: Followed, there: dict[Id, Found]) -> bool:
    """Whether it is the file it was."""
    found = there.get(one.id)
    if found is None:
        return False
    same = (found.size, found.modified) == (one.size, one.modified)
    if (found.packed and same) or agrees(following.files, found, one):
        following.keep(one, found)
        return True
    return False


def _begin(following: Following, one: Followed, found: Found) -> None:
    """Nothing of it was read at the last look."""
    new = Followed.of(found, following.now)
    new.moved |= found.path not in (one.path, stem(one.path))
    if (found.size, found.modified) == (one.size, one.modified):
        new.grown, new.cut = one.grown, one.cut
    _settle(following, new, found)


def _successor(following: Following, one: Followed, there: dict[Id, Found]) -> None:
    """What has the content of a file that is gone, or was cut, is that file from now on."""
    for id_, found in there.items():
        free = id_ != one.id and id_ not in following.kept
        like = akin(one.path, found.path) or one.offset >= WINDOW
        if free and like and agrees(following.files, found, one):
            one.moved = True
            following.keep(one, found)
            return
    if one.unread:
        following.skipped[GONE] += 1


def _again(following: Following, one: Followed, found: Found) -> None:
    """A copy at the last look: is it still one, all that is left, or a file of its own?"""
    source = tuple(one.source or ())
    if _original(following, found):
        _hold(following, one, found)
    elif source in following.kept:
        following.keep(Followed.of(found, following.now), found)
    else:  # what was read of it has been read of its original
        one.source = None
        following.keep(one, found)


def _settle(following: Following, one: Followed, found: Found) -> None:
    """Nothing of it is read yet: it is a copy of another one, or to be read."""
    if _original(following, found):
        _hold(following, one, found)
    else:
        following.keep(one, found)


def _hold(following: Following, copy: Followed, found: Found) -> None:
    original = _original(following, found)
    if original is None:
        return
    copy.source = list(original.id)
    try:
        if not found.packed:
            copy.read_to(min(found.size, original.offset), following.files, found)
    except FileNotFoundError:
        return
    following.keep(copy, found)


def _original(following: Following, found: Found) -> Followed | None:
    """The file that this one is a copy of."""
    for one, other in following.like(found):
        if one.id != (found.device, found.inode) and _copied(following.files, found, other):
            return one
    return None


def _copied(files: Files, copy: Found, of: Found) -> bool:
    """Whether one is the beginning of the other, or all of it, perhaps packed."""
    if not copy.size or not of.size or (of.packed and not copy.packed):
        return False
    end = min(of.size, FAR) if copy.packed else copy.size
    if end > of.size and not of.packed:
        return False
    try:
        head = files.read(copy, 0, WINDOW), files.read(of, 0, WINDOW)
        if not _alike(*head):
            return False
        start = max(0, end - WINDOW)
        return _alike(files.read(copy, start, WINDOW), files.read(of, start, WINDOW))
    except (Damaged, FileNotFoundError):
        return False


def _alike(copy: bytes, of: bytes) -> bool:
    return of.startswith(copy) or (not copy and bool(of))


def _newest(before: list[Followed]) -> dict[str, int]:
    """When the last generation of each file was written, by its stem."""
    newest: dict[str, int] = {}
    for one in before:
        newest[stem(one.path)] = max(one.modified, newest.get(stem(one.path), 0))
    return newest


def _newer(found: Found, newest: dict[str, int]) -> bool:
    """Whether it is a generation that came and went since the last look, under another name."""
    name = stem(found.path)
    return found.path != name and found.modified >= newest.get(name, found.modified + 1)
