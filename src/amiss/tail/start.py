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
    size, line = 0, 0
    try:
        data, cut = files.piece(found, 0, PIECE)
        while data:
            end = data.rfind(b"\n") + 1
            size, line = size + len(data), size + end if end else line
            data, cut = files.piece(found, size, PIECE)
    except Damaged:
        return size
    return line if cut else size  # the rest of its last line may come
