"""Many incidents from afar."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date
from math import nan
from zoneinfo import ZoneInfo

from amiss.data import DAY, HOUR, Incident, Member, Severity
from amiss.web.dashboard.surveyed import RULE, Hour, counted, hours, kind, rarities, subject
from dashboard.fake import START, FakeLive, incident
from dashboard.reader import Reader

LOGIN = 'login{host="web-1",user="ann"}'


def one(
    series: str, since: int = START, severity: Severity = "low", said: str = "", **more: object
) -> Incident:
    member = Member(series, since, since, 9.0, nan, nan, nan, nan, said=said, **more)  # type: ignore[arg-type]
    return incident(f"{series} {since}", (member,), since, severity=severity, system='host="web-1"')


def test_what_it_was_about_and_whom() -> None:
    login = one(LOGIN, said="user=ann country=KP")
    assert (kind(login), subject(login)) == ("login", "user ann")
    load = one('cpu_percent{host="web-1"}')
    assert (kind(load), subject(load)) == ("cpu percent", "host web-1")
    told = one(LOGIN, said="user=ann", rules=("spraying",))
    assert (kind(told), subject(told)) == ("spraying", "user ann")
    bare = replace(load, members=(), system="")
    assert (kind(bare), subject(bare)) == ("unknown", "all")


def test_groups_are_the_largest_first_and_know_their_last() -> None:
    found = [
        one(LOGIN, START, "high", "x"),
        one('load1{host="web-1"}', START - HOUR),
        one(LOGIN, START - DAY, said="y"),
    ]
    groups = counted(found, kind)
    assert [(g.name, g.total, g.by["high"], g.last) for g in groups] == [
        ("login", 2, 1, found[0]),
        ("load1", 1, 0, found[1]),
    ]


def test_hours_are_those_of_the_reader() -> None:
    at_two = [one(LOGIN, START, "medium"), one(LOGIN, START + HOUR // 4, "low")]
    rows = hours(at_two, START + HOUR, 2, UTC)
    assert rows == [(date(2026, 3, 7), {14: Hour(2, "medium")}), (date(2026, 3, 6), {})]
    tokyo = hours(at_two, START, 1, ZoneInfo("Asia/Tokyo"))
    assert tokyo == [(date(2026, 3, 7), {23: Hour(2, "medium")})]


def test_rarity_in_words() -> None:
    some = [replace(one(LOGIN), rarity=days) for days in (0.2, 3.0, 30.0, 300.0, 3000.0, nan)]
    assert list(rarities(some).values()) == [1, 1, 1, 1, 1, 1]
    assert rarities(some)[RULE] == 1


def test_the_page_counts_and_links(reader: Callable[..., Reader]) -> None:
    page = reader("busy", "survey")
    live = page.live
    assert isinstance(live, FakeLive)
    live.add(replace(one(LOGIN, live.began - 2 * HOUR, "high", "user=ann"), id="fe01"))
    page.again()
    assert "7 incidents in 7 days" in page.text
    assert "user ann" in page.text
    assert 'href="incident?id=fe01"' in page.html
    assert "1 incident, high at worst" in page.html
    assert "about once a month" in page.text


def test_nothing_to_survey(reader: Callable[..., Reader]) -> None:
    assert "No incident in the last 7 days." in reader("warming", "survey").text
