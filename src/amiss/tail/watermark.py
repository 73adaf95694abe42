"""What may be promised of the time of lines that are still to come."""

from amiss.component import Cursor
from amiss.data import MINUTE
from amiss.formats.batch import Batch
from amiss.tail.follow import Following


def promise(
    cursor: Cursor,
    following: Following,
    batch: Batch,
    now: int,
    more: bool,
    lateness: int,
    every: int,
    untimed: bool,
) -> Cursor:
    """The watermark, and what it is reckoned from, as the cursor keeps them.

    Records have a time of their own or, in files without, that of the poll. Of the first kind
    nothing is promised that the clock alone says, unless the last ones kept up with it, or some
    of the second kind came (`untimed`): these are read last, and are of now. A time ahead of the
    clock counts as now, and a clock that is set back takes the watermark with it.
    """
    followed = [one for one, _ in following.originals()]
    timed = any(one.form.get("stamp") for one in followed)
    newest, live = cursor.get("newest"), bool(cursor.get("live"))
    told = max((one.newest for one in followed if one.newest is not None), default=None)
    if told is not None:
        newest = min(max(told, newest or 0), now)
    if batch.time and not more and newest is not None:
        live = now - newest <= lateness + every + MINUTE
    after: Cursor = {"newest": newest, "live": live}
    if timed and newest is not None:
        waiting = [one.newest for one in followed if one.unread and one.newest is not None]
        known = now if untimed or (live and not more) else min([newest, *waiting])
        mark = min(known, now) - lateness - 1
    elif followed and not timed:
        mark = now - 1
    else:
        return after | {k: v for k, v in cursor.items() if k == "watermark"}
    last = cursor.get("watermark")
    if last is not None and last <= now:
        mark = max(mark, last)
    return after | {"watermark": mark}
