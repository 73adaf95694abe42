"""Source `push`: what it promises of time, what it takes from lines, what it never loses."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from amiss.component import Cursor
from amiss.data import MINUTE, SECOND, Records
from amiss.formats import remote_write
from amiss.inbox import Entry, Inbox
from amiss.run.inboxes import Inboxes
from amiss.sources.push import UNREAD, Push
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
