"""The wall clock of a place."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from amiss.data import HOUR, MINUTE, SECOND
from amiss.zones import known, local

DAYS = {
    "spring forward": datetime(2026, 3, 29, tzinfo=UTC),
    "fall back": datetime(2026, 10, 25, tzinfo=UTC),
    "summer": datetime(2026, 7, 1, tzinfo=UTC),
}


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "UTC"])
@pytest.mark.parametrize("day", DAYS.values(), ids=DAYS)
def test_it_is_what_a_clock_on_the_wall_shows(zone: str, day: datetime) -> None:
    time = int(day.timestamp()) * SECOND + np.arange(0, 30 * HOUR, 7 * MINUTE)
    for ns, shown in zip(time.tolist(), local(time, zone).tolist(), strict=True):
        wall = datetime.fromtimestamp(ns // SECOND, UTC).astimezone(ZoneInfo(zone))
        again = datetime.fromtimestamp(shown // SECOND, UTC)
        assert again.replace(tzinfo=None) == wall.replace(tzinfo=None)


def test_the_ends_of_time_have_a_clock_too() -> None:
    ends = np.array([-(2**63) + 10**18, 0, 2**63 - 10**18])
    assert local(ends, "Asia/Tokyo").shape == (3,)


def test_what_is_no_zone_is_known_to_be_none() -> None:
    assert known("Europe/Berlin")
    assert not any(known(name) for name in ("", "Nowhere/City", "../etc/passwd", "/etc/passwd"))
