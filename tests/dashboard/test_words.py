"""Times, states and headlines as a person says them."""

from dataclasses import replace
from datetime import UTC
from math import nan
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from amiss.cli.status import status
from amiss.data import DAY, HOUR, MINUTE, SECOND, Member
from amiss.decide.explain import rarity
from amiss.run.now import Now, PipelineNow, SeriesNow
from amiss.web.dashboard import overview, words
from dashboard.fake import SILENT, START, SYSTEM, WARMING, FakeLive, incident

BERLIN, KOLKATA = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")
GOOD = PipelineNow("host", "host", "good", "", 5.0, 5.0, START, 9, 0, 0.0, 0.0, 0.0, 1, 0, 0)


def series(**said: object) -> SeriesNow:
    one = SeriesNow("cpu_percent", "host", SYSTEM, "judged", "", 500, START, 6.0, 1.0, 0.4, 6.0,
                    2.0, 9.0, False, 5.0)  # fmt: skip
    return replace(one, **said)


def at(version: int = 1, **said: object) -> Now:
    now = Now(version, START, START - DAY, START - DAY, "watching", "", (series(),), (), (),
              (GOOD,))  # fmt: skip
    return replace(now, **said)


def opened(severity: str, score: float, since: int = START - HOUR):
    member = Member("cpu_percent", since, since, score, 97.0, 6.0, 2.0, 9.0)
    return incident(f"{severity}{score}", (member,), since, severity=severity, score=score)


@pytest.mark.parametrize(
    ("ns", "zone", "said"),
    [
        (START, UTC, "14:02 UTC"),
        (START, BERLIN, "15:02 CET"),
        (START, KOLKATA, "19:32 IST"),
        (START - 14 * HOUR - 3 * MINUTE, UTC, "6 Mar 23:59 UTC"),
        (START - 14 * HOUR - 3 * MINUTE, BERLIN, "00:59 CET"),
        (START - 80 * DAY, UTC, "17 Dec 2025 14:02 UTC"),
    ],
)
def test_a_time_is_told_where_the_reader_is_with_the_day_if_it_is_another(ns, zone, said) -> None:
    assert words.clock(ns, START, zone) == said


def test_a_zone_that_is_not_known_here_is_utc() -> None:
    assert words.zone_of("Europe/Berlin") == BERLIN
    assert words.zone_of(None) is UTC
    assert words.zone_of("Mars/Olympus") is UTC
    assert words.zone_of("../../etc/passwd") is UTC


@pytest.mark.parametrize(
    ("ns", "said"),
    [(0, "just now"), (-SECOND, "just now"), (40 * SECOND, "40 s ago"),
     (18 * MINUTE, "18 minutes ago"), (5 * HOUR, "5 hours ago"), (40 * DAY, "40 days ago")],
)  # fmt: skip
def test_how_long_ago(ns: int, said: str) -> None:
    assert words.ago(START - ns, START) == said


def test_the_sentence_of_an_incident_has_the_time_of_the_reader() -> None:
    each = opened("low", 7.0, START - HOUR)
    assert "since 13:02 UTC on 7 March;" in each.sentence
    assert "since 14:02 CET;" in words.localised(each, START, BERLIN)


def test_quarters_of_the_day_follow_the_clock_over_a_change_to_summer_time() -> None:
    change = 1_774_746_000 * SECOND  # 29 March 2026, 2:00 CET is 3:00 CEST
    found = words.quarters(change - 12 * HOUR, change + 12 * HOUR, BERLIN)
    assert [said for _, said in found] == ["18:00", "Sun 29", "06:00", "12:00"]
    assert [(ns - change) / HOUR for ns, _ in found] == [-8.0, -2.0, 3.0, 9.0]


def test_quarters_in_a_zone_with_half_an_hour() -> None:
    assert [said for _, said in words.quarters(START - DAY, START, KOLKATA)] == [
        "Sat 7", "06:00", "12:00", "18:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        ((6.0, 2.0, 9.0, 6.0, "cpu_percent"), "2 to 9 %"),
        ((6.0, -3.0, 9.0, 6.0, "cpu_percent"), "0 to 9 %"),
        ((98.0, 90.0, 140.0, 97.0, "cpu_percent"), "90 to 100 %"),
        ((6.0, -3.0, 140.0, 180.0, "cpu_percent"), "0 to 140 %"),
        ((-4.0, -9.0, 1.0, -5.0, "x_celsius"), "-9 to 1 °C"),
        ((2e6, 900e3, 4.21e6, 3e6, "x_bytes_per_second"), "900 kB/s to 4.2 MB/s"),
        ((2e6, -1.0, 4.21e6, 3e6, "x_bytes_per_second"), "0 to 4.2 MB/s"),
        ((41.0, 40.99, 41.01, 41.0, "memory_percent"), "40.99 to 41.01 %"),
        ((7.0, 7.0, 7.0, 7.0, "fans"), "7"),
        ((7.0, -2.0, 500.0, 7.0, "x_per_second"), "0 to 500/s"),
        ((700.0, 650.0, 1500.0, 700.0, "x_per_second"), "650/s to 1.5 k/s"),
        ((7.0, nan, nan, 7.0, "fans"), "7"),
        ((nan, nan, nan, 7.0, "fans"), "nothing yet"),
    ],
)
def test_a_band_is_told_as_far_as_the_series_can_go(shown, said: str) -> None:
    assert words.band(*shown) == said


@pytest.mark.parametrize(
    ("score", "said"),
    [(nan, "no opinion"), (0.2, "usual"), (5.0, "about once in 12 minutes"),
     (3.9, "usual"), (9.0, "about once in 11 hours"), (14.0, "about once in 2 months"),
     (90.0, "about once in")],
)  # fmt: skip
def test_a_score_is_never_told_without_its_meaning(score: float, said: str) -> None:
    assert words.rarity_now(score, 5.0).startswith(said)


def test_reads_and_writes_are_told_from_their_bytes() -> None:
    assert words.title('disk_write_bytes_per_second{device="sda"}') == "Disk write of sda"
    assert words.title('disk_write_per_second{device="sda"}') == "Disk writes of sda"


def test_a_title_says_whose_if_there_are_several_systems() -> None:
    assert words.title('cpu_percent{host="a"}') == "CPU"
    assert words.title('cpu_percent{host="a"}', systems=2) == "CPU, a"


def test_members_are_as_rare_as_the_samples_of_their_incident_come() -> None:
    """Even if their series are gone, or they are a system as a whole."""
    each = replace(opened("high", 9.0), rarity=rarity(9.0, 60.0))
    assert words.interval(each) == pytest.approx(60.0)
    assert words.rarity_of(each.members[0], words.interval(each)) == words.rarity_now(9.0, 60.0)


def test_worst_first() -> None:
    low, high, higher = opened("low", 12.0), opened("high", 9.0), opened("high", 9.5)
    older = opened("high", 9.5, START - DAY)
    assert words.worst_first([low, high, higher, older]) == [older, higher, high, low]


def test_the_order_of_series_does_not_change_with_every_sample() -> None:
    quiet = tuple(series(key=k, score=s) for k, s in (("b", 0.1), ("a", 2.0), ("c", 1.0)))
    odd, amiss = series(key="z", score=9.0), series(key="y", score=0.5, amiss=True)
    none = series(key="0", score=nan)
    order = [one.key for one in words.strangest((*quiet, none, odd, amiss), 6.0)]
    assert order == ["y", "z", "a", "b", "c", "0"]


@pytest.mark.parametrize(
    ("now", "tone", "title", "sentence"),
    [
        (at(), "good", "All quiet", "1 series watched, nothing amiss."),
        (at(open=(opened("low", 7.0),)), "low", "1 thing is amiss", "It is low and began 60"),
        (at(open=(opened("low", 7.0), opened("high", 6.5))), "high", "2 things are amiss",
         "The worst is high"),
        (at(phase="starting", reason="Waiting for the first samples", series=()), "wait",
         "Waking up", "Waiting for the first samples: live"),
        (at(phase="starting", reason="Waiting: a.log: there is no such file", series=(),
            pipelines=(replace(GOOD, health="waiting"),)), "wait",
         "Waking up", "Waiting: a.log: there is no such file."),
        (at(phase="warming up", reason="First opinions: 24 of 96 samples"), "wait",
         "Getting to know", "First opinions: 24 of 96 samples."),
        (at(phase="stopping"), "wait", "Amiss is stopping", "It goes on where it was"),
        (at(pipelines=(replace(GOOD, health="failing", reason="gone"),)), "fail",
         "Amiss cannot see host", "No news for 1 s: gone."),
        (at(pipelines=(replace(GOOD, health="failing", reason="gone", polled=0),)), "fail",
         "Amiss cannot see host", "No news yet: gone."),
        (at(pipelines=(replace(GOOD, health="failing", reason="gone", polled=START - HOUR),),
            open=(opened("low", 7.0),)), "fail",
         "Amiss cannot see host", "No news for 60 minutes: gone; 1 incident open."),
    ],
)  # fmt: skip
def test_the_headline(now: Now, tone: str, title: str, sentence: str) -> None:
    said = words.headline(now, START + SECOND)
    assert said[0] == tone
    assert said[1].startswith(title)
    assert said[2].startswith(sentence.replace("60 ", "60 "))


def test_what_a_series_is_doing(tmp_path: Path) -> None:
    live = FakeLive(tmp_path, "busy")
    said = {one.key: words.doing(one, START, UTC) for one in live.now().series}
    live.store.close()
    assert said[SILENT[0]] == "no data since 13:22 UTC"
    assert said[WARMING[0]] == "24 of 96 samples; judged in about 6 minutes"
    assert "amiss, about once in" in said[f"load1{{{SYSTEM}}}"]


@pytest.mark.parametrize(
    ("score", "among", "said"),
    [
        (8.0, 5000, "one in 3,000"),
        (17.6, 50_000_000, "one in 44,000,000"),
        (17.6, 12_345, "fewer than one in 12,345 seen"),
        (900.0, 70, "fewer than one in 70 seen"),
        (17.6, 0, "seldom"),
    ],
)
def test_a_record_is_no_rarer_than_those_seen_can_show(score, among, said) -> None:
    assert words.one_in(score, among) == said


def test_models_are_called_as_people_call_them() -> None:
    names = ("isolation_forest", "lstm", "one_class_svm", "dbscan")
    assert [words.model(name) for name in names] == [
        "isolation forest", "LSTM", "one class SVM", "DBSCAN"
    ]  # fmt: skip


def test_what_is_waited_for_is_a_notice_and_no_fault() -> None:
    waits = replace(GOOD, name="flows", health="waiting", reason="conn.log: none")
    now = at(pipelines=(GOOD, waits))
    assert words.headline(now, START + SECOND)[0] == "good"
    assert overview.concerns(now) == [("waiting", "wait", "source flows: conn.log: none")]
    assert "pipeline flows waits: conn.log: none" in status(now, "").splitlines()
