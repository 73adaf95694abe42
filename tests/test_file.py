"""The source `file`: what it makes of lines, what it refuses, and how it is watched."""

import logging
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from amiss.component import Cursor
from amiss.data import SECOND, Records
from amiss.errors import Unreachable
from amiss.run.watch import run_watch, tick
from amiss.sources.file import File
from amiss.world import World
from cli.calls import amiss
from run.rig import Rig, pipeline

CONCEPTS = Path(__file__).parents[1] / "docs" / "concepts.md"
LINES = (
    '{"ts": 1700000000.5, "user": "ann", "took": 0.25, "at=": {"city": "Ulm"}, "host": "x"}\n'
    '{"ts": 1700000001, "user": "bob", "took": "n/a"}\n'
    "torn\n"
    '{"user": "eve", "took": 7}\n'
)


def read(folder: Path, lines: str, **settings: Any) -> Records:
    (folder / "app.log").write_text(lines)
    source = File(path=f"{folder}/*.log", **settings)
    return source.poll({}, World(now=lambda: 1_700_000_100 * SECOND))[1]


def test_events_are_records(tmp_path: Path) -> None:
    records = read(
        tmp_path, LINES, format="json", value="took", labels={"host": "web-1"}, path_label="file"
    )
    assert records.time.tolist() == [
        1_700_000_000 * SECOND + SECOND // 2,
        1_700_000_001 * SECOND,
        1_700_000_001 * SECOND,  # as the one before
    ]
    assert set(records.name) == {"event"}
    assert records.text is not None
    assert records.text.tolist() == [line for line in LINES.splitlines() if line != "torn"]
    np.testing.assert_array_equal(records.value, [0.25, np.nan, 7])
    assert {name: column.tolist() for name, column in records.labels.items()} == {
        "user": ["ann", "bob", "eve"],
        "took": ["0.25", "n/a", "7"],
        "at_.city": ["Ulm", "", ""],
        "host": ["web-1"] * 3,
        "file": [f"{tmp_path}/app.log"] * 3,
    }
    assert records.skipped == {
        "lines that are no JSON object": 1,
        "times that cannot be read; that of the record before is taken": 1,
    }


WIDE = (
    "time,host,cpu,memory\n"
    "1700000000,web-1,20.5,70\n"
    "1700000000,web-2,,71\n"
    "1700000060,web-1,much,72\n"
)
LONG = (
    "time,host,what,number\n"
    "1700000000,web-1,cpu,20.5\n"
    "1700000000,web-1,,7\n"
    "1700000060,web-2,memory,71\n"
)


def test_rows_of_numbers_are_samples_of_series(tmp_path: Path) -> None:
    records = read(tmp_path, WIDE, values=["cpu", "memory"], by=["host"], labels={"site": "ulm"})
    keys = zip(records.name, records.labels["host"], records.value, strict=True)
    assert list(keys) == [
        ("cpu", "web-1", 20.5), ("memory", "web-1", 70.0), ("memory", "web-2", 71.0),
        ("memory", "web-1", 72.0),
    ]  # fmt: skip
    assert records.time.tolist() == [1_700_000_000 * SECOND] * 3 + [1_700_000_060 * SECOND]
    assert (records.text, sorted(records.labels)) == (None, ["host", "site"])
    assert records.skipped == {"values that are no numbers": 1}


def test_a_row_may_say_what_its_number_is_called(tmp_path: Path) -> None:
    records = read(tmp_path, LONG, values=["number"], metric="what", by=["host"])
    assert records.name.tolist() == ["cpu", "memory"]
    assert records.value.tolist() == [20.5, 71.0]
    assert records.skipped == {"numbers without a name": 1}


@pytest.mark.parametrize("more", [{"name": "n"}, {"places": "a.mmdb"}])
def test_what_series_of_a_file_would_pass_over_is_refused(more: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="name and places are of events"):
        File.model_validate({"path": "/a.csv", "values": ["x"], **more})


def test_numbers_of_a_file_are_watched_as_those_of_any_source(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(WIDE)
    (tmp_path / "amiss.yaml").write_text(
        "pipelines:\n"
        "  - name: web\n"
        f"    source: {{type: file, path: {tmp_path}/a.csv, values: [disk], by: [rack]}}\n"
        "    features: {type: grid, every: 1m}\n"
        "    detectors: [{type: level}]\n"
    )
    wrong = amiss("check", tmp_path / "amiss.yaml")
    assert wrong.code == 2
    assert "source.values: no record has a number in a field 'disk'" in wrong.err
    assert "source.by: no record has a field 'rack'" in wrong.err
    text = (tmp_path / "amiss.yaml").read_text()
    (tmp_path / "amiss.yaml").write_text(text.replace("disk", "memory").replace("rack", "host"))
    right = amiss("check", tmp_path / "amiss.yaml")
    assert right.code == 0
    assert "2 series every 1m" in right.out and "  numbers: memory\n" in right.out


def test_events_make_no_series_and_a_pipeline_that_wants_some_says_so(tmp_path: Path) -> None:
    """It would watch in silence, for ever."""
    with pytest.raises(ValidationError, match=r"features 'grid' makes series of numbers, and this"):
        pipeline(source={"type": "file", "path": f"{tmp_path}/a.csv"})


def test_pairs_behind_a_time_are_fields_at_that_time(tmp_path: Path) -> None:
    line = "{} level=info user=bob path=/x\n"
    times = ("2023-11-14T22:13:20Z", "2023-11-14T22:13:21.5+00:00")
    records = read(tmp_path, "".join(map(line.format, times)))
    assert records.time.tolist() == [1_700_000_000 * SECOND, 1_700_000_001 * SECOND + SECOND // 2]
    assert sorted(records.labels) == ["level", "path", "user"] and records.skipped == {}


def test_text_without_times_is_of_now(tmp_path: Path) -> None:
    records = read(tmp_path, "one\ntwo\n")
    assert set(records.time) == {1_700_000_100 * SECOND}
    assert records.watermark == 1_700_000_100 * SECOND - 1
    assert set(records.name) == {"line"} and records.labels == {} and records.skipped == {}
    assert set(read(tmp_path, "one\n", name="job").name) == {"job"}


def test_text_may_be_cut_and_says_so(tmp_path: Path) -> None:
    text = read(tmp_path, "ä" * 100 + "\n", longest=64).text
    assert text is not None and text.tolist() == ["ä" * 32 + "... (136 bytes cut)"]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"path": []}, "at least 1"),
        ({"zone": "Mars/Base"}, "'Mars/Base' is no time zone; write one such as Europe/Berlin"),
        ({"time_format": "yesterday"}, "write one of s, ms, us, ns, epoch, iso"),
        ({"multiline": "("}, "no regular expression: missing )"),
        ({"format": "regex", "regex": "a+"}, "needs a regex with named groups"),
        ({"regex": "(?P<a>.)"}, "regex is read with `format: regex` alone"),
        ({"format": "text", "value": "took"}, "text has no fields"),
        ({"value": "took", "values": ["took"]}, "value is the number of an event"),
        ({"by": ["host"]}, "metric and by go with values"),
        ({"values": ["a", "b"], "metric": "name"}, "one field in values"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        File(**{"path": "x.log", **settings})


def test_the_example_of_the_documents_is_one() -> None:
    shown = re.findall(r"^```yml\n(.*?)^```", CONCEPTS.read_text(), re.MULTILINE | re.DOTALL)
    (block,) = (one for one in shown if one.startswith("type: file"))
    said = yaml.safe_load(block)
    assert said.pop("type") == "file"
    assert File(**said).path == ("/var/log/nginx/access.log*",)
    others = [line[2:].partition("  # ")[0] for line in block.splitlines() if line[:2] == "# "]
    more = yaml.safe_load("\n".join(others))
    assert File(**{**said, **more, "value": "", "multiline": ""}).format == "regex"
    assert File(path="x.log", multiline=more["multiline"])


def test_check_says_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(LINES)
    config = tmp_path / "amiss.yaml"
    config.write_text(
        "pipelines:\n"
        "  - name: app\n"
        f"    source: {{type: file, path: {tmp_path}/app.log, format: json}}\n"
        "    features: {type: each}\n"
        "    detectors: [{type: lines}]\n"
    )
    said = amiss("check", config)
    assert said.code == 0
    assert f"  {tmp_path}/app.log: json, time in ts (epoch), {len(LINES)} bytes read" in said.out
    assert "  3 records read, the first of 2023-11-14T22:13:20 UTC" in said.out
    assert "  fields: user, took, at_.city, host" in said.out
    assert "  left out: lines that are no JSON object (1)" in said.out
    (tmp_path / "app.log").unlink()
    assert "  no file is there yet" in amiss("check", config).out


def test_check_says_what_is_not_there(tmp_path: Path) -> None:
    config = tmp_path / "amiss.yaml"
    config.write_text(
        "pipelines:\n"
        "  - name: app\n"
        f"    source: {{type: file, path: {tmp_path}/none/app.log}}\n"
        "    features: {type: each}\n"
        "    detectors: [{type: lines}]\n"
    )
    said = amiss("check", config)
    assert said.code == 1
    assert f"app: source file fails: {tmp_path}/none: there is no such folder" in said.out


def test_a_watch_does_not_wait_while_there_is_more(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("".join(f"{i} {'x' * 1000}\n" for i in range(1500)))
    source, waits, stop = File(path=str(log), most=10_000), list[float](), threading.Event()

    def wait(event: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        if waits.count(0) < len(waits):  # the first that is none
            event.set()
        return event.is_set()

    rig = Rig(tmp_path, pipeline=pipeline().model_copy(update={"source": source}))
    watch = rig.start()
    watch.world = replace(watch.world, wait=wait)
    run_watch(watch, stop, rig.told)
    rig.close()
    assert waits[:-1] == [0.0] * 5 and waits[-1] == 30.0
    assert watch.cursor["files"][0]["offset"] == log.stat().st_size


def test_a_file_that_is_still_to_come_is_waited_for_and_one_that_went_is_no_news(
    tmp_path: Path, caplog
) -> None:
    caplog.set_level(logging.INFO, "amiss")
    folder = tmp_path / "zeek"
    log = folder / "conn.log"
    pipe = pipeline().model_copy(update={"source": File(path=str(log), start="end")})
    rig = Rig(tmp_path, pipeline=pipe)
    watch = rig.start()

    def looked() -> tuple[str, str]:
        tick(watch, rig.told)
        rig.clock.tick()
        return watch.progress.health, watch.progress.reason

    assert looked() == ("waiting", f"{folder}: there is no such folder")
    assert looked() == ("waiting", f"{folder}: there is no such folder")
    folder.mkdir()
    assert looked() == looked() == ("waiting", f"{log}: there is no such file")
    folder.rmdir()
    assert looked() == ("waiting", f"{folder}: there is no such folder")
    folder.mkdir()
    assert looked() == ("waiting", f"{log}: there is no such file")
    log.write_text("one\ntwo\n")
    assert looked() == ("good", "")
    assert watch.cursor["files"][0]["offset"] == log.stat().st_size
    log.unlink()
    assert looked() == looked() == ("good", "")
    assert watch.progress.failures == 0
    logged = [r for r in caplog.records if r.name.startswith("amiss.run")]
    assert {r.levelname for r in logged} == {"INFO"}
    assert logged[-1].getMessage().endswith(": what it waited for is there")
    folder.rmdir()
    with pytest.raises(Unreachable, match="there is no such folder"):
        tick(watch, rig.told)
    rig.close()


def test_of_several_places_one_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    """The others are not read for it."""
    source = File(path=(f"{tmp_path}/none/*.log", f"{tmp_path}/*.log"))
    with pytest.raises(Unreachable) as raised:
        source.poll({}, World(now=lambda: 1_700_000_100 * SECOND))
    assert not raised.value.absent


def test_lines_without_times_beside_a_quiet_log_with_times_are_judged(tmp_path: Path) -> None:
    """They are of now, hours ahead of the quiet log, and were left out as from the future."""
    quiet, plain = tmp_path / "quiet.log", tmp_path / "plain.log"
    begin = 1_700_000_000
    quiet.write_text("".join(f"2023-11-14T20:13:{i % 60:02d}Z it says {i}\n" for i in range(100)))
    plain.write_text("".join(f"no time {i}\n" for i in range(100)))
    source = File(path=f"{tmp_path}/*.log", most=10_000)
    now = [(begin + 100) * SECOND]
    world = World(now=lambda: now[0])
    cursor: Cursor = {}
    for more in ("", "one more\n"):
        plain.write_text(plain.read_text() + more)
        cursor, records = source.poll(cursor, world)
        assert records.text is not None and len(records) == (1 if more else 200)
        assert records.watermark is not None and records.watermark < now[0]
        assert records.time.max() == now[0] and records.watermark > now[0] - 10 * SECOND
        now[0] += 30 * SECOND


def test_files_without_times_are_read_when_those_with_are(tmp_path: Path) -> None:
    """Else the first promise of what is still to come would make all of these late."""
    begin = 1_700_000_000
    old = "".join(f"2023-11-13T20:13:{i % 60:02d}Z {'x' * 200}\n" for i in range(4000))
    (tmp_path / "old.log").write_text(old)
    (tmp_path / "a.log").write_text("no time\n")
    source = File(path=f"{tmp_path}/*.log", most=10_000)
    cursor, polls = source.poll({}, World(now=lambda: begin * SECOND)), 1
    while cursor[1].more:
        assert cursor[1].text is not None and "no time" not in cursor[1].text
        assert cursor[1].time.max() < begin * SECOND and polls < 10
        cursor, polls = source.poll(cursor[0], World(now=lambda: begin * SECOND)), polls + 1
    assert polls > 1 and cursor[1].text is not None and cursor[1].text[-1] == "no time"
