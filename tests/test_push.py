"""Source `push`: what it promises of time, what it takes from lines, what it never loses."""

import gzip
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from amiss.component import Cursor
from amiss.data import MINUTE, SECOND, Records
from amiss.doors.inbox import Entry, Inbox
from amiss.errors import ConfigError
from amiss.formats import loki_push, pushed, remote_write
from amiss.formats.form import Form
from amiss.formats.parsed import MOST_FIELDS, OVER
from amiss.formats.pushed_lines import Reading
from amiss.formats.told import NAMES, NO_CLOCK, Line
from amiss.run.inboxes import Inboxes
from amiss.run.watch import Watch
from amiss.run.watched import count
from amiss.settings import Settings
from amiss.sources.push import MANY, UNREAD, Push
from amiss.store import Store
from amiss.world import World

START = 1_800_000_000 * SECOND


class Pushing:
    """An inbox, a clock that is set by hand, and a source whose cursor goes through JSON."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.inbox, self.now = Inbox(folder), START
        self.source = Push(**settings)
        self.world = World(now=lambda: self.now, inbox=lambda name: self.inbox)
        self.cursor: Cursor = {}

    def push(self, *lines: str) -> None:
        self.inbox.append([Entry(self.now, "lines", "\n".join(lines).encode())])

    def samples(self, *ages: int) -> None:
        times = [self.now - age * SECOND for age in ages]
        body = remote_write.encode([({"__name__": "up"}, times, range(len(times)))])
        self.inbox.append([Entry(self.now, "remote_write 1", body)])

    def poll(self, seconds: float = 0.0) -> Records:
        self.now += round(seconds * SECOND)
        self.cursor, records = self.source.poll(orjson.loads(orjson.dumps(self.cursor)), self.world)
        return records

    @property
    def behind(self) -> float | None:
        """Seconds that the watermark is behind the clock."""
        mark = self.cursor.get("watermark")
        return None if mark is None else (self.now - mark) / SECOND


@pytest.fixture
def pushing(tmp_path: Path) -> Pushing:
    return Pushing(tmp_path)


def test_nothing_is_promised_before_something_came(pushing: Pushing) -> None:
    for _ in range(100):
        assert pushing.poll(5).watermark is None


def test_the_watermark_follows_what_came(pushing: Pushing) -> None:
    pushing.samples(30, 15, 0)
    assert len(pushing.poll()) == 3
    assert pushing.behind == pytest.approx(10, abs=0.01)
    pushing.samples(40)
    pushing.poll(1)
    assert pushing.behind == pytest.approx(11, abs=0.01)  # it never falls back


def test_silence_counts_once_it_has_lasted(pushing: Pushing) -> None:
    pushing.samples(0)
    pushing.poll()
    for _ in range(12):
        pushing.poll(5)
    assert pushing.behind == pytest.approx(70, abs=0.01)
    pushing.poll(5)
    assert pushing.behind == pytest.approx(70, abs=0.01)


def test_of_our_own_absence_nothing_is_concluded(pushing: Pushing) -> None:
    pushing.samples(0)
    pushing.poll()
    before = pushing.cursor["watermark"]
    pushing.poll(3600)
    assert pushing.cursor["watermark"] == before
    pushing.samples(3000, 2000)  # what the sender held back meanwhile
    pushing.poll(5)
    assert before < pushing.cursor["watermark"] < pushing.now - 2000 * SECOND


def test_a_time_ahead_of_the_clock_promises_nothing(pushing: Pushing) -> None:
    pushing.samples(0, -7200)
    assert len(pushing.poll()) == 2
    assert pushing.behind == pytest.approx(10, abs=0.01)


def test_a_clock_that_was_set_back_takes_the_watermark_with_it(pushing: Pushing) -> None:
    pushing.samples(0)
    pushing.poll()
    pushing.now -= 100 * MINUTE
    pushing.samples(0)
    pushing.poll()
    assert pushing.behind == pytest.approx(10, abs=0.01)


def test_each_poll_is_bounded_and_says_that_there_is_more(tmp_path: Path) -> None:
    pushing = Pushing(tmp_path, most=10_000, format="text")
    for n in range(10):
        pushing.push(*(f"{n} {'x' * 90}" for _ in range(40)))
    sizes, more = [], True
    while more:
        records = pushing.poll()
        sizes.append(len(records))
        more = records.more
    assert (sum(sizes), len(sizes) > 3) == (400, True)


def test_a_time_that_no_clock_shows_is_counted_and_stops_nothing(pushing: Pushing) -> None:
    log = ExportLogsServiceRequest()
    records = log.resource_logs.add().scope_logs.add().log_records
    records.add(time_unix_nano=2**64 - 1).body.string_value = "otlp"
    far, soon = 2**62, START // SECOND
    packed = loki_push._message()()
    for seconds in (far, -1, soon):
        entry = packed.streams.add(labels='{a="b"}').entries.add(line="loki")
        entry.timestamp.seconds = seconds
    values = [["9999999999999999999", "x"], [str(START), "json"]]
    said = {"streams": [{"stream": {}, "values": values}]}
    for kind, body in (
        ("logs protobuf", log.SerializeToString()),
        ("loki protobuf", packed.SerializeToString()),
        ("loki json", orjson.dumps(said)),
    ):
        pushing.inbox.append([Entry(START, kind, body)])
    found = pushing.poll()
    assert found.text is not None
    assert found.text.tolist() == ["loki", "json"]
    assert found.skipped == {NO_CLOCK: 4}


def test_line_breaks_within_json_break_no_line(pushing: Pushing) -> None:
    pushing.source = Push(format="json")
    pushing.push('{"a": "x\u2028y"}\r', '{"a": "b\x85c"}')
    assert pushing.poll().labels["a"].tolist() == ["x\u2028y", "b\x85c"]


def test_what_was_found_gives_way_to_what_is_asked_for(pushing: Pushing) -> None:
    lines = ['{"at": 1799999990, "user": "ann"}'] * 20
    pushing.source = Push(format="text")
    pushing.push(*lines)
    assert "user" not in pushing.poll().labels
    pushing.source = Push(format="json", time="at")
    pushing.push(*lines)
    records = pushing.poll()
    assert set(records.labels["user"].tolist()) == {"ann"}
    assert set(records.time.tolist()) == {START - 10 * SECOND}


def test_labels_of_lines_have_a_cap(pushing: Pushing) -> None:
    streams = [{"stream": {f"l{i:03d}": "x"}, "values": [[str(START), "line"]]} for i in range(300)]
    pushing.inbox.append([Entry(START, "loki json", orjson.dumps({"streams": streams}))])
    pushing.source = Push(format="text")
    records = pushing.poll()
    assert len(records) == 300
    assert len(records.labels) == MOST_FIELDS
    assert records.skipped == {OVER: 300 - MOST_FIELDS}


def test_labels_of_their_own_cost_a_line_no_more_the_more_there_are(pushing: Pushing) -> None:
    asked = Counter[str]()

    class Field(str):
        __slots__ = ()

        def __hash__(self) -> int:
            asked["hashes"] += 1
            return super().__hash__()

        __eq__ = str.__eq__

    def lines(many: int) -> list[Line]:
        return [Line(START, "line", {Field(f"l{i:05d}"): "x"}) for i in range(many)]

    counted = []
    for many in (1000, 2000):
        some, skipped = lines(many), Counter[str]()
        asked.clear()
        reading = Reading(Form("text"), "UTC", "", 8192, "")
        reading.records(some, "", skipped)
        counted.append(asked["hashes"])
        assert skipped == {OVER: many - MOST_FIELDS}
    assert counted[1] < 3 * counted[0]


def test_names_of_labels_of_numbers_have_a_cap_in_one_poll(pushing: Pushing) -> None:
    for i in range(NAMES + 5):
        body = remote_write.encode([({"__name__": "up", f"l{i}": "x"}, [START], [1.0])])
        pushing.inbox.append([Entry(START, "remote_write 1", body)])
    records = pushing.poll()
    assert (len(records), len(records.labels)) == (NAMES, NAMES)
    assert records.skipped == {MANY: 5}


def test_fields_of_json_are_labels_and_the_time_is_read(pushing: Pushing) -> None:
    pushing.push(
        '{"time": "2027-01-15T07:59:58Z", "user": "ann", "ms": 12}',
        "no JSON",
        '{"time": "2027-01-15T07:59:59.5Z", "user": "bob", "ms": 7}',
    )
    pushing.source = Push(format="json", value="ms")
    records = pushing.poll()
    assert records.time.tolist() == [START - 2 * SECOND, START - SECOND // 2]
    assert records.labels["user"].tolist() == ["ann", "bob"]
    assert records.value.tolist() == [12, 7]
    assert records.skipped == {"lines that are no JSON object": 1}
    assert set(records.name.tolist()) == {"event"}


def test_pairs_behind_a_time_are_fields_at_that_time(pushing: Pushing) -> None:
    line = "2027-01-15T07:59:{} level=info user=bob"
    for asked in ({}, {"time_format": "iso"}):
        pushing.source = Push(**asked)
        pushing.push(line.format("58Z"), line.format("59.5Z"))
        records = pushing.poll()
        assert records.time.tolist() == [START - 2 * SECOND, START - SECOND // 2]
        assert sorted(records.labels) == ["level", "user"] and records.skipped == {}
        assert pushing.cursor["form"]["kind"] == "logfmt"


def test_lines_without_a_time_have_that_of_arrival(pushing: Pushing) -> None:
    pushing.source = Push(format="text")
    pushing.push("one", "two")
    pushing.now += SECOND
    pushing.push("three")
    records = pushing.poll()
    assert records.time.tolist() == [START, START, START + SECOND]
    assert set(records.name.tolist()) == {"line"}


def test_what_another_version_wrote_is_counted(pushing: Pushing) -> None:
    pushing.inbox.append([Entry(START, "loki json", b"{")])
    assert pushing.poll().skipped == {UNREAD: 1}


def test_a_cursor_reads_on_where_it_was_after_a_restart(pushing: Pushing, tmp_path: Path) -> None:
    pushing.source = Push(format="text")
    pushing.push("one")
    pushing.poll()
    kept = dict(pushing.cursor)
    pushing.push("two")
    assert pushing.poll().text.tolist() == ["two"]
    pushing.inbox.close()
    pushing.inbox, pushing.cursor = Inbox(tmp_path), kept
    assert pushing.poll().text.tolist() == ["two"]
    pushing.push("three")
    assert pushing.poll().text.tolist() == ["three"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"inbox": "A b"}, "no name of an inbox"),
        ({"inbox": "../x"}, "no name of an inbox"),
        ({"syslog": ["127.0.0.1:514"]}, "write udp://127.0.0.1:5514"),
        ({"format": "regex"}, "named groups"),
    ],
)
def test_what_does_not_fit_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Push(**given)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        (["udp://a..b:5514"], "udp://a..b:5514: "),
        (["udp://127.0.0.1:5514", "udp://127.0.0.1:5514"], "one and two"),
    ],
)
def test_addresses_that_cannot_be_listened_on_get_a_sentence(
    tmp_path: Path, places: list[str], said: str
) -> None:
    pipelines = [
        {"name": name, "source": {"type": "push", "inbox": name, "syslog": [place]}}
        | {"features": {"type": "each"}, "detectors": [{"type": "lines"}]}
        for name, place in zip(("one", "two"), places, strict=False)
    ]
    inboxes = Inboxes(tmp_path)
    store = Store(tmp_path / "a.db")
    settings = Settings.model_validate({"pipelines": pipelines})
    watches = [Watch(one, store, World(), SECOND) for one in settings.pipelines]
    with pytest.raises(ConfigError, match=said):
        inboxes.tend(watches, store, World())
    inboxes.close()
    store.close()


def test_what_two_threads_leave_out_is_all_counted(tmp_path: Path) -> None:
    """That of the pipeline, and the one that asks the listeners what they lost."""
    store = Store(tmp_path / "a.db")
    lines = {"features": {"type": "each"}, "detectors": [{"type": "lines"}]}
    settings = Settings.model_validate(
        {"pipelines": [{"name": "a", "source": {"type": "push"}} | lines]}
    )
    watch = Watch(settings.pipelines[0], store, World(), SECOND)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(2) as threads:
            done = [threads.submit(counted, watch, reason, 5000) for reason in ("one", "two")]
        assert [one.result() for one in done] == [None, None]
    finally:
        sys.setswitchinterval(before)
    assert watch.skipped == {"one": 5000, "two": 5000}
    store.close()


def counted(watch: Watch, reason: str, times: int) -> None:
    for _ in range(times):
        count(watch, {reason: 1})


def test_inboxes_are_folders_of_the_installation(tmp_path: Path) -> None:
    inboxes = Inboxes(tmp_path)
    world = inboxes.into(World())
    assert world.inbox("a") is inboxes.get("a")
    assert inboxes.get("a").folder == tmp_path / "inbox" / "a"


def test_syslog_that_says_what_was_repeated_is_read(pushing: Pushing) -> None:
    pushing.source = Push(format="auth")
    pushing.push(
        "<13>Jan 15 07:59:00 web sshd[1]: Failed password",
        "no syslog",
        "<13>Jan 15 07:59:01 web sshd[1]: message repeated 2 times: [ Failed password]",
    )
    records = pushing.poll()
    assert len(records) == 3  # the last says two


def test_what_is_packed_tightly_is_read_in_as_small_pieces(tmp_path: Path) -> None:
    pushing = Pushing(tmp_path, most=10_000_000, format="text")
    body = gzip.compress(b"x" * 7_000_000)
    for _ in range(3):
        size = pushed.read("lines gzip", body).unpacked
        pushing.inbox.append([Entry(START, "lines gzip", body, size)])
    records = pushing.poll()
    assert (size, len(records), records.more) == (7_000_000, 2, True)
