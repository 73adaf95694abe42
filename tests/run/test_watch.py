"""A watch goes on: after a kill, without its source, without its store, after a fault."""

import logging
import sqlite3
import threading
from dataclasses import replace

import numpy as np
import orjson
import pytest

from amiss.component import Cursor
from amiss.data import AHEAD, DAY, HOUR, MINUTE, SECOND, Records
from amiss.errors import ConfigError, Rejected, StateError, Unreachable
from amiss.features.each import Each
from amiss.run import commits, watch
from amiss.run.resume import LOST
from amiss.run.watch import close, resume, run_watch, tick
from amiss.run.watched import MOST_REASONS, count
from amiss.steps.judge import States
from amiss.store import Store
from amiss.words.message import as_json
from run.rig import EVERY, HARM, START, Feed, Rig, pipeline
from servers.incidents import ended, incident

KEY = 'load{host="made"}'
TICKS = 300


def same(a: States, b: States) -> bool:
    return a.keys() == b.keys() and all(
        a[name].keys() == b[name].keys()
        and all(np.array_equal(a[name][c], b[name][c]) or
                (a[name][c].dtype.kind == "f"
                 and np.array_equal(a[name][c], b[name][c], equal_nan=True)) for c in a[name])
        for name in a
    )  # fmt: skip


def revisions(store: Store) -> list[tuple[str, int, str]]:
    found = [r for one in store.incidents(limit=1000) for r in store.incident(one.id)]
    return [(one.id, one.revision, one.state) for one in found]


def uninterrupted(tmp_path, ticks: int, joint: bool = False) -> Rig:
    other = tmp_path / "other"
    other.mkdir()
    rig = Rig(other, pipeline=pipeline(joint=joint))
    rig.start()
    rig.run(ticks)
    return rig


def test_a_restart_at_any_tick_goes_on_as_if_there_had_been_none(rig, tmp_path) -> None:
    whole = uninterrupted(tmp_path, TICKS)
    done = 0
    for ticks in (1, 35, 1, 90, 36, 100, 37):
        rig.start()
        assert rig.watch.progress.replayed == len(rig.store.load("made").journal)
        rig.run(ticks)
        done += ticks
    assert done == TICKS
    assert same(rig.watch.states, whole.watch.states)
    assert revisions(rig.store) == revisions(whole.store)
    assert len(revisions(rig.store)) >= 2
    assert rig.news
    for one in (rig, whole):
        close(one.watch)
    mine, other = (one.store.history(KEY, 0, 2**62) for one in (rig, whole))
    assert mine.time.tolist() == other.time.tolist() == (START + EVERY * np.arange(TICKS)).tolist()
    assert np.array_equal(mine.value, other.value)
    assert np.array_equal(mine.score, other.score, equal_nan=True)
    whole.close()


def test_a_start_after_a_stop_has_nothing_to_replay(rig) -> None:
    rig.start()
    rig.run(10)
    close(rig.watch)
    before = rig.watch.states
    rig.start()
    assert rig.watch.progress.replayed == 0
    assert same(rig.watch.states, before)


def test_a_source_that_does_not_answer_is_asked_less_often_and_says_why(rig, caplog) -> None:
    def away(time, found):
        raise Unreachable("sensors: no answer", after=after[0])

    after, waits, polled, stop = [None], [], [], threading.Event()

    def wait(event: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        reasons.append(rig.watch.progress.reason)
        if len(waits) == 9:
            rig.numbers.say = lambda time, found: found
        if len(waits) == 10:
            event.set()
        rig.clock.time += int(seconds * SECOND)
        polled.append(rig.clock.time)
        return event.is_set()

    reasons: list[str] = []
    rig.start()
    rig.numbers.say = away
    rig.watch.world = replace(rig.watch.world, wait=wait)
    with caplog.at_level(logging.INFO):
        run_watch(rig.watch, stop, rig.told)
    assert waits[:3] == [5, 10, 20]
    assert max(waits) == 300
    assert not any(time % EVERY for time in polled)
    assert reasons[0] == "sensors: no answer; tried again in 5 s"
    assert (rig.watch.progress.failures, rig.watch.progress.health) == (9, "good")
    assert reasons[-1] == ""
    assert [r.getMessage() for r in caplog.records] == [
        "pipeline made: sensors: no answer", "pipeline made: works again"
    ]  # fmt: skip


@pytest.mark.parametrize("error", [Rejected("it answered 401"), ConfigError("no such table")])
def test_a_source_that_says_no_is_no_fault_of_ours(rig, caplog, error) -> None:
    waits, reasons, stop = [], [], threading.Event()

    def no(time, found):
        raise error

    def wait(event: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        reasons.append(rig.watch.progress.reason)
        if len(waits) == 3:
            event.set()
        rig.clock.time += int(seconds * SECOND)
        return event.is_set()

    rig.start()
    rig.numbers.say = no
    rig.watch.world = replace(rig.watch.world, wait=wait)
    run_watch(rig.watch, stop, rig.told)
    assert waits == [5, 10, 20]
    assert reasons[0] == f"{error}; tried again in 5 s"
    assert [r.getMessage() for r in caplog.records] == [f"pipeline made: {error}"]
    assert not rig.watch.skipped


def test_a_fault_in_the_step_is_counted_and_the_watch_goes_on(rig, tmp_path, caplog) -> None:
    harm, stop = range(40, 45), threading.Event()
    ticks, seen = 0, []

    def say(time, found):
        return found | ({"load": HARM} if (time - START) // EVERY in harm else {})

    def wait(event: threading.Event, seconds: float) -> bool:
        nonlocal ticks
        ticks += 1
        seen.append(rig.watch.progress)
        rig.clock.tick()
        if ticks == 80:
            event.set()
        return event.is_set()

    rig.start()
    rig.numbers.say = say
    rig.watch.world = replace(rig.watch.world, wait=wait)
    run_watch(rig.watch, stop, rig.told)
    assert rig.watch.skipped["a fault in the step"] == len(harm)
    assert seen[42].health == "failing"
    assert seen[42].reason == ("fault in the step: ZeroDivisionError; its records were left out")
    assert seen[-1].health == "good"
    assert len([r for r in caplog.records if r.levelno >= logging.ERROR]) == 1
    # memory, charts and history have all other ticks, once
    close(rig.watch)
    wanted = [START + EVERY * t for t in range(80) if t not in harm]
    assert rig.store.history(KEY, 0, 2**62).time.tolist() == wanted
    assert rig.watch.recent.read(KEY).time.tolist() == wanted
    keys = rig.watch.states["series"]["keys"].tolist()
    assert rig.watch.states["expect"]["count"][keys.index(KEY)] == len(wanted)


def test_a_fault_in_the_source_leaves_the_memory_alone(rig, monkeypatch) -> None:
    rig.start()
    rig.run(5)
    before, stop = rig.watch.states, threading.Event()

    def fault(time, found):
        stop.set()
        raise KeyError("driver")

    rig.numbers.say = fault
    run_watch(rig.watch, stop, rig.told)
    assert rig.watch.skipped == {"a fault in the source": 1}
    assert rig.watch.progress.reason.startswith("fault in the source: KeyError; tried again")
    assert rig.watch.states is before


def test_ticks_wait_for_a_full_disk_and_are_committed_in_order(rig, tmp_path) -> None:
    whole = uninterrupted(tmp_path, TICKS)
    rig.start()
    commit, taken = rig.store.commit, []

    def full(*args):
        raise Unreachable("the disk is full")

    def counted(name, cursor, *rest):
        taken.append(cursor["time"])
        commit(name, cursor, *rest)

    rig.run(10)
    rig.store.commit = full
    rig.run(5)
    assert rig.watch.progress.health == "failing"
    assert rig.watch.progress.reason == "the disk is full"
    assert len(rig.watch.waiting) == 5
    rig.store.commit = counted
    rig.run(1)
    assert rig.watch.progress.health == "good"
    assert taken == [START + EVERY * t for t in range(10, 16)]
    # for hours: checkpoints take the place of what waits before them
    rig.store.commit = full
    rig.run(230)
    assert len(rig.watch.waiting) <= 3 * 60 // 5 + 1
    assert len([one for one in rig.watch.waiting if one.checkpoint]) == 1
    news = rig.news
    rig.store.commit = commit
    rig.run(TICKS - 246)
    assert rig.news > news
    assert revisions(rig.store) == revisions(whole.store)
    assert same(rig.watch.states, whole.watch.states)
    close(rig.watch)
    found = rig.store.history(KEY, 0, 2**62)
    assert found.time.tolist() == [START + EVERY * t for t in range(TICKS)]
    rig.start()
    assert same(rig.watch.states, whole.watch.states)
    whole.close()


def test_a_fault_while_the_disk_is_full_loses_no_tick_but_its_own(rig) -> None:
    rig.start()
    rig.run(50)
    commit, stop = rig.store.commit, threading.Event()

    def full(*args):
        raise Unreachable("the disk is full")

    def harm(time, found):
        stop.set()
        return found | {"load": HARM}

    rig.store.commit = full
    rig.run(50)
    rig.numbers.say = harm
    run_watch(rig.watch, stop, rig.told)
    rig.numbers.say = lambda time, found: found
    rig.clock.tick()
    run_twice = threading.Event()
    rig.watch.world = replace(rig.watch.world, wait=lambda event, s: run_twice.set())
    run_watch(rig.watch, run_twice, rig.told)
    rig.store.commit = commit
    rig.clock.tick()
    rig.run(1)
    close(rig.watch)
    wanted = [START + EVERY * t for t in range(103) if t != 100]
    assert rig.store.history(KEY, 0, 2**62).time.tolist() == wanted
    keys = rig.watch.states["series"]["keys"].tolist()
    assert rig.watch.states["expect"]["count"][keys.index(KEY)] == len(wanted)


def test_history_that_waits_too_long_is_dropped_the_oldest_first_and_counted(
    rig, monkeypatch
) -> None:
    monkeypatch.setattr(commits, "MOST_BYTES", 50 * 3 * 5 * 8)
    rig.start()

    def full(*args):
        raise Unreachable("the disk is full")

    commit, rig.store.commit = rig.store.commit, full
    rig.run(200)
    rig.store.commit = commit
    rig.run(1)
    close(rig.watch)
    lost = rig.watch.skipped["history that the store did not take in time"]
    assert rig.store.history(KEY, 0, 2**62).time.tolist() == [
        START + EVERY * t for t in range(lost, 201)
    ]
    assert 100 < lost < 200


def test_many_series_make_a_checkpoint_early(rig, monkeypatch) -> None:
    monkeypatch.setattr(watch, "MOST_PENDING", 4 * 3 * 5 * 8)
    rig.start()
    rig.run(20)
    assert len(rig.watch.pending) < 6
    assert len(rig.store.load("made").journal) < 6


@pytest.mark.parametrize("damage", ["snapshot", "journal", "misfit"])
def test_memory_that_is_damaged_is_learned_anew_and_nothing_else_is_lost(
    rig, caplog, damage
) -> None:
    rig.start()
    rig.run(300)
    told, history = revisions(rig.store), rig.store.history(KEY, 0, 2**62)
    assert told and len(history)
    if damage == "misfit":
        close(rig.watch)
        del rig.watch.states["expect"]["count"]
        close(rig.watch)
        history = rig.store.history(KEY, 0, 2**62)
    else:
        rig.store.close()
        with sqlite3.connect(rig.folder / "amiss.db") as db:
            db.execute(f"UPDATE {damage} SET body = substr(body, 1, length(body) / 2)")
        db.close()
    rig.start()
    assert rig.watch.skipped == {LOST: 1}
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(said) == 1
    assert "history, incidents and models are still there" in said[0]
    rig.run(60)
    assert rig.watch.progress.health == "good"
    assert set(told) <= set(revisions(rig.store))
    assert set(history.time) <= set(rig.store.history(KEY, 0, 2**62).time)
    rig.start()
    assert not rig.watch.skipped
    assert int(rig.watch.states["expect"]["count"][0]) == 60


@pytest.mark.parametrize("fault", [MemoryError(), OSError(24, "Too many open files")])
def test_memory_that_cannot_be_read_just_now_is_read_later(rig, monkeypatch, fault) -> None:
    rig.start()
    rig.run(40)
    states = rig.watch.states
    step, steps = type(rig.pipeline).step, []

    def short(self, *said):
        steps.append(1)
        if len(steps) == 3:  # in the middle of the replay
            raise fault
        return step(self, *said)

    monkeypatch.setattr(type(rig.pipeline), "step", short)
    with pytest.raises(Unreachable, match=f"cannot be read just now: {type(fault).__name__}$"):
        rig.start()
    resume(rig.watch)
    assert not rig.watch.skipped
    assert same(rig.watch.states, states)
    found = rig.watch.recent.read(KEY).time.tolist()
    assert found == sorted(set(found)) != []
    rig.run(1)
    close(rig.watch)
    assert rig.store.history(KEY, 0, 2**62).time.tolist() == [START + EVERY * t for t in range(41)]


def test_a_first_batch_that_breaks_the_step_is_not_read_again(rig) -> None:
    rig.start()
    rig.run(20)
    close(rig.watch)
    rig.start()
    at, stop, waits = rig.clock.time, threading.Event(), []

    def poll(cursor, now):  # a source that gives a batch again until it has gone on from it
        found = {"load": HARM if cursor.get("time", 0) < at else 1.0}
        records = Records(
            np.array([now]), np.array(list(found)), np.array([*found.values()]),
            {"host": np.array(["made"])}, watermark=now,
        )  # fmt: skip
        return {"time": now}, records

    def wait(event: threading.Event, seconds: float) -> bool:
        waits.append(rig.watch.progress.health)
        rig.clock.tick()
        if len(waits) == 3:
            event.set()
        return event.is_set()

    rig.numbers.poll = poll
    rig.watch.world = replace(rig.watch.world, wait=wait)
    run_watch(rig.watch, stop, rig.told)
    assert waits == ["failing", "good", "good"]


def test_a_store_that_is_damaged_as_a_whole_stops_the_start(rig, monkeypatch) -> None:
    def damaged(*args):
        raise StateError("amiss.db is damaged; stop Amiss and move the file away")

    monkeypatch.setattr(Store, "load", damaged)
    monkeypatch.setattr(Store, "forget", damaged)
    with pytest.raises(StateError, match=r"^amiss.db is damaged"):
        rig.start()


def test_a_store_that_is_silent_at_the_start_is_asked_again(rig, monkeypatch) -> None:
    rig.start()
    rig.run(20)
    load, stop = Store.load, threading.Event()

    def silent(*args):
        raise Unreachable("amiss.db is locked by another program")

    def wait(event: threading.Event, seconds: float) -> bool:
        if rig.watch.ready:
            event.set()
        monkeypatch.setattr(Store, "load", load)
        return event.is_set()

    monkeypatch.setattr(Store, "load", silent)
    with pytest.raises(Unreachable):
        rig.start()
    rig.watch.world = replace(rig.watch.world, wait=wait)
    run_watch(rig.watch, stop, rig.told)
    keys = rig.watch.states["series"]["keys"].tolist()
    assert rig.watch.states["expect"]["count"][keys.index(KEY)] == 21


def test_a_clock_that_is_set_back_an_hour(rig) -> None:
    rig.start()
    rig.run(100)
    rig.clock.time -= HOUR
    rig.run(100)
    assert rig.watch.progress.health == "good"
    assert rig.watch.seen.outcome.frame.time[-1] == rig.clock.time - EVERY
    assert rig.watch.progress.lag < 10
    rig.start()
    rig.run(1)
    close(rig.watch)
    time = rig.store.history(KEY, 0, 2**62).time
    assert len(time) == 201
    written = next(one.points for one in rig.store.series() if one.key == KEY)
    assert written == 201


def test_sensors_that_measure_no_number(rig) -> None:
    def say(time, found):
        turn = (time - START) // EVERY
        return {name: [np.nan, np.inf, -np.inf, 1e300][turn % 4] for name in found}

    rig.numbers.say = say
    rig.start()
    rig.run(8)
    assert rig.watch.progress.health == "good"
    assert rig.watch.skipped["not a number"] == 24
    rig.numbers.say = lambda time, found: found | {"load": np.inf}
    rig.run(20)
    close(rig.watch)
    assert len(rig.store.history('cpu_percent{host="made"}', 0, 2**62)) == 20
    assert not len(rig.store.history(KEY, 0, 2**62))


def test_a_name_that_is_no_utf8_harms_nothing_when_it_is_amiss(rig) -> None:
    poll = rig.numbers.poll

    def odd(cursor, now):
        cursor, records = poll(cursor, now)
        n = len(records)
        said = {"mount": np.full(n, "/media/\udce9t"), "host": np.full(n, "w\udce9b")}
        text = np.array(["", "", "caf\udce9"][:n], str)
        return cursor, replace(records, labels=said, text=text)

    rig.numbers.poll = odd
    rig.start()
    rig.run(TICKS)
    opened = rig.store.incidents()
    assert opened
    assert 'mount="/media/\\\\udce9t"' in opened[0].members[0].series
    assert rig.watch.states["context"]["said"][-1].startswith(r"caf\udce9")
    for one in opened:
        orjson.dumps(as_json(one))
    assert not rig.watch.skipped


def test_a_tick_without_news_is_none(rig) -> None:
    rig.start()
    rig.run(1)
    version = rig.watch.progress.version
    rig.clock.time -= SECOND
    rig.numbers.polled = 0
    tick(rig.watch, rig.told)
    assert rig.numbers.polled == 1
    assert rig.watch.progress.version == version


class Logins:
    """One a tick, and nothing is promised of those to come; two of them are from the future."""

    def poll(self, cursor: Cursor, now: int) -> tuple[Cursor, Records]:
        time = [now]
        if now in {START + 10 * EVERY, START + 100 * EVERY}:
            time = [now + 20_000 * DAY, now, now + AHEAD + 1]
        n = len(time)
        who = np.array(["ann", "bob"] * n)[:n]
        return {"time": now}, Records(np.array(time), np.full(n, "login"), np.full(n, np.nan),
                                      {"user": who}, np.full(n, "came in"))  # fmt: skip


def test_records_from_the_future_do_not_take_time_with_them(rig) -> None:
    rig.pipeline, rig.numbers = pipeline().model_copy(update={"features": Each()}), Logins()
    for ticks, ahead in ((50, 2), (75, 2), (75, 0)):
        rig.start()
        rig.run(ticks)
        assert rig.watch.skipped == ({"from the future": ahead} if ahead else {})
        assert rig.watch.progress.records == ticks + ahead
    newest = START + 199 * EVERY
    assert rig.watch.states["features"]["newest"].tolist() == [newest]
    assert rig.watch.states["pace"]["seen"].tolist() == [200]
    assert rig.watch.progress.lag < MINUTE / SECOND


class Learning(Feed):
    """A past until a time."""

    until: int = 0

    def learned_until(self, cursor: Cursor) -> int:
        return self.until


def test_of_the_past_that_is_learned_from_only_what_lasts_is_told(rig, tmp_path) -> None:
    whole = uninterrupted(tmp_path, TICKS)
    incidents = [whole.store.incident(one.id) for one in whole.store.incidents(limit=1000)]
    spans = {(each[0].seen, each[-1].until) for each in incidents if each[-1].until}
    begin, end = min(spans)
    border = (begin + end) // 2
    source = Learning(every=EVERY, until=border)
    rig.pipeline = pipeline().model_copy(update={"source": source})
    rig.start()
    rig.run(TICKS)
    told = [rig.store.incident(one.id) for one in rig.store.incidents(limit=1000)]
    known = {each[-1].id for each in incidents if each[-1].until is None or each[-1].until > border}
    assert {each[-1].id for each in told} == known
    assert {each[-1] for each in told} == {each[-1] for each in incidents if each[-1].id in known}


def test_after_the_past_a_single_record_is_told_of_though_no_tick_is_complete(rig) -> None:
    source = Learning(every=EVERY, until=START + EVERY)
    rig.pipeline = pipeline().model_copy(update={"source": source})
    rig.start()
    rig.run(3)
    whole = rig.watch.seen.outcome
    one = ended(incident("a1"))
    said = replace(whole, frame=whole.frame[:0], incidents=(one,))
    past = watch._of_now(rig.watch, said, START)
    assert not past.incidents and past.skipped[watch.PAST] == 1
    assert watch._of_now(rig.watch, said, START + 2 * EVERY).incidents == (one,)


def test_what_was_over_in_the_past_is_counted(rig, tmp_path) -> None:
    whole = uninterrupted(tmp_path, TICKS)
    over = sum(one.state == "resolved" for one in whole.store.incidents(limit=1000))
    source = Learning(every=EVERY, until=START + TICKS * EVERY)
    rig.pipeline = pipeline().model_copy(update={"source": source})
    rig.start()
    rig.run(TICKS)
    assert not rig.store.incidents(limit=1000)
    assert over and rig.watch.skipped[watch.PAST] == over


def test_reasons_in_words_of_others_are_so_many_at_most(rig) -> None:
    rig.start()
    for n in range(300):
        count(rig.watch, {f"a warning at {n}": 1, "a known one": 2})
    assert len(rig.watch.skipped) == MOST_REASONS + 1
    assert rig.watch.skipped["a known one"] == 600
    assert sum(rig.watch.skipped.values()) == 900
