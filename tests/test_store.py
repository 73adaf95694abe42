"""What must survive a restart does, whole or not at all; what is wrong is said in a sentence."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, Records
from amiss.errors import ConfigError, StateError, Unreachable
from amiss.store import Block, Checkpoint, Pruned, Saved, Store, database, journal, prune, tables
from amiss.store.migrations import upgrade
from amiss.store.trouble import explain
from servers.incidents import incident
from servers.ticks import EVERY, START, at, block, checkpoint, records, states

KILLS = 10


@pytest.fixture
def store(tmp_path):
    with_it = Store(tmp_path / "amiss.db")
    yield with_it
    with_it.close()


def same(one, other):
    """Records that are equal to the bit."""
    assert one.watermark == other.watermark
    assert one.skipped == other.skipped
    assert list(one.labels) == list(other.labels)
    assert one.time.tobytes() == other.time.tobytes()
    assert one.value.tobytes() == other.value.tobytes()
    for a, b in [(one.name, other.name), *((one.labels[k], other.labels[k]) for k in one.labels)]:
        assert a.tolist() == b.tolist()
    assert (one.text is None) == (other.text is None)
    if one.text is not None:
        assert one.text.tolist() == other.text.tolist()


def contents(store):
    """All rows of all tables."""
    with store.read() as db:
        return {
            table.name: sorted(map(tuple, db.execute(sa.select(table))), key=repr)
            for table in tables.metadata.sorted_tables
        }


@contextmanager
def full_disk(store):
    """While it lasts the file cannot grow."""

    def no_room(raw, _):
        raw.execute("PRAGMA max_page_count = 1").fetchall()

    sa.event.listen(store.engine, "connect", no_room)
    store.engine.dispose()
    yield
    sa.event.remove(store.engine, "connect", no_room)
    store.engine.dispose()


# going on where one was


def test_a_new_store_is_empty(store):
    assert store.load("host") == Saved()
    assert store.seen("host") is None
    assert store.series() == []
    assert store.incidents() == []
    assert store.untold("mail") == (0, [])
    assert len(store.history("cpu", 0, 2**62)) == 0
    assert store.check() == []


def test_goes_on_with_the_snapshot_and_what_came_after_it(tmp_path):
    store = Store(tmp_path / "new" / "folder" / "amiss.db")
    store.commit("host", {"at": 1}, records(1), [])
    store.commit("host", {"at": 2}, records(2), [], checkpoint([1, 2]))
    late = [records(3, text=np.array(["x", "", "é\ud800"])), records(4, skipped={"late": 2})]
    for tick, one in enumerate(late, 3):
        store.commit("host", {"at": tick, "big": 2**63}, one, [])
    store.commit("other", {}, records(9), [])
    store.close()

    store = Store(tmp_path / "new" / "folder" / "amiss.db")
    saved = store.load("host")
    assert saved.cursor == {"at": 4, "big": 2**63}
    assert {k: {c: a.tolist() for c, a in s.items()} for k, s in saved.states.items()} == {
        k: {c: a.tolist() for c, a in s.items()} for k, s in states(2).items()
    }
    for one, other in zip(saved.journal, late, strict=True):
        same(one, other)
    assert store.seen("host") == at(4)
    assert len(store.load("other").journal) == 1

    store.forget("host")
    assert store.load("host") == Saved()
    assert store.load("-host").states.keys() == saved.states.keys()  # put aside
    assert store.seen("host") is None
    assert len(store.history("a", 0, 2**62)) == 2
    assert len(store.load("other").journal) == 1
    store.close()


words = st.text(st.characters(codec=None), max_size=5).map(lambda text: text.rstrip("\0"))


@given(
    st.integers(0, 6).flatmap(
        lambda n: st.builds(
            Records,
            st.lists(st.integers(-(2**63), 2**63 - 1), min_size=n, max_size=n).map(
                lambda x: np.array(x, np.int64)
            ),
            st.lists(words, min_size=n, max_size=n).map(lambda x: np.array(x, np.str_)),
            st.lists(st.floats(), min_size=n, max_size=n).map(lambda x: np.array(x, np.float64)),
            st.dictionaries(
                words,
                st.lists(words, min_size=n, max_size=n).map(lambda x: np.array(x, np.str_)),
                max_size=3,
            ),
            st.none() | st.lists(words, min_size=n, max_size=n).map(lambda x: np.array(x, np.str_)),
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.dictionaries(words, st.integers(0, 10**9), max_size=2),
        )
    )
)
def test_records_come_back_to_the_bit(one):
    """NaN of any kind, -0.0, half characters, empty labels, no rows at all."""
    same(journal.read(journal.write(one)), one)


def test_a_damaged_journal_is_named(store):
    store.commit("host", {}, records(1), [])
    with store.write() as db:
        db.execute(sa.update(tables.journal).values(body=b"\x78\x01nonsense"))
    with pytest.raises(StateError, match=r"memory of pipeline 'host' in .*amiss.db is damaged"):
        store.load("host")


def test_a_damaged_snapshot_is_named(store):
    store.commit("host", {}, records(1), [], checkpoint([1]))
    with store.write() as db:
        body = db.scalar(sa.select(tables.snapshot.c.body))
        db.execute(sa.update(tables.snapshot).values(body=body[: len(body) // 2]))
    with pytest.raises(StateError, match="memory of pipeline 'host'"):
        store.load("host")


def test_small_things(store):
    assert store.get_meta("first") is None
    assert store.get_meta("first", 3) == 3
    store.set_meta("first", 2**62)
    store.set_meta("first", {"at": [1, None, "é"]})
    assert store.get_meta("first") == {"at": [1, None, "é"]}


# all or nothing


@pytest.mark.parametrize(
    "where",
    [
        "UPDATE ON pipeline",
        "INSERT ON revision",
        "INSERT ON incident",
        "UPDATE ON incident",
        "UPDATE ON snapshot",
        "DELETE ON journal",
        "INSERT ON series",
        "UPDATE ON series",
        "INSERT ON chunk",
        "INSERT ON tail",
        "DELETE ON tail",
    ],
)
def test_a_commit_that_fails_anywhere_changes_nothing(store, where):
    store.commit("host", {}, records(0), [incident("a")], checkpoint([0]))
    store.commit("host", {}, records(1), [])
    before = contents(store)
    with store.write() as db:
        db.exec_driver_sql(
            f"CREATE TRIGGER planted BEFORE {where} BEGIN SELECT RAISE(ABORT, 'planted'); END"
        )
    new = [incident("a", 2), incident("b")]
    snapshot = checkpoint(range(1, 800), keys=("a", "b", "new"))
    with pytest.raises(sa.exc.IntegrityError, match="planted"):
        store.commit("host", {"at": 2}, records(2), new, snapshot)
    assert contents(store) == before
    with store.write() as db:
        db.exec_driver_sql("DROP TRIGGER planted")
    store.commit("host", {"at": 2}, records(2), new, snapshot)
    assert store.load("host").cursor == {"at": 2}
    assert store.history("a", 0, 2**62).value.tolist() == list(range(800))


def test_a_full_disk_is_said_and_waited_for(store):
    """Nothing is half-written; when there is room again, the same commit goes through."""
    store.commit("host", {"at": 1}, records(1), [incident("a")], checkpoint([1]))
    before = contents(store)
    noise = np.random.default_rng(3).normal(size=100_000)
    large = Checkpoint({"level": {"mean": noise}}, [block(range(2, 700), keys="012345678")])
    with full_disk(store):
        for _ in range(3):
            with pytest.raises(Unreachable, match=r"the disk is full: .*amiss\.db cannot grow"):
                store.commit("host", {"at": 2}, records(2), [incident("a", 2)], large)
            assert contents(store) == before
    store.commit("host", {"at": 2}, records(2), [incident("a", 2)], large)
    assert store.load("host").cursor == {"at": 2}
    assert len(store.history("3", 0, 2**62)) == 698


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_lost_or_doubled(tmp_path):
    """Every tick that was committed is there once: in the history or in the journal."""
    path = tmp_path / "amiss.db"
    chance = random.Random(11)
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    for _ in range(KILLS):
        command = [sys.executable, "-m", "servers.ticks", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as child:
            said = [child.stdout.readline() for _ in range(chance.randint(1, 60))]
            child.send_signal(signal.SIGKILL)
            said += child.stdout.readlines()
        ticks = [int(line) for line in said if line.strip().isdigit() and line.endswith("\n")]
        store = Store(path)
        assert store.check() == []
        last = store.load("host").cursor["tick"]
        assert ticks[-1] <= last <= ticks[-1] + 1
        _all_there(store, last)
        store.close()


def _all_there(store, last):
    saved = store.load("host")
    snapshot = int(saved.states["features"]["tick"][0]) if saved.states else 0
    assert snapshot == last // 7 * 7
    assert [int(one.value[0]) for one in saved.journal] == list(range(snapshot + 1, last + 1))
    for key in "ab" if snapshot else "":
        points = store.history(key, 0, 2**62)
        assert points.time.tolist() == [at(tick) for tick in range(1, snapshot + 1)]
        assert points.value.tolist() == list(range(1, snapshot + 1))
    _, revisions = store.untold("new", limit=10**6)
    told = [(one.id, one.revision) for one in revisions]
    assert told == [(f"i{tick // 10}", tick % 10 + 1) for tick in range(1, last + 1)]


def test_many_threads(store):
    """One watches, three tell, three look: nobody waits in vain and nobody misses anything."""
    ticks, done = 150, threading.Event()
    store.enrol(["s0", "s1", "s2"])

    def watch():
        pending = []
        for tick in range(1, ticks + 1):
            pending.append(tick)
            due = checkpoint(pending) if tick % 10 == 0 else None
            store.commit("host", {"tick": tick}, records(tick), [incident("i", tick)], due)
            pending = [] if due else pending
        done.set()

    def tell(sink):
        told = []
        while len(told) < ticks:
            mark, revisions = store.untold(sink, limit=7)
            for one in revisions:
                store.delivered(sink, one.id, one.revision, one.seen, "delivered", "")
                told.append(one.revision)
            store.told(sink, mark)
            done.wait(0.001)
        return told

    def look():
        looks = 0
        while not done.is_set() or not looks:
            points = store.history("a", 0, 2**62)
            assert points.value.tolist() == list(range(1, len(points) + 1))
            assert len(points) % 10 == 0
            assert len(store.incidents()) <= 1
            looks += 1
            done.wait(0.001)
        return looks

    with ThreadPoolExecutor(7) as pool:
        watching = pool.submit(watch)
        telling = [pool.submit(tell, f"s{i}") for i in range(3)]
        looking = [pool.submit(look) for _ in range(3)]
        watching.result()
        assert [one.result() for one in telling] == [list(range(1, ticks + 1))] * 3
        assert all(one.result() for one in looking)
    assert len(store.deliveries("i")) == 3 * ticks


def test_two_programs(tmp_path):
    """A second program on the same file waits for its turn."""
    with ThreadPoolExecutor(2) as pool:
        stores = list(pool.map(Store, [tmp_path / "amiss.db"] * 2))

        def commit(i):
            for tick in range(30):
                stores[i].commit(f"p{i}", {}, records(tick), [incident(f"{i}", tick + 1)])

        list(pool.map(commit, range(2)))
    assert [len(stores[1].load(f"p{i}").journal) for i in range(2)] == [30, 30]
    assert len(stores[0].untold("all")[1]) == 60
    for one in stores:
        one.close()


# the incident log


def test_what_is_only_read_need_not_be_writable(tmp_path):
    path = tmp_path / "a folder?" / "amiss.db"
    with closing(Store(path)) as writer:
        writer.commit("host", {"at": 1}, records(1), [incident("a")])
        with closing(Store(path, reading=True)) as reader:  # while the program runs
            assert reader.load("host").cursor == {"at": 1}
            writer.commit("host", {"at": 2}, records(1), [incident("b")])
            assert {one.id for one in reader.incidents()} == {"a", "b"}
            with pytest.raises(Unreachable, match="cannot be written"):
                reader.set_meta("x", 1)
    assert os.listdir(path.parent) == ["amiss.db"]
    with closing(Store(path, reading=True)) as reader:  # after it, as it is
        assert reader.load("host").cursor == {"at": 2}
        assert os.listdir(path.parent) == ["amiss.db"]
    with sqlite3.connect(path) as db:
        db.execute("UPDATE amiss_version SET version_num = '0000'")
    db.close()
    with pytest.raises(StateError, match="was written by an older Amiss, and cannot be"):
        Store(path, reading=True)


def test_a_revision_is_in_the_log_once_and_in_order(store):
    """After a crash the journal is stepped again, and says again what was said before."""
    store.enrol(["mail"])
    first, second = incident("a"), incident("a", 2, severity="high")
    store.commit("host", {}, records(1), [first, incident("b")])
    store.commit("host", {}, records(2), [first, second])
    mark, untold = store.untold("mail")
    assert [(one.id, one.revision) for one in untold] == [("a", 1), ("b", 1), ("a", 2)]
    assert untold[2] == second
    assert store.incident("a") == [first, second]
    assert store.incident("none") == []
    store.told("mail", mark)
    assert store.untold("mail") == (mark, [])
    store.told("mail", mark - 1)  # by one who was slow
    assert store.untold("mail") == (mark, [])
    store.enrol([])
    store.told("mail", mark)  # by one who was taken out while it told
    store.commit("host", {}, records(3), [incident("c")])
    store.enrol(["mail"])
    assert store.untold("mail")[1] == []
    assert len(store.untold("other")[1]) == 4


def test_numbers_of_an_incident_come_back_to_the_bit(store):
    odd = replace(incident("a").members[0], expected=np.nan, lower=-np.inf, observed=0.1 + 0.2)
    one = incident("a", members=(odd,), evidence=("half \ud800 a character", "日本"))
    store.commit("host", {}, records(1), [one])
    (back,) = store.incident("a")
    assert repr(back) == repr(one)


def test_pages_of_incidents(store):
    for i in range(7):
        store.commit("host", {}, records(i), [incident(f"i{i}", seen=at(i))])
    done = incident("i2", 2, state="resolved", seen=at(9), until=at(9))
    store.commit("host", {}, records(9), [done])

    def ids(**said):
        return [one.id for one in store.incidents(**said)]

    assert ids(limit=3) == ["i6", "i5", "i4"]
    assert ids(limit=3, before="i4") == ["i3", "i2", "i1"]
    assert ids(before="i1") == ["i0"]
    assert ids(state="resolved") == ["i2"]
    assert ids(state="open", since=at(5)) == ["i6", "i5"]
    assert ids(since=at(8)) == ["i2"]
    assert store.incidents(state="resolved") == [done]
    assert store.opened_since(at(2)) == 5
    assert store.opened_since(at(9)) == 0


def test_a_new_sink_hears_what_comes_from_now_on(store):
    store.commit("host", {}, records(1), [incident("a")])
    store.enrol(["mail", "chat"])
    assert store.untold("mail")[1] == []
    store.commit("host", {}, records(2), [incident("b")])
    store.enrol(["mail"])
    assert [one.id for one in store.untold("mail")[1]] == ["b"]
    store.commit("host", {}, records(3), [incident("c")])
    store.enrol(["mail", "chat", "chat"])
    assert [one.id for one in store.untold("mail")[1]] == ["b", "c"]
    assert store.untold("chat")[1] == []


def test_what_came_of_telling(store):
    store.enrol(["mail", "chat"])
    store.commit("host", {}, records(1), [incident("a"), incident("a", 2)])
    assert store.last_told("mail", "a") is None
    store.delivered("mail", "a", 1, at(1), "retried", "mail.example.org: ConnectTimeout")
    assert store.last_told("mail", "a") is None
    store.delivered("mail", "a", 1, at(2), "delivered", "")
    store.delivered("chat", "a", 1, at(3), "refused", "chat.example.org answered 404")
    store.delivered("mail", "a", 2, at(4), "retried", "half \ud800")
    said = [(d.sink, d.revision, d.outcome, d.times, d.at) for d in store.deliveries("a")]
    assert said == [
        ("mail", 1, "delivered", 2, at(2)),
        ("chat", 1, "refused", 1, at(3)),
        ("mail", 2, "retried", 1, at(4)),
    ]
    assert store.last_told("mail", "a") == incident("a")
    assert store.last_told("chat", "a") == incident("a")


# history


def test_history_comes_back_in_order(store):
    """Over many checkpoints, full chunks and new series."""
    keys: tuple[str, ...] = ("a",)
    for first in range(0, 1600, 50):
        keys = ("a", "b") if first >= 800 else keys
        ticks = range(first, first + 50)
        blocks = [block([tick], keys) for tick in ticks]
        store.commit("host", {}, records(first), [], Checkpoint(states(first), blocks))
    points = store.history("a", at(100), at(1500))
    assert points.time.tolist() == [at(tick) for tick in range(100, 1501)]
    assert points.value.tolist() == list(range(100, 1501))
    np.testing.assert_allclose(points.score, points.value / 100, atol=0.006)
    np.testing.assert_allclose(points.upper - points.lower, 20, atol=20 / 512)
    assert store.history("b", 0, 2**62).time[0] == at(800)
    assert [(s.key, s.first, s.last, s.points) for s in store.series()] == [
        ("a", at(0), at(1599), 1600),
        ("b", at(800), at(1599), 800),
    ]
    with store.read() as db:
        points, sizes = zip(
            *(
                row
                for c in (tables.chunk.c, tables.tail.c)
                for row in db.execute(sa.select(c.points, sa.func.length(c.body)))
            ),
            strict=True,
        )
    assert Counter(points) == {720: 3, 160: 1, 80: 1}
    assert sum(s.bytes for s in store.series()) == sum(sizes)


def test_what_was_written_later_counts(store):
    """The clock is set back: the time comes twice."""
    store.commit("host", {}, records(0), [], checkpoint(range(1000), value=1.0))
    store.commit("host", {}, records(0), [], checkpoint(range(500, 900), value=2.0))
    store.commit("host", {}, records(0), [], checkpoint(range(895, 905), value=3.0))
    points = store.history("a", 0, 2**62)
    assert points.time.tolist() == [at(tick) for tick in range(1000)]
    assert Counter(points.value.tolist()) == {1.0: 595, 2.0: 395, 3.0: 10}
    assert points.value[[499, 500, 894, 895, 904, 905]].tolist() == [1, 2, 2, 3, 3, 1]


def test_silence_is_not_written(store):
    """A series without anything has no history; gaps within are kept, ends are not."""
    x = np.full((6, 3), np.nan)
    x[[2, 4], 0] = 5.0
    x[1, 1] = np.inf
    time = np.array([at(tick) for tick in range(6)], np.int64)
    one = Block(("a", "b", "c"), time, x, np.full((6, 3), np.nan), x + 1, x - 1, x + 1)
    store.commit("host", {}, records(1), [], Checkpoint({}, [one]))
    points = store.history("a", 0, 2**62)
    assert points.time.tolist() == [at(2), at(3), at(4)]
    np.testing.assert_array_equal(points.value, [5, np.nan, 5])
    assert [s.key for s in store.series()] == ["a"]


def test_the_past_as_a_frame(store):
    """For fitting: values of several series on common times."""
    store.commit("host", {}, records(0), [], checkpoint(range(10), keys=("a",)))
    store.commit("host", {}, records(0), [], checkpoint(range(5, 15), keys=("b",)))
    frame = store.past(["b", "none", "a"], at(3), at(12))
    assert frame.keys == ("b", "none", "a")
    assert frame.time.tolist() == [at(tick) for tick in range(3, 13)]
    nothing = [np.nan] * 2
    np.testing.assert_array_equal(frame.column("value")[:, 0], [*nothing, *range(5, 13)])
    np.testing.assert_array_equal(frame.column("value")[:, 2], [*range(3, 10), *[np.nan] * 3])
    assert np.isnan(frame.column("value")[:, 1]).all()
    many = store.history_many(["a", "b"], 0, 2**62)
    assert [len(many[key]) for key in "ab"] == [10, 10]
    assert len(store.past([], 0, 1).time) == 0


def test_a_key_may_hold_half_a_character(store):
    """Names of disks and processes need not be UTF-8."""
    key = 'disk_used_bytes{path="/mnt/\udce9"}'
    store.commit("host", {}, records(0), [], checkpoint([1], keys=(key,)))
    assert len(store.history(key, 0, 2**62)) == 1
    (listed,) = store.series()
    assert len(store.history(listed.key, 0, 2**62)) == 1


def test_ticks_get_their_turn_while_history_is_pruned(store, monkeypatch):
    done, most, steps = threading.Event(), 2000, []

    def commit():
        store.commit("host", {}, records(1), [], checkpoint([1]))
        done.set()

    def step(db, limit):
        if not steps:
            ticking.start()
        steps.append(limit)
        return Pruned(points=int(not done.is_set() and len(steps) < most))

    ticking = threading.Thread(target=commit)
    monkeypatch.setattr(prune, "old_points", step)
    store.prune(30, 2**30, now=at(1))
    ticking.join()
    assert len(steps) < most


def test_damaged_points_do_not_stop_the_watch(store, caplog):
    """What cannot be added to is dropped with a word; what cannot be read says so."""
    store.commit("host", {}, records(0), [], checkpoint(range(730)))
    with store.write() as db:
        for table in (tables.chunk, tables.tail):
            db.execute(sa.update(table).values(body=b"\x01nonsense"))
    store.commit("host", {}, records(0), [], checkpoint(range(730, 740)))
    assert "the newest points of a are lost" in caplog.text
    assert store.history("a", at(720), at(740)).value.tolist() == list(range(730, 740))
    assert [s.points for s in store.series()] == [730, 730]
    with pytest.raises(StateError, match="chunk of history is damaged"):
        store.history("a", at(0), at(20))


def test_caps(store):
    """First what is too old, then the oldest of what is too much; totals stay true."""
    day = int(DAY / EVERY)
    for d in range(6):
        for key in ("a", "b"):
            ticks = [d * day + tick for tick in range(720)]
            store.commit("host", {}, records(0), [], checkpoint(ticks, keys=(key,)))
    now = at(5 * day + 720)
    assert not store.prune(7, 10**9, now=now)
    gone = store.prune(3, 10**9, now=now)
    assert (gone.chunks, gone.points) == (6, 6 * 720)
    assert {s.first for s in store.series()} == {at(3 * day)}
    kept = sum(s.bytes for s in store.series())
    gone = store.prune(3, kept - 1, now=now)
    assert (gone.chunks, gone.points) == (1, 720)
    assert sum(s.bytes for s in store.series()) == kept - gone.bytes
    assert [s.points for s in store.series()] in ([1440, 2160], [2160, 1440])
    for s in store.series():
        assert len(store.history(s.key, 0, 2**62)) == s.points
    store.prune(3, 0, now=now)
    assert store.series() == []
    store.commit("host", {}, records(0), [], checkpoint(range(3)))
    assert len(store.history("a", 0, 2**62)) == 3


def test_old_incidents_go_with_all_that_was_told_of_them(store):
    for i in range(4):
        one = incident(f"i{i}", seen=START + i * 100 * DAY)
        store.commit("host", {}, records(i), [one, replace(one, revision=2)])
        store.delivered("mail", one.id, 1, one.seen, "delivered", "")
    gone = store.prune(30, 10**9, incident_days=150, now=START + 300 * DAY)
    assert (gone.incidents, gone.deliveries) == (2, 2)
    assert [one.id for one in store.incidents()] == ["i3", "i2"]
    assert store.incident("i0") == [] == store.deliveries("i0")
    assert len(store.untold("mail")[1]) == 4


def test_a_file_that_was_large_becomes_small_again(store):
    noise = np.random.default_rng(5).normal(size=200_000)
    store.commit("host", {}, records(0), [], Checkpoint({"x": {"y": noise}}))
    with store.read() as db:
        before = db.exec_driver_sql("PRAGMA page_count").scalar()
    store.commit("host", {}, records(0), [], Checkpoint({}))
    store.prune(1, 0, now=0)
    with store.read() as db:
        assert db.exec_driver_sql("PRAGMA page_count").scalar() < before / 2


# models


def test_models(store):
    card = {"pipeline": "host", "detector": "forest-1", "trained": 1, "rows": 100}
    one = store.save_model(card, {"m": {"w": np.arange(3.0)}})
    two = store.save_model(card | {"trained": 2}, {"m": {"w": np.arange(4.0)}})
    shadow = store.save_model(card | {"trained": 3}, {"m": {"w": np.arange(5.0)}}, in_use=False)
    other = store.save_model(card | {"detector": "other", "trained": 4}, {})
    assert [m.id for m in store.models()] == [other, shadow, two, one]
    assert [m.id for m in store.models("host", in_use=True)] == [other, two]
    assert store.models("none") == []
    model, state = store.load_model(two)
    assert (model.card["rows"], state["m"]["w"].tolist()) == (100, [0, 1, 2, 3])
    assert store.load_model(other)[1] == {}
    store.promote(one)
    assert [m.id for m in store.models(in_use=True)] == [other, one]
    with pytest.raises(ConfigError, match="is in use; promote another"):
        store.delete_model(one)
    store.delete_model(two)
    for method in (store.load_model, store.promote, store.delete_model):
        with pytest.raises(ConfigError, match=f"there is no model '{two}'"):
            method(two)


def test_what_served_is_kept_in_a_place_that_every_database_takes(store):
    cards = [
        {"pipeline": f"{'p' * 90}{k}", "detector": "isolation_forest-0123456789ab", "trained": 1}
        for k in range(2)
    ]
    ids = [store.save_model(card, {"m": {"w": np.arange(3.0)}}) for card in cards]
    with store.read() as db:
        names = db.exec_driver_sql("SELECT name FROM meta WHERE name LIKE 'served/%'").scalars()
        assert max(map(len, names)) <= 100
    assert [store.served(c["pipeline"], c["detector"]) for c in cards] == [[one] for one in ids]


def test_the_same_model_twice_is_one(store):
    card = {"pipeline": "host", "detector": "forest", "trained": 1}
    assert store.save_model(card, {"m": {"w": np.ones(2)}}) == store.save_model(
        card | {"trained": 5}, {"m": {"w": np.ones(2)}}
    )
    assert [(m.trained, m.in_use) for m in store.models()] == [(5, True)]


def test_models_do_not_pile_up(store):
    card = {"pipeline": "host", "detector": "forest"}
    first = store.save_model(card | {"trained": 0}, {"m": {"w": np.zeros(1)}})
    for i in range(1, 15):
        store.save_model(card | {"trained": i}, {"m": {"w": np.full(1, i)}}, in_use=False)
    kept = store.models()
    assert [m.trained for m in kept] == [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 0]
    assert kept[-1].id == first


def test_a_damaged_model_is_named(store):
    model = store.save_model({"pipeline": "host", "detector": "forest", "trained": 1}, {})
    with store.write() as db:
        db.execute(sa.update(tables.model).values(body=b"\x80pickled"))
    with pytest.raises(StateError, match=f"model {model} of host/forest is damaged; use another"):
        store.load_model(model)


# what is wrong is said in a sentence


def refused(path, error=StateError):
    with pytest.raises(error) as caught:
        Store(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_not_a_database(tmp_path):
    path = tmp_path / "amiss.db"
    path.write_text("listen: 127.0.0.1:8600\n" * 100)
    assert refused(path) == (
        f"{path} is not a database of Amiss; move it away, or start with another --home"
    )


def test_the_database_of_another_program(tmp_path):
    path = tmp_path / "amiss.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.close()
    assert "the database of another program (it has a table 'bookmarks')" in refused(path)


def test_a_damaged_database(tmp_path):
    path = tmp_path / "amiss.db"
    store = Store(path)
    store.commit("host", {}, records(1), [], checkpoint(range(2000)))
    store.close()
    raw = bytearray(path.read_bytes())
    raw[4096:] = os.urandom(len(raw) - 4096)
    path.write_bytes(raw)
    assert f"{path} is damaged; stop Amiss and move the file away" in refused(path)


def test_damage_in_the_middle_is_said_when_it_is_met(tmp_path):
    path = tmp_path / "amiss.db"
    store = Store(path)
    keys = [str(i) for i in range(200)]
    noise = np.random.default_rng(7).normal(size=(720, 200))
    one = Block(tuple(keys), block(range(720)).time, *[noise] * 5)
    store.commit("host", {}, records(1), [], Checkpoint({}, [one]))
    store.close()
    raw = bytearray(path.read_bytes())
    half = len(raw) // 2 // 4096 * 4096
    raw[half : half + 20 * 4096] = b"\xff" * (20 * 4096)
    path.write_bytes(raw)
    store = Store(path)
    with pytest.raises(StateError, match="is damaged; stop Amiss"):
        store.history_many(keys, 0, 2**62)
    assert store.check()
    store.close()


def test_a_newer_schema(tmp_path):
    path = tmp_path / "amiss.db"
    store = Store(path)
    with store.write() as db:
        db.exec_driver_sql(f"UPDATE {tables.VERSIONS} SET version_num = '0999'")
    store.close()
    assert refused(path) == (
        f"{path} was written by a newer Amiss (schema 0999, and this one knows {tables.SCHEMA}); "
        "use that version, or start with another --home"
    )


def test_no_room_for_a_new_one(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "SQLITE", (*database.SQLITE, "PRAGMA max_page_count = 8"))
    sentence = refused(tmp_path / "amiss.db")
    assert sentence.startswith(f"the disk is full: {tmp_path / 'amiss.db'} cannot grow; make room")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    sentence = refused(tmp_path / "file" / "amiss.db")
    assert sentence.startswith(f"the folder {tmp_path / 'file'} cannot be made")


def test_a_folder_in_place_of_the_file(tmp_path):
    assert f"{tmp_path} cannot be opened" in refused(tmp_path)


READ_ONLY = """
import os, sys
from amiss.errors import StateError
from amiss.store import Store
Store(sys.argv[1]).close()  # all that is imported late
if os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere
try:
    Store(sys.argv[2])
except StateError as exc:
    print(exc)
"""


@pytest.mark.parametrize("there", [True, False], ids=["file", "folder"])
def test_read_only(tmp_path, there):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "amiss.db"
        if there:
            Store(path).close()
            path.chmod(0o444)
        Path(folder).chmod(0o555)
        command = [sys.executable, "-c", READ_ONLY, str(tmp_path / "other.db"), str(path)]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        Path(folder).chmod(0o755)
    assert "Traceback" not in said.stderr
    assert said.stdout.startswith(f"{path} cannot be ")
    assert "read-only" in said.stdout
    assert said.stdout.endswith("; mend that, or start with another --home\n")


def test_addresses(tmp_path):
    assert "cannot be shared" in refused("sqlite://", ConfigError)
    assert "not an address of a database" in refused("nonsense://host/amiss", ConfigError)
    store = Store(f"sqlite:///{tmp_path}/amiss.db")
    store.set_meta("x", 1)
    store.close()
    store = Store(str(tmp_path / "amiss.db"))
    assert store.get_meta("x") == 1
    store.close()


class Silent(Exception):
    """What drivers of servers raise."""


def test_what_may_mend_itself_is_tried_again():
    """A server that does not answer, a lock, a full disk: later. A broken query: a bug of ours."""
    silent = sa.exc.OperationalError("select 1", {}, Silent("password=secret"))
    error = explain(silent, "postgresql://amiss:***@db/amiss")
    assert isinstance(error, Unreachable)
    assert str(error) == "postgresql://amiss:***@db/amiss cannot be used just now: Silent"
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorname = "SQLITE_BUSY_SNAPSHOT"
    assert str(explain(busy, "x.db")) == "x.db is locked by another program"
    assert isinstance(explain(busy, "x.db", opening=True), StateError)
    assert explain(sa.exc.ProgrammingError("x", {}, Silent()), "x.db") is None
    assert explain(sqlite3.OperationalError("no such table: x"), "x.db") is None


# migrations


def schema_of(path):
    """What SQLite says that the tables are, but for how the statements are laid out."""
    with sqlite3.connect(path) as db:
        said = db.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    db.close()
    return sorted(
        (*names, " ".join((sql or "").replace("\t", " ").split())) for *names, sql in said
    )


def test_migrations_lead_to_the_tables_that_a_new_file_gets_at_once(store, tmp_path):
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    migrated = sa.create_engine(f"sqlite:///{tmp_path / 'migrated.db'}")
    with migrated.begin() as db:
        upgrade(db)
        options = {"version_table": tables.VERSIONS, "compare_type": True}
        context = MigrationContext.configure(db, opts=options)
        assert compare_metadata(context, tables.metadata) == []
        assert context.get_current_revision() == tables.SCHEMA
    migrated.dispose()
    config = Config()
    config.set_main_option("script_location", "amiss.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == tables.SCHEMA
    Store(tmp_path / "new.db").close()
    assert schema_of(tmp_path / "new.db") == schema_of(tmp_path / "migrated.db")
    store.close()
    Store(tmp_path / "migrated.db").close()


def test_a_new_file_needs_no_alembic(tmp_path):
    """It takes .3 s to import."""
    program = (
        "import sys; from amiss.store import Store; Store(sys.argv[1]).close(); "
        "print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "amiss.db")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
