"""Each page, in each state that an installation can be in: never blank, never a traceback."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from dashboard.fake import CPU, DISK, EVERY, SILENT, START, WARMING, FakeLive, incident
from dashboard.reader import Reader

from amiss.data import DAY, HOUR, MINUTE, Member, Records
from amiss.errors import Unreachable
from amiss.web.dashboard import here
from amiss.web.times import iso

Open = Callable[..., Reader]
SCENES = ("busy", "quiet", "warming", "starting", "blind")


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("page", ["", "incident", "explorer", "health", "models"])
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
    first, second, *_ = [label for label, to in page.links.items() if to.startswith("incident?id")]
    assert "disk write of sda at 168 MB/s" in first.replace("\\", "")
    assert "temperature of core 3" in second
    assert page.links[first] == "incident?id=a1b2c3d4"
    for said in (
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


def test_the_charts_of_now_have_value_band_marks_and_the_incident_shaded(reader: Open) -> None:
    drawn = pa.ipc.open_stream(reader("busy").charts[0].data.data).read_all()
    shown = drawn.to_pydict()
    assert sum(b is not None for b in shown["b"]) == 1
    assert any(shown["m"]) and not all(shown["m"])
    assert max(v for v in shown["v"] if v is not None) > 150e6
    assert max(h for h in shown["hi"] if h is not None) < 50e6


def test_what_opens_is_drawn_at_once(reader: Open) -> None:
    page = reader("quiet")
    assert not [to for to in page.links.values() if to.startswith("incident?id")]
    live = page.live
    member = Member(CPU, START, START, 9.0, 97.0, 6.0, 4.0, 9.0)
    nothing = Records(*(Reader_array() for Reader_array in ()), *_nothing())
    live.store.commit("host", {}, nothing, [incident("fresh", (member,), START, severity="high")])
    live._painted = None
    page.again()
    assert "1 thing is amiss" in page.text
    assert "incident?id=fresh" in page.links.values()


def _nothing() -> tuple[object, ...]:
    import numpy as np

    return np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0)


def test_many_incidents_are_lines_not_charts(reader: Open) -> None:
    page = reader("quiet")
    for i in range(8):
        member = Member(CPU, START, START, 9.0 + i, 97.0, 6.0, 4.0, 9.0)
        from amiss.data import Records as R

        page.live.store.commit("host", {}, R(*_nothing()), [incident(f"n{i}", (member,), START)])  # type: ignore[arg-type]
    page.live._painted = None
    page.again()
    assert len(page.charts) == 3 + 6
    assert sum(to.startswith("incident?id=n") for to in page.links.values()) == 8


def test_the_list_of_incidents_tells_each_in_a_line(reader: Open) -> None:
    page = reader("busy", "incident")
    assert len([to for to in page.links.values() if to.startswith("incident?id=")]) >= 4
    assert "medium 6 Mar 16:02 UTC lasted 41 minutes" in page.text
    page.page.get("button_group")[0].set_value(["open"])
    page.again()
    assert "lasted" not in page.text


def test_no_incident_so_far_is_said_in_words(reader: Open) -> None:
    assert "There has been no incident so far." in reader("warming", "incident").text


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
    chart = reader("busy", "incident", id="a1b2c3d4").charts[0]
    shown = pa.ipc.open_stream(chart.data.data).read_all().to_pydict()
    times = [t for t, v in zip(shown["t"], shown["v"], strict=True) if v is not None]
    assert min(times) * 10**6 <= START - 18 * MINUTE - HOUR + EVERY
    assert max(times) * 10**6 == START


def test_an_incident_that_is_over_says_when_and_how_long(reader: Open) -> None:
    page = reader("busy", "incident", id="past2")
    assert "medium resolved 21 hours ago" in page.text
    assert "until 6 Mar 16:43 UTC" in page.text
    assert "lasted 41 minutes" in page.text


def test_an_unknown_incident_is_said_in_words(reader: Open) -> None:
    page = reader("busy", "incident", id="<b>gone")
    assert "There is no incident <b>gone. Incidents are kept for 400 days." in page.text
    assert "<b>gone" not in page.html


def test_the_explorer_begins_with_the_worst(reader: Open) -> None:
    page = reader("busy", "explorer")
    options = page.page.radio[0].options
    assert {"CPU iowait", "Load1"} <= set(options[:6])
    assert "amiss" in page.text and "a moment like this comes about once in" in page.text
    assert len(page.charts) == 2


def test_the_explorer_shows_the_series_in_the_address(reader: Open) -> None:
    page = reader("busy", "explorer", key=CPU)
    assert "CPU judged 6" in page.text
    assert "nothing unusual." in page.text
    assert page.page.radio[0].value == CPU


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (WARMING[0], "warming up 3.4 MB/s now. First opinion: 24 of 96 samples"),
        (SILENT[0], "silent No data since 13:22 UTC, 40 minutes ago."),
        ("gone{host=\"web-3\"}", "It has not been seen since Amiss was started"),
    ],
)
def test_the_explorer_says_why_there_is_no_opinion(reader: Open, key: str, said: str) -> None:
    text = reader("busy", "explorer", key=key).text
    start = said.split(" now")[0][:10]
    assert said in text or (start in text and said.rsplit(". ", 1)[-1] in text)


def test_the_explorer_finds_by_words_and_state(reader: Open) -> None:
    page = reader("busy", "explorer", q="disk sda")
    assert all("sda" in one for one in page.page.radio[0].options)
    assert len(page.page.radio[0].options) == 5
    page = reader("busy", "explorer", state="silent")
    assert set(page.page.radio[0].options) == {"Temperature of core 19", "Fan of fan 3"}
    assert "No series is like that." in reader("busy", "explorer", q="no such").text


def test_choosing_a_series_puts_it_into_the_address(reader: Open) -> None:
    page = reader("busy", "explorer")
    page.page.radio[0].set_value(DISK)
    page.again()
    assert page.page.query_params["key"] == [DISK]
    assert "Disk write of sda amiss" in page.text


def test_a_span_in_the_address_is_what_is_shown(reader: Open) -> None:
    between = {"from": iso(START - 3 * HOUR), "to": iso(START - 2 * HOUR)}
    page = reader("busy", "explorer", key=CPU, **between)
    assert "11:02:10 UTC to 12:02:10 UTC" in page.text
    shown = pa.ipc.open_stream(page.charts[0].data.data).read_all().to_pydict()
    assert max(shown["t"]) * 10**6 <= START - 2 * HOUR
    page.page.button(key="back").click()
    page.again()
    assert "from" not in page.page.query_params
    assert "11:02:10 UTC" not in page.text


@pytest.mark.parametrize("wrong", ["yesterday", "", "9" * 40])
def test_a_span_that_is_none_shows_the_present(reader: Open, wrong: str) -> None:
    page = reader("busy", "explorer", key=CPU, **{"from": wrong, "to": iso(START)})
    assert "drag in the chart" in page.text


def test_health_says_what_each_part_is_doing(reader: Open) -> None:
    page = reader("busy", "health")
    for said in (
        "Failing: sink on-call, the new configuration",
        "host good A poll each 5 s; the last that worked: just now.",
        "a step takes 2.1 ms",
        "on-call webhook failing connection refused; tried again in 32 s 58 3 0 24 hours ago",
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
    assert "CPU, forecast" in text and "CPU, now" in text
    waiting = reader("warming", "models").text
    assert "waiting It is trained by itself as soon as there is enough: 24 of 100 samples." in waiting


def test_retraining_goes_on_in_the_background_and_says_how_it_ended(reader: Open) -> None:
    page = reader("busy", "models")
    page.live.gate.clear()
    page.page.number_input[0].set_value(500)
    page.again()
    page.page.button(key="retrain host isolation_forest").click()
    page.again()
    assert "Training on 500 samples: 0 s so far." in page.text
    page.live.gate.set()
    wait_for(page, "Trained on 500 samples in 1.8 s; in use from now on.")
    assert "500 samples in 1.8 s" in page.text


def test_a_training_that_cannot_be_says_why(reader: Open) -> None:
    page = reader("busy", "models")
    page.page.number_input[1].set_value(9500)
    page.again()
    page.page.button(key="retrain host linear_regression").click()
    wait_for(page, "Not trained: 8640 samples are recorded so far; 9500 were asked for.")
    assert "The model before stays in use." in page.text


def wait_for(page: Reader, said: str) -> None:
    """Until the thread in the background has said so."""
    import threading

    for thread in threading.enumerate():
        if thread.name.startswith("train "):
            thread.join(30)
    assert said in page.again().text


def test_nothing_that_is_shown_is_taken_for_html_or_markdown(reader: Open, tmp_path: Path) -> None:
    nasty = "<img src=x onerror=alert(1)>[a](http://evil.example)$x$`"
    live = FakeLive(tmp_path / "nasty", "quiet")
    member = Member(f'cpu_percent{{host="{nasty}"}}', START, START, 9.0, 97.0, 6.0, 4.0, 9.0)
    odd = incident("odd", (member,), START, evidence=(nasty,), system=f'host="{nasty}"',
                   sentence=f"{nasty} at 3 since 14:02 UTC on 7 March; rare.")  # fmt: skip
    live.store.commit("host", {}, Records(*_nothing()), [odd])  # type: ignore[arg-type]
    live.store.delivered(nasty, "odd", 1, START, "refused", nasty)
    for page in (reader(live), reader(live, "incident"), reader(live, "incident", id="odd"),
                 reader(live, "explorer", key=member.series, q=nasty)):  # fmt: skip
        assert "<img" not in page.html
        assert "(http://evil" not in "".join(page.links)
        assert nasty.replace("`", "'") in page.text.replace("`", "'")


def test_a_store_that_does_not_answer_is_told_not_thrown(
    reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reader("busy")

    def locked(*_: object, **__: object) -> None:
        raise Unreachable("amiss.db is locked")

    monkeypatch.setattr(page.live.store, "incidents", locked)
    page.live._painted = None
    page.live.clock = lambda: START + DAY
    monkeypatch.setattr(page.live, "_paint", lambda version: replace(FAKE_NOW, version=version))
    page.again()
    assert "This page cannot be drawn just now: amiss.db is locked It tries again." in page.text


FAKE_NOW = FakeLive.__new__(FakeLive)


def test_without_the_program_the_page_says_how_to_start_it(
    reader: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = reader("quiet")
    monkeypatch.setattr(here, "live", None)
    page.again()
    assert "start it with: amiss run" in page.page.error[0].value
