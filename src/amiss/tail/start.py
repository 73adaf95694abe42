"""Begin at the end of files that are there at the first poll."""

from amiss.doors.files import Damaged, Files, Found
from amiss.tail.follow import Following
from amiss.tail.piece import PIECE


def to_the_end(following: Following) -> None:
    """Of each file only what is written from now on; a line that has no end yet is read whole.

    A .gz is unpacked once to find its end. Raises as `Files.read`.
    """
    for followed, found in following.originals():
        followed.read_to(_last(following.files, found), following.files, found)


def _last(files: Files, found: Found) -> int:
    """Where the last whole line ends, if it is not longer than a piece."""
    if found.packed:
        return _length(files, found)
    start = max(0, found.size - PIECE)
    data = files.read(found, start, found.size - start)
    return start + (data.rfind(b"\n") + 1 or (len(data) if start else 0))


def _length(files: Files, found: Found) -> int:
    size = 0
    try:
        while data := files.read(found, size, PIECE):
            size += len(data)
    except Damaged:
        return size
    return size
