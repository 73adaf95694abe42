"""Each page, in each state that an installation can be in: never blank, never a traceback."""

import json
import math
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from amiss.data import DAY, HOUR, MINUTE, Incident, Member, readable
from amiss.errors import Unreachable
from amiss.run import feedback
from amiss.run.compared import Comparison, Side
from amiss.web.dashboard import here
from amiss.web.dashboard.versions import beside
from amiss.web.times import iso
from dashboard.fake import CPU, DISK, EVERY, SILENT, START, WARMING, FakeLive, incident
from dashboard.reader import Reader

Open = Callable[..., Reader]
SCENES = ("busy", "quiet", "warming", "starting", "blind")
PAGES = ("", "incident", "survey", "explorer", "health", "models")


def member(series: str = CPU, score: float = 9.0) -> Member:
    return Member(series, START, START, score, 97.0, 6.0, 4.0, 9.0)


def drawn(chart: Any) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = pa.ipc.open_stream(chart.data.data).read_all().to_pydict()
    return columns


def incidents(page: Reader) -> list[str]:
    return [to for _, to in page.links if to.startswith("incident?id=")]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_something_in_every_state(reader: Open, scene: str, page: str) -> None:
    said = reader(scene, page).text
    assert len(said) > 100
    assert not re.search(r"\b(nan|None|inf)\b", said)


@pytest.mark.parametrize(
    ("scene", "headline"),
    [
        ("busy", "2 things are amiss The worst is high and began 18 minutes ago"),
        ("quiet", "All quiet 137 series watched, nothing amiss"),
        ("warming", "Getting to know what is normal First opinions: 24 of 96 samples"),
        ("starting", "Waking up Waiting for the first samples: live pictures within a minute"),
        ("blind", "Amiss cannot see host No news for 4 minutes: psutil: [Errno 24]"),
    ],
)
def test_the_headline_says_how_things_are(reader: Open, scene: str, headline: str) -> None:
    assert headline in reader(scene).text


def test_now_shows_the_worst_first_with_what_when_and_how_rare(reader: Open) -> None:
    page = reader("busy")
    assert incidents(page) == ["incident?id=a1b2c3d4", "incident?id=e5f6"]
    for said in (
        "disk write of sda at 168 MB/s",
        "high since 13:44 UTC, for 18 minutes about once in 8 days 6 series",
        "backup.sh (pid 4242) 288 MB/s",
        "3 of 5 incidents used today, 2 left",
        "2.1 a day over the last 7 days",
        "failing sink on-call: connection refused; tried again in 32 s",
        "warming up 8 series: 24 of 96 samples",
        "silent 2 series",
        "did you mean 'level'?",
        "Last 24 hours 4 incidents",
        "web-3 live",
    ):
        assert said in page.text
    assert len(page.charts) == 2 + 6


def test_a_chart_has_value_band_and_marks_and_the_incident_is_shaded(reader: Open) -> None:
    shown = drawn(reader("busy").charts[0])
    assert sum(b is not None for b in shown["b"]) == 1
    assert any(shown["m"]) and not all(shown["m"])
    assert max(v for v in shown["v"] if v is not None) > 150e6
    assert max(h for h in shown["hi"] if h is not None) < 50e6


def test_what_opens_is_there_at_the_next_look(reader: Open) -> None:
    page = reader("quiet")
    assert not incidents(page)
    page.live.add(incident("fresh", (member(),), START, severity="high"))
    assert "1 thing is amiss It is high" in page.again().text
    assert incidents(page) == ["incident?id=fresh"]


def test_of_many_incidents_only_the_worst_are_drawn(reader: Open) -> None:
    page = reader("quiet")
    page.live.add(*(incident(f"n{i}", (member(),), START, score=9.0 + i) for i in range(8)))
    page.again()
    assert len(page.charts) == 3 + 6
    assert incidents(page) == [f"incident?id=n{i}" for i in reversed(range(8))]


def test_the_list_of_incidents_tells_each_in_a_line(reader: Open) -> None:
    page = reader("busy", "incident")
    assert len(incidents(page)) == 6
    assert "medium 6 Mar 16:02 UTC lasted 41 minutes" in page.text
    assert len(incidents(reader("busy", "incident", show="open"))) == 2


def test_older_incidents_are_on_the_next_page(reader: Open) -> None:
    page = reader("quiet", "incident")
    page.live.add(*(incident(f"n{i}", (member(),), START + i) for i in range(40)))
    page.again()
    assert len(incidents(page)) == 30
    assert dict(page.links)["Older"] == "incident?before=n10"
    older = reader(page.live, "incident", before="n10")
    assert incidents(older)[:2] == ["incident?id=n9", "incident?id=n8"]
    assert "Newest" in dict(older.links)


def test_older_ones_of_a_state_are_asked_for_with_the_state(reader: Open) -> None:
    page = reader("quiet", "incident", show="open")
    page.live.add(*(incident(f"n{i}", (member(),), START + i) for i in range(40)))
    assert dict(page.again().links)["Older"] == "incident?show=open&before=n10"
    older = reader(page.live, "incident", show="open", before="n10")
    assert incidents(older) == [f"incident?id=n{i}" for i in reversed(range(10))]
    assert dict(older.links)["Newest"] == "incident?show=open"


def test_another_state_begins_with_its_newest(reader: Open) -> None:
    page = reader("busy", "incident", before="e5f6")
    assert len(incidents(page)) == 5
    page.page.button_group[0].set_value("open")
    assert len(incidents(page.again())) == 2
    assert "before" not in page.page.query_params


@pytest.mark.parametrize(
    ("scene", "query", "said"),
    [
        ("warming", {}, "There has been no incident so far. Getting to know what is normal."),
        ("quiet", {"show": "open"}, "Nothing is amiss now. What was amiss is under all."),
        ("quiet", {"before": "pruned"}, "There are no older ones. Incidents are kept for 400 days"),
        ("busy", {"show": "open", "before": "past0"}, "There are no older ones."),
        ("blind", {"show": "open"}, "No incident is open. Amiss cannot see host. No news for 4"),
        ("warming", {"show": "resolved"}, "No incident has been resolved so far. Getting to know"),
    ],
)
def test_an_empty_list_says_why_and_gives_no_false_comfort(
    reader: Open, scene: str, query: dict[str, str], said: str
) -> None:
    page = reader(scene, "incident", **query)
    assert said in page.text
    assert not incidents(page)


def test_with_open_incidents_alone_none_is_resolved(reader: Open) -> None:
    page = reader("warming", "incident", show="resolved")
    page.live.add(incident("fresh", (member(),), START, severity="high"))
    assert "No incident has been resolved so far. 1 thing is amiss." in page.again().text


def test_an_incident_says_what_was_seen_expected_how_rare_why_and_who_was_told(
    reader: Open,
) -> None:
    page = reader("busy", "incident", id="a1b2c3d4")
    for said in (
        "high open",
        "web-3: disk write of sda at 168 MB/s (8 times the usual; 13.6 to 28.4 MB/s expected)",
        "Since 13:44 UTC; about once in 8 days; with it: disk busy of sda",
        "rests on 12 days watched",
        "Disk busy of sda 72 % 24 times the usual 2 to 4.1 %",
        "Before and since seen expected amiss while the incident lasted below: the stronger",
        "The picture as a whole most of all disk write, disk busy, CPU iowait",
        "jbd2/sda1-8 (pid 301) 18 MB/s",
        "file opened 13:44:21 UTC delivered",
        "on-call opened 14:01:40 UTC retrying connection refused",
        "1 Mar 14:02 UTC: low, lasted 22 minutes",
    ):
        assert said in page.text
    assert len(page.charts) == 4
    raw = json.loads(page.page.code[0].value)
    assert [one["revision"] for one in raw] == [1, 2]
    assert raw[1]["members"][5]["expected"] is None


def test_the_chart_of_an_incident_shows_normal_life_before(reader: Open) -> None:
    shown = drawn(reader("busy", "incident", id="a1b2c3d4").charts[0])
    times = [t * 10**6 for t, v in zip(shown["t"], shown["v"], strict=True) if v is not None]
    assert min(times) <= START - 18 * MINUTE - HOUR + EVERY
    assert max(times) == START


def test_an_incident_that_is_over_says_when_and_how_long(reader: Open) -> None:
    text = reader("busy", "incident", id="past2").text
    assert "medium resolved 21 hours ago" in text
    assert "closed 6 Mar 16:43 UTC" in text
    assert "lasted 41 minutes" in text


def test_how_long_was_watched_is_said_once(reader: Open) -> None:
    page = reader("quiet", "incident", id="new")
    page.live.add(incident("new", (member(),), START, rarity=8.5, watched=0.125))
    text = page.again().text
    assert "how rare not seen before in the 3 hours watched" in text
    assert "rests on" not in text


def test_an_unknown_incident_is_said_in_words(reader: Open) -> None:
    page = reader("busy", "incident", id="<b>gone")
    assert "There is no incident <b>gone. Incidents are kept for 400 days." in page.text
    assert "<b>gone" not in page.html


def test_an_incident_that_is_pruned_while_its_page_is_open_is_said_in_words(
    reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reader("busy", "incident", id="past2")
    page.live.add(incident("another", (member(),), START))  # a new picture: all is read again
    store, read = page.live.store, page.live.store.incident

    def read_and_prune(asked: str) -> list[Incident]:
        found = read(asked)
        store.prune(30, 10**9, 400, now=START + 500 * DAY)
        return found

    monkeypatch.setattr(store, "incident", read_and_prune)
    assert "There is no incident past2. Incidents are kept for 400 days." in page.again().text


def test_the_explorer_begins_with_the_worst(reader: Open) -> None:
    page = reader("busy", "explorer")
    assert {"CPU iowait", "Load1"} <= set(page.page.radio[0].options[:6])
    assert "a moment like this comes about once in" in page.text
    assert len(page.charts) == 2


def test_the_explorer_shows_the_series_in_the_address(reader: Open) -> None:
    page = reader("busy", "explorer", key=CPU)
    assert re.search(r"CPU judged [\d.]+ % now, [\d.]+ to [\d.]+ % expected; nothing", page.text)
    assert "seen expected amiss while the incident lasted" in page.text
    assert page.page.radio[0].value == CPU


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (WARMING[0], r"warming up [\d.]+ MB/s now. First opinion: 24 of 96 samples"),
        (SILENT[0], r"silent No data since 13:22 UTC, 40 minutes ago\."),
        ('gone{host="web-3"}', r"It has not been seen since Amiss was started"),
    ],
)
def test_the_explorer_says_why_there_is_no_opinion(reader: Open, key: str, said: str) -> None:
    assert re.search(said, reader("busy", "explorer", key=key).text)


def test_the_explorer_finds_by_words_and_by_state(reader: Open) -> None:
    options = reader("busy", "explorer", q="disk sda").page.radio[0].options
    assert len(options) == 5
    assert all("sda" in one for one in options)
    silent = reader("busy", "explorer", state="silent").page.radio[0].options
    assert set(silent) == {"Temperature of core 19", "Fan of fan 3"}
    assert "No series is like that." in reader("busy", "explorer", q="no such").text


def test_choosing_a_series_puts_it_into_the_address(reader: Open) -> None:
    page = reader("busy", "explorer", q="disk write")
    page.page.radio[0].set_value(DISK)
    assert "Disk write of sda amiss" in page.again().text
    assert page.page.query_params["key"] == DISK


def test_a_span_in_the_address_is_what_is_shown(reader: Open) -> None:
    between = {"from": iso(START - 3 * HOUR), "to": iso(START - 2 * HOUR)}
    page = reader("busy", "explorer", key=CPU, **between)
    assert "11:02:10 UTC to 12:02:10 UTC" in page.text
    assert max(drawn(page.charts[0])["t"]) * 10**6 <= START - 2 * HOUR
    page.page.button(key="back").click()
    assert "11:02:10 UTC" not in page.again().text
    assert "from" not in page.page.query_params


@pytest.mark.parametrize("wrong", ["yesterday", "", "9" * 40])
def test_a_span_that_is_none_shows_the_present(reader: Open, wrong: str) -> None:
    page = reader("busy", "explorer", key=CPU, **{"from": wrong, "to": iso(START)})
    assert "drag in the chart" in page.text


def test_health_says_what_each_part_is_doing(reader: Open) -> None:
    page = reader("busy", "health")
    for said in (
        "Failing: sink on-call, the new configuration",
        "host good It is polled every 5 s. last poll that worked just now",
        "a step takes 2.1 ms",
        "on-call webhook failing connection refused; tried again in 32 s 58 3 0 0 24 hours ago",
        "asked for 5 a day",
        "an incident opens at 6.2 nats",
        "temperatures: PermissionError 128",
        "Fan of fan 3 no data since 13:22 UTC",
        "Network receive of wg0 24 of 96 samples; judged in about 6 minutes",
        "amiss.yaml",
    ):
        assert said in page.text
    assert [e.label for e in page.page.expander] == ["warming up: 8", "silent: 2", "judged: 127"]


def test_health_without_a_sink_says_where_incidents_are_told(reader: Open) -> None:
    text = reader("quiet", "health").text
    assert "Amiss is well" in text
    assert "No sink is configured: incidents are shown here and in the log." in text
    assert "Nothing was skipped." in text


def test_a_source_that_fails_is_told_with_what_is_done_about_it(reader: Open) -> None:
    text = reader("blind", "health").text
    assert "Failing: source host" in text
    assert "host failing psutil: [Errno 24] Too many open files; tried again in 40 s" in text


def test_models_say_since_when_on_what_and_what_they_think(reader: Open) -> None:
    text = reader("busy", "models").text
    assert "Isolation forest host" in text
    assert "in use Trained 10 days ago, 25 Feb 14:02 UTC, on 720 samples in 1.6 s." in text
    assert "comes about once in 6 hours" in text
    assert re.search(r"CPU, forecast [\d.]+ % CPU, now [\d.]+ %", text)
    text = reader("warming", "models").text
    assert "waiting It is trained by itself as soon as there is enough: 24 of 100" in text


def test_retraining_goes_on_in_the_background_and_says_how_it_ended(reader: Open) -> None:
    page = reader("busy", "models")
    page.live.gate.clear()
    page.page.number_input[0].set_value(500)
    page.page.button(key="retrain host isolation_forest").click()  # both in one run of the script
    assert "Training on 500 samples: 0 s so far." in page.again().text
    page.live.gate.set()
    trained()
    assert "Trained on 500 samples in 1.8 s; in use from now on." in page.again().text


def test_a_training_that_cannot_be_says_why(reader: Open) -> None:
    page = reader("busy", "models")
    page.page.number_input[1].set_value(9500)
    page.again()
    page.page.button(key="retrain host linear_regression").click()
    page.again()
    trained()
    said = "Not trained: 8640 samples are recorded so far; 9500 were asked for."
    assert f"{said} The model before stays in use." in page.again().text


def trained() -> None:
    """Wait for the threads in the background."""
    for thread in threading.enumerate():
        if thread.name.startswith("train "):
            thread.join(30)


@pytest.mark.parametrize(
    ("page", "query"),
    [("", {}), ("incident", {}), ("incident", {"id": "odd"}), ("explorer", {"q": "nothing"})],
)
def test_nothing_from_outside_is_taken_for_html_or_markdown(
    reader: Open, tmp_path: Path, page: str, query: dict[str, str]
) -> None:
    nasty = "<img src=x onerror=alert(1)>[a](http://evil.example)$x$*y*"
    live = FakeLive(tmp_path / "nasty", "quiet")
    odd = member(f'cpu_percent{{host="{nasty}"}}')
    live.add(incident("odd", (odd,), START, evidence=(nasty,), system=f'host="{nasty}"'))
    live.store.delivered(nasty, "odd", 1, START, "refused", nasty)
    shown = reader(live, page, key=f'cpu_percent{{host="{nasty}"}}', **query)
    assert "<img" not in shown.html
    assert not re.search(r"(?<!\\)[<\[$*]", "".join(label for label, _ in shown.links))
    if page != "explorer":
        assert nasty in shown.text


@pytest.mark.parametrize(
    ("page", "query"),
    [("", {}), ("incident", {}), ("incident", {"id": "odd"}), ("explorer", {}), ("health", {}),
     ("explorer", {"key": 'cpu_percent{host="web-3",mount="/a\\udcff"}'})],
)  # fmt: skip
def test_a_name_that_is_no_text_ends_no_page(
    reader: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, query: dict[str, str]
) -> None:
    """What a source lets through: bytes in the names of mounts and processes."""
    live, odd = FakeLive(tmp_path / "odd", "quiet"), 'cpu_percent{host="web-3",mount="/a\udcff"}'
    live.add(incident("odd", (member(odd),), START, evidence=("a\udcff (pid 7) 3 MB/s",)))
    before, history = live.now(), live.history
    like = next(one for one in before.series if one.key == CPU)
    series = (replace(like, key=odd, amiss=True), *before.series)
    monkeypatch.setattr(live, "now", lambda: replace(before, series=series))
    monkeypatch.setattr(live, "history", lambda key, *of: history(CPU, *of))
    shown = reader(live, page, **query)
    if page == "explorer":
        assert "CPU of /a\\udcff amiss" in shown.text
        assert len(shown.charts) == 2
        shown.page.radio[0].set_value(CPU)
        shown.again().page.radio[0].set_value(odd)
        assert "CPU of /a\\udcff amiss" in shown.again().text
        assert shown.page.query_params["key"] == readable(odd)
    else:
        assert "udcff" in shown.text


def test_a_store_that_does_not_answer_is_told_not_thrown(
    reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reader("busy", "incident", id="a1b2c3d4")

    def locked(*_: object) -> None:
        raise Unreachable("amiss.db is locked")

    page.live.add(incident("another", (member(),), START))  # a new picture: all is read again
    monkeypatch.setattr(page.live.store, "deliveries", locked)
    said = "This page cannot be drawn just now: amiss.db is locked It tries again."
    assert said in page.again().text
    monkeypatch.setattr(page.live, "now", locked)
    assert "This page cannot be drawn: amiss.db is locked" in page.again().text


def test_without_the_program_the_page_says_how_to_start_it(
    reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reader("quiet")
    monkeypatch.setattr(here, "live", None)
    assert "start it with: amiss run" in page.again().text


def test_the_versions_of_a_model_are_told_apart_and_put_to_use(reader: Open) -> None:
    page = reader("busy", "models")
    first, *_ = [m for m in page.live.store.models() if m.card["name"] == "isolation_forest"]
    older = next(
        m for m in page.live.store.models() if m.card["name"] == first.card["name"] and not m.in_use
    )
    page.page.selectbox(key="version host isolation_forest").set_value(older.id)
    text = page.again().text
    assert f"id {older.id}" in text
    assert "training error 0.92 to 0.31 validation error 0.98 to 0.46" in text
    assert "of epoch 4.0 of 6.0" in text
    page.page.button(key="use host isolation_forest").click()
    assert "Put to use. It serves from one of the next samples on." in page.again().text
    assert older.id in [m.id for m in page.live.store.models(in_use=True)]


def test_a_model_is_rolled_back_on_its_page(reader: Open) -> None:
    page = reader("busy", "models")
    newest, before = [m for m in page.live.store.models() if m.card["name"] == "isolation_forest"]
    page.live.store.promote(newest.id)
    page.page.button(key="back host isolation_forest").click()
    assert f"{before.id} is in use again." in page.again().text
    assert [m.id for m in page.live.store.models(in_use=True) if m.detector == newest.detector] == [
        before.id
    ]
    page.page.button(key="back host isolation_forest").click()
    said = f"Not rolled back: no isolation_forest of host served before {before.id}"
    assert said in page.again().text


def test_two_models_stand_beside_each_other() -> None:
    sides = (
        Side(
            2,
            9,
            0.7,
            5.0,
            0,
            0.9,
            0,
            math.nan,
        ),
        Side(4, 11, 0.8, 6.0, 0, 1.1, 0, math.nan),
    )
    day = 86_400 * 10**9
    found = Comparison(1000, 0, 2 * day, (2, 4), 1, 0.5, (), sides, 0)
    assert beside(found) == [
        ("p &lt;= .001", "2, 1.0 a day", "4, 2.0 a day"),
        ("p &lt;= .01", "9, 0.90%", "11, 1.10%"),
        ("median", "0.70 nats", "0.80 nats"),
        ("99 %", "5.00 nats", "6.00 nats"),
        ("forecast error", "0.90 times the last value&#x27;s", "1.10 times the last value&#x27;s"),
    ]


def test_models_that_cannot_be_compared_say_why(reader: Open) -> None:
    page = reader("busy", "models")
    page.page.button(key="compare host isolation_forest").click()
    assert "Not compared: model" in page.again().text


def test_people_say_what_an_incident_was_on_its_page(reader: Open) -> None:
    page = reader("busy", "incident", id="a1b2c3d4")
    page.page.text_input(key="note a1b2c3d4").set_value("the backup")
    page.page.button(key="normal a1b2c3d4").click()
    assert "Noted: normal. What it changes: incidents like it are kept" in page.again().text
    assert "normal dashboard, " in page.text and ": the backup" in page.text
    assert page.live.store.said("a1b2c3d4")[0].note == "the backup"
    page.page.button(key="acknowledged a1b2c3d4").click()
    assert "Noted: acknowledged." in page.again().text
    listed = reader(page.live, "incident").text
    assert "Of 6 incidents of the last 30 days 1 were said to be normal" in listed
    page.page.button(key="normal a1b2c3d4").click()
    assert "Taken back." in page.again().text
    assert [one.word for one in page.live.store.said()] == ["acknowledged"]


def test_an_incident_that_is_like_a_normal_one_says_so(reader: Open) -> None:
    page = reader("quiet", "incident", id="new")
    page.live.add(incident("old", (member(),), START), incident("new", (member(),), START))
    feedback.say(page.live.trail, "joe", "old", "normal")
    assert "kept quiet It is like old , which joe called normal." in page.again().text
