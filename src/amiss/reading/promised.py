"""What may be promised of the time of rows that are still to come, where others write them."""

from collections.abc import Sequence

from amiss.component import Cursor
from amiss.data import MINUTE


def promised(
    cursor: Cursor,
    newest: int | None,
    now: int,
    more: bool,
    late: int,
    every: int,
    waiting: Sequence[int] = (),
) -> Cursor:
    """The watermark after a poll that saw `newest` (ns; None if nothing), and what it rests on.

    It is the newest time that was read, less `late`. Once all is read it goes on with the clock,
    if the last rows came within a minute, `every` and `late` of their time: a table that nobody
    writes to leaves it where the table ends. A time ahead of the clock counts as now. `waiting`
    are the newest times of parts that have more: it goes beyond none of them.
    """
    known, live = cursor.get("newest"), bool(cursor.get("live"))
    if newest is not None:
        known = min(max(newest, known or 0), now)
        live = not more and now - known <= late + every + MINUTE
    if known is None:
        return {}
    mark = (now if live and not more else min(known, now, *waiting)) - late - 1
    last = cursor.get("watermark")
    if last is not None and last <= now:
        mark = max(mark, last)
    return {"newest": known, "live": live, "watermark": mark}
