"""The next lines of one file."""

import re
from collections import Counter
from dataclasses import dataclass, field

from amiss.data import MINUTE, SECOND
from amiss.doors.files import Damaged, Files, Found
from amiss.tail.followed import Followed
from amiss.tail.lines import BYTES, Lines, join, split

PATIENCE = 10 * SECOND
"""How long the last line of a rotated file may lack its end, and a record of several lines the
beginning of the next."""
LONG = MINUTE
"""How long a .gz that is not finished may stay as it is: somebody may be packing it."""
PIECE = 2**18  # bytes that are read at once; the longest line
REST = "bytes of lines that were too long to be read"
DAMAGED = ".gz files that cannot be unpacked"
CUT = ".gz files that are cut off; what is beyond is lost"


@dataclass(slots=True)
class Piece:
    """Whole lines from `start` on."""

    start: int  # bytes into the file
    lines: Lines
    whole: bool  # no more is there for now
    final: bool  # and no more of the last record is to be waited for
    inside: bool = False  # it ends inside a line
    cut: bool = False  # it ends where a .gz ends that is not finished
    skipped: Counter[str] = field(default_factory=Counter)

    def records(self, n: int, begin: re.Pattern[str] | None) -> tuple[list[str], int]:
        """Records of the first n lines, without blank ones, and of how many lines they are."""
        text, used = self.lines.text[:n], n
        if begin is not None:
            final = self.final and n == len(self.lines.text)
            text, used = join(text, begin, final)
            if not used and not (self.whole and n == len(self.lines.text)):
                text, used = join(self.lines.text[:n], begin, True)  # it would never end
        return [one for one in text if one and not one.isspace()], used

    def end(self, n: int) -> int:
        """Where the first n lines end, in bytes into the file."""
        return self.start + sum(self.lines.sizes[:n])


def piece(files: Files, found: Found, followed: Followed, room: int, now: int) -> Piece:
    """At most `room` bytes of lines.

    What is left of a line of more than that is passed over, and counted. A line that a .gz which is
    not finished ends in is none: the rest of it may come, or never. Raises Unreachable if
    the file may not be read, FileNotFoundError if it is another by now.
    """
    skipped: Counter[str] = Counter()
    start = followed.offset
    try:
        data, cut = files.piece(found, start, room)
    except Damaged:
        if followed.grown == now:
            skipped[DAMAGED] += 1
        return Piece(start, split(b""), True, False, followed.inside, skipped=skipped)
    whole, inside = len(data) < room, followed.inside
    hole = len(data) - len(data.lstrip(b"\0"))  # where a file was cut under its writer
    data, start = data[hole:], start + hole
    if inside:
        end = data.find(b"\n") + 1
        inside = not end
        rest = end or len(data)
        skipped[REST] += rest
        data, start = data[rest:], start + rest
    waited = now - followed.grown
    quiet = waited >= LONG if cut else waited >= PATIENCE or found.packed
    end = data.rfind(b"\n") + 1
    over = whole and followed.moved and quiet and not cut
    if end < len(data) and (over or not (whole or end)):
        inside, end = not whole, len(data)
    lines = split(data[:end])
    if lines.odd:
        skipped[BYTES] += lines.odd
    return Piece(start, lines, whole, whole and quiet, inside, cut, skipped)
