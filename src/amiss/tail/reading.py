"""One poll of many files: the oldest record first, as much as there is room for."""

import re
from collections import Counter
from dataclasses import dataclass, field

from amiss.data import AHEAD
from amiss.doors.files import Damaged, Files, Found
from amiss.formats import form, times
from amiss.formats.batch import Batch
from amiss.formats.form import Asked, Form
from amiss.formats.parsed import Parsed
from amiss.formats.settings import at_most, short
from amiss.tail.follow import Following
from amiss.tail.followed import Followed
from amiss.tail.lines import split
from amiss.tail.names import stem
from amiss.tail.piece import CUT, DAMAGED, LONG, PIECE, Piece, piece
from amiss.tail.queue import Queue

LEAST = 64  # records; for fewer of them no room is looked for
HEAD = 2**16  # bytes that are looked at to see how a file is written
NO_TIME = "times that cannot be read; that of the record before is taken"


@dataclass(slots=True)
class Reading:
    """What is asked, and what has been read."""

    files: Files
    now: int
    asked: Asked
    zone: str = "UTC"
    begin: re.Pattern[str] | None = None  # of a record of several lines
    longest: int = 8192  # bytes of a record's text
    batch: Batch = field(default_factory=Batch)
    skipped: Counter[str] = field(default_factory=Counter)
    untimed: bool = False  # some of it is of files without times
    forms: dict[str, Form] = field(default_factory=dict)  # by the stem of a file's name
    clocks: dict[tuple[str, int], times.Reader] = field(default_factory=dict)

    def read(self, following: Following, room: int) -> bool:
        """Put about `room` bytes into the batch, and the places forward; says if there is more.

        Raises Unreachable if a file may not be read, FileNotFoundError if one changed meanwhile.
        """
        waiting = [one for one in following.originals() if self._news(*one) and self._known(*one)]
        for followed, _ in waiting:
            followed.unread = True
        queue = Queue(waiting)
        while queue and room > 0:
            followed, found = queue.next()
            ahead = piece(self.files, found, followed, PIECE, self.now)
            end, full = self._take(followed, found, ahead)
            room = 0 if full else room - max(1, end - followed.offset)
            followed.unread = full or not ahead.whole
            followed.inside = ahead.inside and not full
            if not full:
                self._cut_off(followed, ahead.cut, ahead.final)
            followed.read_to(end, self.files, found)
            if followed.unread:
                queue.back(followed, found)
            else:
                queue.end(followed)
        return bool(queue)

    def _news(self, followed: Followed, found: Found) -> bool:
        """Whether there may be something to read. What is unpacked never grows."""
        if found.packed:
            waited = followed.cut == "waits" and self.now - followed.grown >= LONG
            return followed.unread or waited or followed.grown >= self.now
        return followed.unread or found.size != followed.offset

    def _cut_off(self, followed: Followed, cut: bool, final: bool) -> None:
        """Count a .gz once that has not gone on for long."""
        if not cut:
            followed.cut = ""
        elif followed.cut != "counted":
            followed.cut = "counted" if final else "waits"
            self.skipped[CUT] += final

    def _known(self, followed: Followed, found: Found) -> bool:
        """Whether it is known how its lines are written, after a look at the first."""
        name = stem(followed.path)
        if not followed.form or not followed.form["sure"]:
            lines, more = self._head(followed, found)
            if not (more or any(line.strip() for line in lines)):
                return bool(followed.form)
            known = form.look(lines, self.asked, self.forms.get(name))
            followed.form = known.dump()
            if followed.newest is None:
                parsed = form.parse(lines[: form.LOOK], known, self.asked.regex)
                told = [t for t in self._told(parsed, known, found) if t is not None]
                followed.newest = self._newest(told[:1], None)
        self.forms[name] = form.load(followed.form)
        return True

    def _head(self, followed: Followed, found: Found) -> tuple[list[str], bool]:
        """The first lines of a file, whole if more of them may come; whether that is not all."""
        try:
            data, cut = self.files.piece(found, 0, HEAD)
        except Damaged:
            if followed.grown == self.now:
                self.skipped[DAMAGED] += 1
            return [], False
        if not data:  # nobody will look further
            self._cut_off(followed, cut, self.now - followed.grown >= LONG)
        end = data.rfind(b"\n") + 1
        if not end and (followed.moved or len(data) == HEAD):
            end = len(data)
        lines = split(data[:end]).text
        if self.begin:
            lines = [line for line in lines if self.begin.search(line)]
        return lines, len(data) == HEAD

    def _take(self, followed: Followed, found: Found, ahead: Piece) -> tuple[int, bool]:
        """Put the piece, or as much as there is room for; says where that ends, and if it is full.

        What could not be read is counted once: not if it is cut, when it comes again.
        """
        known, n = form.load(followed.form), len(ahead.lines.text)
        while True:
            records, used = ahead.records(n, self.begin)
            parsed = form.parse(records, known, self.asked.regex)
            told = self._told(parsed, known, found)
            time, unknown, last = _filled(told, followed.last, self.now)
            text = at_most(parsed.text, self.longest)
            columns = {k: v for k, v in parsed.columns.items() if k != known.time}
            columns = {k: short(v) for k, v in columns.items()}
            name = "line" if known.kind == "text" else "event"
            if self.batch.add(time, text, found.path, name, columns):
                break
            n //= 2
            if self.batch.time and n < LEAST:
                return ahead.start, True
        if parsed.header:
            followed.form = followed.form | {"columns": list(parsed.header)}
        self.skipped.update(parsed.skipped)
        self.skipped.update(ahead.skipped if used == len(ahead.lines.text) else {})
        if known.time and unknown:
            self.skipped[NO_TIME] += unknown
        self.untimed |= bool(time) and not known.stamp
        if known.stamp and time:
            followed.last = last
            followed.newest = self._newest(time, followed.newest)
        return ahead.end(used), n < len(ahead.lines.text)

    def _newest(self, time: list[int], before: int | None) -> int | None:
        """The newest of these times and the one before; those from the future are not."""
        timely = [t for t in time if t <= self.now + AHEAD]
        return max([*timely, before or 0]) if timely else before

    def _told(self, parsed: Parsed, known: Form, found: Found) -> list[int | None]:
        """The time of each record, None where it says none."""
        if not known.stamp:
            return [None] * len(parsed.text)
        dated = known.stamp != "syslog" and "%" not in known.stamp
        latest = 0 if dated else times.latest_of(self.now, found.modified)
        clock = self.clocks.get((known.stamp, latest))
        if clock is None:
            clock = self.clocks[known.stamp, latest] = times.reader(known.stamp, self.zone, latest)
        if known.time:
            texts = parsed.columns.get(known.time, [""] * len(parsed.text))
            return [clock(text) if text else None for text in texts]
        return times.before(parsed.text, known.stamp, clock)


def _filled(
    told: list[int | None], last: int | None, now: int
) -> tuple[list[int], int, int | None]:
    """Where there is no time that of the record before, or `now`; how many, and the last known."""
    filled: list[int] = []
    unknown = told.count(None)
    if unknown == len(told):
        return [now if last is None else last] * unknown, unknown, last
    for time in told:
        last = last if time is None else time
        filled.append(now if last is None else last)
    return filled, unknown, last
