"""The audit trail: who did what, whole after a crash, and broken by whoever touches it."""

import contextlib
import fcntl
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest

from amiss import audit
from amiss.audit import FILE, Head, Verdict, entries, note, verify
from amiss.data import Records
from amiss.errors import ConfigError, Unreachable
from amiss.run import audited, tending
from amiss.run.audited import TRAIL, Trail, head, person
from amiss.run.tending import Tending
from amiss.store import Store
from amiss.words.message import write_time
from amiss.world import World
from cli.calls import amiss
from servers.incidents import START, ended, incident

NOTHING = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))


def written(path: Path, n: int, size: int = 0) -> Head:
    last = None
    for i in range(n):
        last = note(path, START + i, "user joe (1000)", "act", {"i": i, "fill": "x" * size})
    assert last
    return last


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / FILE


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "home").mkdir()
    with contextlib.closing(Store(tmp_path / "home" / "amiss.db")) as opened:
        opened.enrol([TRAIL])
        yield opened


def test_each_line_has_the_hash_of_the_one_before(path: Path) -> None:
    last = written(path, 3)
    first, second, third = entries(path)
    assert first == {
        "n": 1,
        "time": "2026-03-07T14:02:10Z",
        "who": "user joe (1000)",
        "what": "act",
        "said": {"i": 0, "fill": ""},
        "before": "0" * 64,
    }
    assert second["before"] == audit.hashed(path.read_bytes().splitlines()[0])
    assert third["n"] == last.n == 3
    assert verify(path) == verify(path, last) == Verdict(3, last)


def test_only_the_owner_reads_it(path: Path) -> None:
    written(path, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_rotation_does_not_break_the_chain(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST", 1000)
    last = written(path, 20, size=100)
    files = sorted(path.parent.iterdir())
    assert len(files) > 3
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert verify(path, last) == Verdict(20, last)
    path.with_name(f"{FILE}.2").unlink()
    assert "follows on" in verify(path, last).broken


def test_an_older_file_that_is_cut_short_is_broken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST", 1000)
    written(path, 20, size=100)
    older = path.with_name(f"{FILE}.1")
    older.write_bytes(older.read_bytes()[:-10])
    assert f"{FILE}.1, line" in verify(path).broken


def test_killed_while_it_was_rotated(path: Path) -> None:
    last = written(path, 3)
    path.rename(path.with_name(f"{FILE}.1"))
    assert verify(path, last) == Verdict(3, last)
    last = note(path, START, "program", "started", {}) or last
    assert verify(path, last) == Verdict(4, last)


def test_what_rotation_let_go_is_not_missed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST", 1000)
    monkeypatch.setattr(audit, "KEPT", 2)
    last = written(path, 20, size=100)
    found = verify(path, last)
    assert not found.broken
    assert 0 < found.lines < 20
    path.with_name(f"{FILE}.2").unlink()
    assert "those before it are gone" in verify(path, last).broken


def test_the_last_entries_alone_are_kept(path: Path) -> None:
    written(path, 5)
    assert [one["n"] for one in entries(path, 2)] == [4, 5]
    assert [one["n"] for one in entries(path, 9)] == [1, 2, 3, 4, 5]


def may_write(path: Path) -> None:
    """BlockingIOError if somebody keeps writers from it."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_who_reads_keeps_nobody_from_writing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And reads what was there when it began, rotated meanwhile or not."""
    last = written(path, 4)
    read = audit._read
    monkeypatch.setattr(audit, "MOST", 200)

    def reading(line: bytes) -> dict[str, Any] | None:
        may_write(path)
        with monkeypatch.context() as patch:
            patch.setattr(audit, "_read", read)
            note(path, START, "program", "meanwhile", {})
        return read(line)

    monkeypatch.setattr(audit, "_read", reading)
    assert [one["n"] for one in entries(path)] == [1, 2, 3, 4]
    monkeypatch.setattr(audit, "_read", read)
    assert verify(path, last).lines == 8


def test_a_trail_that_is_rotated_as_it_is_opened_is_opened_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path, 3)
    lock, rotated = fcntl.flock, path.with_name(f"{FILE}.1")

    def rotating(fd: int, how: int) -> None:
        if how == fcntl.LOCK_SH and not rotated.exists():
            path.rename(rotated)
            note(path, START, "program", "meanwhile", {})
        lock(fd, how)

    monkeypatch.setattr(fcntl, "flock", rotating)
    with audit._alone(path), pytest.raises(BlockingIOError):
        may_write(path)
    assert [one["n"] for one in entries(path)] == [1, 2, 3, 4]


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("harm", "where"),
    [
        (lambda ls: [*ls[:2], ls[2].replace(b"joe", b"ann"), *ls[3:]], "line 4: what stands"),
        (lambda ls: [*ls[:2], *ls[3:]], "line 3: is entry 4 and follows on 2"),
        (lambda ls: [*ls[:2], ls[3], ls[2], *ls[4:]], "line 3: is entry 4"),
        (lambda ls: [*ls[:2], ls[1], *ls[2:]], "line 3: is entry 2 and follows on 2"),
        (lambda ls: ls[1:], "line 1: is entry 2, and those before it are gone"),
        (lambda ls: [b"not json\n", *ls], "line 1: is no entry"),
        (lambda ls: [*ls[:4], ls[4].replace(b"joe", b"ann")], "line 5: is not what was written"),
        (lambda ls: ls[:3], "ends with entry 3, and entry 5 was written"),
        (lambda ls: [], "ends with entry 0, and entry 5 was written"),
    ],
)
def test_who_touches_it_breaks_it(
    path: Path, harm: Callable[[list[bytes]], list[bytes]], where: str
) -> None:
    last = written(path, 5)
    path.write_bytes(b"".join(harm(lines_of(path))))
    assert where in verify(path, last).broken


def test_a_trail_that_is_gone_is_missed(path: Path) -> None:
    last = written(path, 5)
    path.unlink()
    assert "is gone, and entry 5 was written" in verify(path, last).broken
    with pytest.raises(ConfigError, match="there is no audit trail"):
        verify(path)


@pytest.mark.parametrize("cut", [1, 20, 150])
def test_a_line_that_a_crash_cut_short_is_no_harm(path: Path, cut: int) -> None:
    last = written(path, 3)
    torn = lines_of(path)[2][:cut]
    with path.open("ab") as file:
        file.write(torn)
    assert verify(path, last) == Verdict(3, last, torn=True)
    last = note(path, START, "program", "started", {}) or last
    assert verify(path, last) == Verdict(4, last)


WRITER = """
import sys
from pathlib import Path
from amiss.audit import note
for i in range(10**6):
    note(Path(sys.argv[1]), i, "program", "act", {"i": i})
    print(i, flush=True)
"""


def test_a_killed_writer_leaves_a_whole_trail(path: Path) -> None:
    """Killed at any moment: what it said that it had written is there."""
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout
            for line in program.stdout:
                if int(line) == 10:
                    program.kill()
                    break
        done = [one["said"]["i"] for one in entries(path)]
        own = done[len(done) - 1 - done[::-1].index(0) :]
        assert own[:11] == list(range(11))
        assert not verify(path).broken


def test_several_writers_make_one_chain(path: Path) -> None:
    threads = [threading.Thread(target=written, args=(path, 20)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(path).lines == 80
    assert not verify(path).broken


# What is written


def test_incidents_are_written_once_whatever_happens(store: Store, path: Path) -> None:
    first = incident("a")
    store.commit("host", {}, NOTHING, (first, incident("b"), incident("a", revision=2)))
    trail = Trail(path.parent, store, World(now=lambda: START))
    trail.catch_up()
    trail.catch_up()
    again = Trail(path.parent, store, World(now=lambda: START))
    store.commit("host", {}, NOTHING, (ended(incident("a", revision=2)),))
    again.catch_up()
    store.enrol([])
    again.catch_up()  # all from the beginning, as after a crash before the mark was set
    assert [(e["what"], e["said"]["incident"]) for e in entries(path)] == [
        ("incident opened", "a"),
        ("incident opened", "b"),
        ("incident resolved", "a"),
    ]
    assert verify(path, head(store)).lines == 3


def test_what_may_not_wait_is_written_later(store: Store, path: Path) -> None:
    trail = Trail(path.parent, store, World(now=lambda: START))
    trail.later("203.0.113.9", "wrong token")
    assert not path.exists()
    trail.catch_up()
    assert [(e["who"], e["what"]) for e in entries(path)] == [("203.0.113.9", "wrong token")]


def test_an_act_stands_where_it_cannot_be_written(
    store: Store, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.mkdir()
    Trail(path.parent, store, World()).note("user joe", "model promoted")
    assert "not in the audit trail: user joe: model promoted" in caplog.text


def test_incidents_wait_for_a_disk_that_is_full(store: Store, path: Path) -> None:
    store.commit("host", {}, NOTHING, (incident("a"),))
    trail = Trail(path.parent, store, World(now=lambda: START))
    trail.later("203.0.113.9", "signed in")
    path.mkdir()
    for _ in range(2):
        with pytest.raises(Unreachable):
            trail.catch_up()
    path.rmdir()
    trail.catch_up()
    assert [e["what"] for e in entries(path)] == ["signed in", "incident opened"]


def test_an_act_is_written_once_though_the_store_is_away(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise Unreachable("the store is away")

    trail = Trail(path.parent, store, World(now=lambda: START))
    trail.later("203.0.113.9", "signed in")
    with monkeypatch.context() as patch:
        patch.setattr(store, "set_meta", away)
        patch.setattr(store, "raise_meta", away, raising=False)
        for _ in range(2):
            with contextlib.suppress(Unreachable):
                trail.catch_up()
    trail.catch_up()
    trail.note("program", "stopped")
    assert [e["what"] for e in entries(path)] == ["signed in", "stopped"]
    assert head(store) == verify(path).head


def test_the_head_that_is_kept_never_goes_back(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two who write, the first may come to the store last."""
    trail, other = (Trail(path.parent, store, World(now=lambda: START)) for _ in range(2))
    wrote, between = audit.note, [other]

    def slow(*said: Any) -> Head | None:
        found = wrote(*said)
        if between:
            between.pop().note("user joe", "second")
        return found

    monkeypatch.setattr(audit, "note", slow)
    trail.note("user ann", "first")
    assert [e["what"] for e in entries(path)] == ["first", "second"]
    assert head(store) == verify(path).head


def test_acts_that_are_too_many_are_refused_and_counted(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audited, "MOST_LATER", 2)
    trail = Trail(path.parent, store, World(now=lambda: START))
    for i in range(4):
        trail.later("203.0.113.9", f"act {i}")
    assert trail.refused == 2
    assert "not in the audit trail: 203.0.113.9: act 3: 2 acts wait" in caplog.text
    trail.catch_up()
    assert [e["what"] for e in entries(path)] == ["act 0", "act 1"]


@pytest.mark.parametrize(("samples", "in_use"), [(100, True), (None, False)])
def test_a_challenger_is_not_said_to_be_in_use(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch, samples: int | None, in_use: bool
) -> None:
    trail = Trail(path.parent, store, World(now=lambda: START))
    card = SimpleNamespace(id="3a0335", name="lstm", pipeline="host")
    monkeypatch.setattr(tending.training, "retrain", lambda *_, **__: card)
    monkeypatch.setattr(tending.challengers, "samples", lambda _: 100)
    tended = Tending(SimpleNamespace(trail=trail, store=store, world=World(), news=lambda: None))
    monkeypatch.setattr(tended, "_samples", lambda _: samples)
    monkeypatch.setattr(tended, "_why", lambda _: "on schedule")
    tended._train([SimpleNamespace(stop=threading.Event(), type="lstm")])
    (said,) = (e["said"] for e in entries(path))
    assert said == {"model": "3a0335", "type": "lstm", "pipeline": "host", "in_use": in_use}


def test_people_are_named() -> None:
    assert str(os.getuid()) in person()


# The commands


def test_the_commands_show_and_verify(store: Store, path: Path) -> None:
    home = str(path.parent)
    assert amiss("audit", "show", "--home", home).code == 2
    assert amiss("exclude", "3h", "2h", "--why", "disk swapped", "--home", home).code == 0
    assert amiss("exclude", "--undo", "1", "--home", home).code == 0
    shown = amiss("audit", "show", "--home", home)
    assert "time excluded" in shown.out
    assert "why disk swapped" in " ".join(shown.out.split())
    said = orjson.loads(amiss("audit", "show", "-n", "1", "--json", "--home", home).out)
    assert [(one["n"], one["what"], one["who"]) for one in said] == [
        (2, "excluded time taken back", person())
    ]
    whole = amiss("audit", "verify", "--home", home)
    assert (whole.code, whole.out.startswith("Whole: 2 entries to 2, ")) == (0, True)
    path.write_bytes(path.read_bytes().replace(b"disk swapped", b"disk stolen"))
    broken = amiss("audit", "verify", "--home", home)
    assert (broken.code, broken.out) == (
        1,
        "Broken after 1 entry: audit.jsonl, line 2: what stands before it was changed.\n",
    )
    found = orjson.loads(amiss("audit", "verify", "--json", "--home", home).out)
    assert (found["whole"], found["lines"]) == (False, 1)


def test_what_an_entry_says_is_shown_in_words(path: Path) -> None:
    more = {"in_use": True, "start": START, "pipelines": ["web", "db"], "sinks": [], "why": ""}
    note(path, START, "program", "act", more)
    note(path, START, "program", "act", {"in_use": False, "title": "50 \u001b[31m"})
    shown = " ".join(amiss("audit", "show", "--home", path.parent).out.split())
    assert f"act in use, start {write_time(START)}, pipelines web db, sinks none" in shown
    assert shown.endswith("act not in use, title 50 [31m")
