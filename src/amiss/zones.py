"""The wall clock of a place: days and weekends are those of the people who use a system.

What is known of zones comes with Python (zoneinfo) or the machine; UTC needs nothing.
"""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from amiss.data import MINUTE, SECOND, Times

QUARTER = 15 * MINUTE  # no zone changes its clock at any other time


def known(zone: str) -> bool:
    """Whether there is a zone of that name, such as Europe/Berlin."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def local(time: Times, zone: str) -> Times:
    """Times in UTC (T,) as the wall clock of a zone shows them, ns.

    It goes back an hour in autumn, so it is good for the hour of a day, not for spans. Cost: a
    microsecond for each quarter of an hour.
    """
    if zone == "UTC" or not len(time):
        return time
    quarters, where = np.unique(time // QUARTER, return_inverse=True)
    ahead = np.array([_ahead(quarter, zone) for quarter in quarters.tolist()], np.int64)
    return np.asarray(time + ahead[where])


@lru_cache(maxsize=4096)
def _ahead(quarter: int, zone: str) -> int:
    """How far ahead of UTC a zone is, ns; as at its ends where time has no calendar."""
    seconds = min(max(quarter * QUARTER // SECOND, FIRST), LAST)
    offset = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) * SECOND if offset else 0


FIRST = int(datetime(2, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(9998, 1, 1, tzinfo=UTC).timestamp())
