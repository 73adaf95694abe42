"""One running installation, with its threads: at two hundred times the speed of the clock."""

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amiss import audit, config
from amiss.errors import ConfigError, StateError, Unreachable
from amiss.home import Running, running
from amiss.run import training
from amiss.run.audited import Watched, head, watched
from amiss.run.live import Live
from amiss.run.now import Now
from amiss.run.tending import Tending
from amiss.store import Store
from amiss.world import World
from run.rig import PATIENCE
from servers.machine import MadeMachine
from servers.receivers import Receiver

SPEED = 200.0
LOAD = 'load1{host="made"}'
CONFIG = """
budget: 20000/day
checkpoint: 2m
pipelines:
  - name: made
    source: {type: host, every: 5s, host: made, top: 0}
    features: {type: grid, every: 5s}
    detectors: [{type: level}, {type: surprise}]
    calm: 30s
    silence: 1m
"""
OTHER = """
  - name: other
    source: {type: host, every: 5s, host: else, top: 0}
    features: {type: grid, every: 5s}
    detectors: [{type: level}]
"""


def quick() -> World:
    epoch = time.time_ns()

    def now() -> int:
        return epoch + int(SPEED * (time.time_ns() - epoch))

    machine = MadeMachine(now)
    return World(
        now=now,
        monotonic=now,
        machine=lambda: machine,
        wait=lambda event, seconds: event.wait(seconds / SPEED),
    )


class House:
    """A folder with a configuration, and what runs on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.world = folder, quick()
        self.file = folder / "amiss.yaml"
        self.live: Live | None = None
        self.file.write_text(CONFIG)

    def start(self, world: World | None = None, listen: str | None = None) -> Live:
        self.live = Live(
            config.read(self.file), self.folder / "home", world or self.world, self.file, listen
        )
        self.live.start()
        return self.live

    def write(self, text: str) -> None:
        """At once: who reads the file meanwhile sees the old or the new one, never a half."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.file)

    def until(self, true: Callable[[Now], Any], patience: float = PATIENCE) -> Now:
        assert self.live is not None
        now, last = self.live.now(), time.monotonic() + patience
        while not true(now):
            assert time.monotonic() < last, now
            now = self.live.wait(now.version, 1)
        return now


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the test reads a changed file: what its reload says is of its own reload."""
    monkeypatch.setattr(Tending, "reread", lambda self: None)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    if made.live is not None:
        made.live.stop()


def ticks(now: Now, name: str = "made") -> int:
    return next((p.ticks for p in now.pipelines if p.name == name), 0)


def test_pictures_are_of_one_moment_and_their_number_grows(house) -> None:
    live = house.start()
    versions, moments = [], []
    while len(moments) < 30:
        now = live.wait(versions[-1] if versions else 0, 1)
        if versions and now.version == versions[-1]:
            continue  # there was none in a second
        versions.append(now.version)
        times = {one.time for one in now.series if one.state != "silent"}
        assert len(times) <= 2  # a rate begins a tick later than what is simply read
        if now.series:
            moments.append(max(times))
            assert now.pipelines[0].series == len(now.series)
    assert versions == sorted(set(versions))
    assert moments == sorted(moments)


def test_what_is_done_stands_in_the_audit_trail(house, by_hand) -> None:
    live = house.start()
    house.until(lambda now: ticks(now) > 0)  # its kernels are there
    house.write(CONFIG + OTHER)
    live.reload()
    house.write("pipelines: nonsense")
    with pytest.raises(ConfigError):
        live.reload()
    live.stop()
    trail = house.folder / "home" / audit.FILE
    done = [one for one in audit.entries(trail) if "incident" not in one["what"]]
    assert [(one["who"], one["what"]) for one in done] == [
        ("program", "started"),
        ("program", "configuration loaded"),
        ("program", "configuration refused"),
        ("program", "stopped"),
    ]
    assert [one["said"].get("pipelines") for one in done[:2]] == [["made"], ["made", "other"]]
    with contextlib.closing(Store(house.folder / "home" / "amiss.db")) as store:
        assert not audit.verify(trail, head(store)).broken


def test_a_restart_goes_on_and_history_has_no_gap(house) -> None:
    house.start()
    house.until(lambda now: ticks(now) > 150)
    house.live.stop()
    live = house.start()
    assert live.now().pipelines[0].replayed == 0
    now = house.until(lambda now: ticks(now) > 5)
    one = next(one for one in now.series if one.key == LOAD)
    assert one.seen > 150
    assert one.state == "judged"
    assert now.phase == "watching"
    found = live.history(LOAD, 0, 2**62, 10_000)
    assert len(found) >= one.seen
    live.stop()
    store = Store(house.folder / "home" / "amiss.db")
    stored = store.history(LOAD, 0, 2**62).time.tolist()
    written = next(one.points for one in store.series() if one.key == LOAD)
    store.close()
    assert stored[: len(found)] == found.time.tolist()
    assert written == len(stored)  # each once


def test_history_is_of_memory_and_store_without_gap_or_double(house) -> None:
    live = house.start()
    house.until(lambda now: ticks(now) > 100)  # some checkpoints later
    watch = live.watches[0]
    ring, stored = watch.recent.read(LOAD), live.store.history(LOAD, 0, 2**62)
    assert 0 < len(stored) < len(ring)
    # as if the ring were short
    with watch.recent.lock:
        last = watch.recent._order()[-60:]
        watch.recent.time, watch.recent.cells = watch.recent.time[last], watch.recent.cells[last]
        watch.recent.used = 60
    whole = live.history(LOAD, 0, 2**62, 10**6)
    until_then = whole.time[whole.time <= ring.time[-1]]
    assert until_then.tolist() == sorted({*stored.time.tolist(), *ring.time.tolist()})
    part = live.history(LOAD, int(ring.time[10]), int(ring.time[50]))
    assert part.time.tolist() == ring.time[10:51].tolist()
    assert len(live.history(LOAD, 0, 2**62, 12)) <= 12
    assert not len(live.history("nothing", 0, 2**62))


def test_an_incident_is_told_counted_and_on_the_picture(house) -> None:
    with Receiver() as receiver:
        house.write(CONFIG + f'sinks: {{hook: {{type: webhook, url: "{receiver.url}"}}}}')
        house.start()
        now = house.until(lambda now: now.open)
        assert {m.series for m in now.open[0].members} & {s.key for s in now.series if s.amiss}
        assert now.budget.asked == 20000
        assert now.budget.today == now.budget.week >= 1
        assert np.isfinite(now.budget.bar)
        assert receiver.next().body
        house.until(lambda now: now.sinks[0].delivered)


def test_a_sink_that_hangs_delays_only_itself(house) -> None:
    with Receiver() as deaf, Receiver() as hears:
        deaf.open.clear()
        hooks = [
            f'{n}: {{type: webhook, url: "{r.url}", timeout: 1h}}'
            for n, r in [("a", deaf), ("b", hears)]
        ]
        house.write(CONFIG + f"sinks: {{{', '.join(hooks)}}}")
        live = house.start()
        deaf.next()
        hears.next()
        before = ticks(live.now())
        house.until(lambda now: ticks(now) > before + 20)
        live.stop()
        (waiting,) = [one.thread for one in live.channels if one.name == "a"]
        assert waiting.is_alive(), "it was waited for"
        assert not any(thread.is_alive() for thread, _ in live.threads.values())
        deaf.open.set()


def test_stopping_twice_and_looking_afterwards_does_no_harm(house) -> None:
    live = house.start()
    version = house.until(lambda now: ticks(now) > 3).version
    live.stop()
    live.stop()
    assert live.now().phase == "stopping"
    assert live.wait(version, 5).version > version
    assert not (house.folder / "home" / "running.json").exists()


def test_a_program_that_never_began_can_be_stopped(house) -> None:
    Live(config.read(house.file), house.folder / "home", house.world).stop()


@pytest.mark.usefixtures("by_hand")
def test_a_reload_keeps_what_is_equal_and_renews_what_is_not(house) -> None:
    with Receiver() as receiver:
        sinks = f'\nsinks: {{hook: {{type: webhook, url: "{receiver.url}"}}}}'
        house.write(CONFIG + OTHER + sinks)
        live = house.start()
        house.until(lambda now: ticks(now) > 60 and ticks(now, "other") > 60)
        assert live.reload() == "nothing has changed"
        made, (hook,) = live.watches[0], live.channels
        # the second is changed, the first one's share of the budget is the same
        assert watched(live.store) == Watched(("made", "other"), 20_000.0), "for reports"
        house.write(CONFIG + OTHER.replace("{type: level}", "{type: surprise}") + sinks)
        assert live.reload() == "the new configuration is in use"
        assert live.watches[0] is made
        assert live.channels == (hook,)
        assert hook.thread is not None
        assert hook.thread.is_alive()
        now = house.until(lambda now: 0 < ticks(now, "other") < 60 or ticks(now, "other") > 3)
        assert {one.seen > 60 for one in now.series if one.key.startswith("load1")} == {True}
        # taken out, it stops
        house.write(CONFIG + sinks)
        live.reload()
        now = house.until(lambda now: ticks(now) > 3)
        assert [p.name for p in now.pipelines] == ["made"]
        assert {thread.name for thread, _ in live.threads.values()} == {"made", "(tending)"}
        assert live.channels == (hook,)


def test_incidents_of_a_pipeline_that_was_taken_out_are_resolved(house) -> None:
    house.write(CONFIG + OTHER.replace("name: other", "name: other\n    settle: 100d"))
    house.start()
    house.until(lambda now: any(one.system == 'host="else"' for one in now.open))
    house.write(CONFIG)
    house.live.reload()
    house.until(lambda now: not any(one.system == 'host="else"' for one in now.open))
    found = [one for one in house.live.store.incidents() if one.system == 'host="else"']
    assert found[0].state == "resolved"
    assert "It lasted" in found[0].sentence


def test_a_bad_file_keeps_the_old_one_running_and_is_shown(house) -> None:
    live = house.start()
    house.until(lambda now: ticks(now) > 3)
    before = live.settings
    house.write(CONFIG.replace("budget", "bugdet"))
    now = house.until(lambda now: now.config_error)  # by itself
    assert "bugdet" in now.config_error
    with pytest.raises(ConfigError):
        live.reload()
    house.until(lambda later: ticks(later) > ticks(now) + 3)
    assert live.settings is before
    house.file.unlink()
    house.until(lambda now: "no such file" in now.config_error)
    house.write(CONFIG + "\n")
    house.until(lambda now: not now.config_error)


def test_a_source_that_hangs_is_told_without_its_help(house) -> None:
    """Its thread is inside the poll, so only who looks can say so; and those who wait hear it."""
    machine, answers = house.world.machine(), threading.Event()
    answers.set()

    def slow() -> object:
        assert answers.wait(PATIENCE)
        return machine

    house.start(replace(house.world, machine=slow))
    house.until(lambda now: ticks(now) > 10)
    try:
        answers.clear()
        now = house.until(lambda now: now.pipelines[0].health == "failing")
        assert "no answer since 20" in now.pipelines[0].reason
    finally:
        answers.set()
    house.until(lambda later: later.pipelines[0].health == "good")


@pytest.mark.usefixtures("by_hand")
def test_a_reload_leaves_address_and_token_for_the_next_start(house, caplog, monkeypatch) -> None:
    monkeypatch.setenv("AMISS_TEST_TOKEN", "sixteen characters or more")
    given = "listen: 127.0.0.1:8600\n" + CONFIG
    house.write(given)
    live = house.start(listen="127.0.0.1:9999")  # as on the command line
    assert live.reload() == "nothing has changed"
    house.write(given + "hosts: [localhost]\n")
    assert live.reload() == "the new configuration is in use"
    assert (live.settings.listen, live.settings.hosts) == ("127.0.0.1:9999", ("localhost",))
    assert live.reload() == "nothing has changed"
    assert live.now().config_waits == ""
    assert "next start" not in caplog.text
    house.write("listen: 127.0.0.1:7777\ntoken: env:AMISS_TEST_TOKEN\n" + CONFIG)
    live.reload()
    assert (live.settings.listen, live.settings.token) == ("127.0.0.1:9999", None)
    waits = "listen and token are used from the next start on"
    assert live.now().config_waits == waits
    assert caplog.text.count(waits) == 1
    assert live.reload() == "nothing has changed"
    house.write(given)
    live.reload()
    assert live.now().config_waits == ""


def test_a_reload_while_the_disk_is_full_loses_nothing(house) -> None:
    live = house.start()
    house.until(lambda now: ticks(now) > 10)
    commit = live.store.commit

    def full(*args: object) -> None:
        raise Unreachable("the disk is full")

    live.store.commit = full
    house.until(lambda now: now.pipelines[0].reason == "the disk is full")
    house.write(CONFIG.replace("calm: 30s", "calm: 40s"))
    with contextlib.suppress(Unreachable):
        live.reload()
    house.until(lambda now: "not in use yet: the disk is full" in now.config_error)
    before = live.watches[0]
    live.store.commit = commit
    house.until(lambda now: not now.config_error and now.pipelines[0].health == "good")
    assert live.watches[0] is not before
    stored = live.store.history(LOAD, 0, 2**62).time
    assert set(before.recent.read(LOAD).time) <= set(stored)


def test_many_readers_and_reloads_at_once(house) -> None:
    house.write(CONFIG + OTHER)
    live, stop, faults = house.start(), threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            try:
                live.now()
                live.predict()
                live.history(LOAD, 0, 2**62)
            except Exception as exc:
                faults.append(exc)
                return

    readers = [threading.Thread(target=look) for _ in range(4)]
    for reader in readers:
        reader.start()
    for text in (CONFIG, CONFIG + OTHER) * 3:
        house.write(text)
        with contextlib.suppress(Unreachable):
            live.reload()
    house.until(lambda now: ticks(now) > 3)
    stop.set()
    for reader in readers:
        reader.join(PATIENCE)
    assert not faults


def test_an_incident_log_that_cannot_be_read_leaves_the_last_picture_of_it(house) -> None:
    live = house.start()
    house.until(lambda now: now.open)

    def broken(*args: object, **said: object) -> None:
        raise Unreachable("the disk reports an error")

    live.store.incidents = broken
    # the one that was being painted may have read the log just before
    known = live.now().version
    before = house.until(lambda now: now.version > known)
    assert before.budget.week
    now = house.until(lambda now: now.version > before.version + 1)
    assert [one.id for one in now.open] == [one.id for one in before.open]
    assert now.budget.week == before.budget.week


@pytest.mark.slow
def test_models_are_fitted_by_themselves_and_the_next_value_is_forecast(house) -> None:
    joint = "{type: surprise}, {type: isolation_forest, trees: 10}, {type: linear_regression}"
    house.write(CONFIG.replace("{type: surprise}", joint))
    live = house.start()
    with pytest.raises(ConfigError) as said:
        live.retrain("lstm", 100)
    assert str(said.value) == (
        "model_name: there is no model 'lstm' to train; known: isolation_forest, linear_regression"
    )
    assert live.predict().warming
    now = house.until(lambda now: {m.state for m in now.models} == {"in use"}, 2 * PATIENCE)
    assert {m.samples for m in now.models} <= {100, 720}
    house.until(lambda now: np.isfinite(live.predict().forecast))
    said = live.predict()
    assert not said.warming
    assert said.target == "cpu_percent"
    assert said.forecast == pytest.approx(12, abs=2)
    assert 0 < said.p <= 1
    assert set(said.metrics) >= {"load1", "cpu_percent"}


@pytest.mark.slow
def test_a_model_that_was_asked_for_outlives_restarts_and_reloads(house, monkeypatch) -> None:
    joint = CONFIG.replace("{type: surprise}", "{type: surprise}, {type: linear_regression}")
    house.write(joint)
    with monkeypatch.context() as patch:
        patch.setattr(training, "FIRST", (10_000,))  # none by itself
        live = house.start()
        house.until(lambda now: ticks(now) > 60)
        card = live.retrain("linear_regression", 60)
        live.stop()
    live = house.start()
    house.until(lambda now: now.models[0].id == card.id and ticks(now) > 150)
    house.write(joint.replace("calm: 30s", "calm: 40s"))
    live.reload()
    now = house.until(lambda now: now.models[0].id == card.id and ticks(now) > 150)
    assert (now.models[0].state, now.models[0].samples) == ("in use", 60)
    assert [model.id for model in live.store.models()] == [card.id]


def test_the_history_of_a_series_is_that_of_the_first_pipeline_that_has_it(house) -> None:
    # of other detectors: the same ones differ by no more than when they began
    other = OTHER.replace("host: else", "host: made").replace("{type: level}", "{type: step}")
    house.write(CONFIG + other)
    live = house.start()
    now = house.until(lambda now: ticks(now) > 150 and ticks(now, "other") > 150)
    live.stop()
    store = Store(house.folder / "home" / "amiss.db")
    stored = store.history(LOAD, 0, 2**62)
    store.close()
    rings = [watch.recent.read(LOAD) for watch in live.watches]
    scored = np.intersect1d(rings[0].time, rings[1].time)[-50:]
    kept, made, others = (
        points.score[np.searchsorted(points.time, scored)] for points in (stored, *rings)
    )
    # a tick that came late left a gap, which has no score
    assert np.nanmax(np.abs(made - others)) > 0.1
    assert np.nanmax(np.abs(kept - made)) < 0.01  # it is rounded
    assert now.skipped["not kept twice: history of a series of pipeline made"] > 100


def test_the_rest_is_seen_to_while_a_model_is_fitted(house, monkeypatch) -> None:
    def endless(detector, states, history, stop, **how):
        assert stop.wait(PATIENCE)
        raise StateError("fitting was given up")

    monkeypatch.setattr(training, "fit_apart", endless)
    house.write(CONFIG.replace("{type: surprise}", "{type: surprise}, {type: linear_regression}"))
    live = house.start()
    house.until(lambda now: now.models[0].state == "training")
    house.write(CONFIG.replace("budget", "bugdet"))
    house.until(lambda now: "bugdet" in now.config_error)
    assert live.now().models[0].state == "training"
    live.stop()
    assert not live.tending.fitting.is_alive()


def test_a_damaged_database_is_one_sentence_at_the_start(house) -> None:
    house.start()
    house.until(lambda now: ticks(now) > 3)
    house.live.stop()
    path = house.folder / "home" / "amiss.db"
    path.write_bytes(b"SQLite format 3\0" + b"\7" * 4000)
    with pytest.raises(StateError) as said:
        Live(config.read(house.file), house.folder / "home", house.world)
    assert str(path) in str(said.value)
    assert "\n" not in str(said.value)
    path.unlink()
    house.start()  # the folder was let go of


def test_damaged_memory_is_learned_anew_and_its_incidents_end(house) -> None:
    house.start()
    house.until(lambda now: now.open)
    live = house.live
    for thread, event in live.threads.values():  # as a kill would
        event.set()
        thread.join()
    with sqlite3.connect(house.folder / "home" / "amiss.db") as db:
        db.execute("UPDATE journal SET body = x'00'")
        db.execute("UPDATE snapshot SET body = x'00'")
    db.close()
    before = live.store.incidents(state="open")
    live.store.close()
    live.claim.close()
    live = house.start()
    now = house.until(lambda now: ticks(now) > 5)
    assert any("learned anew" in reason for reason in now.skipped)
    for one in before:
        house.until(lambda now, of=one.id: live.store.incident(of)[-1].state == "resolved")


def test_a_world_that_is_not_there_at_first(house) -> None:
    away = threading.Event()

    def machine() -> Any:
        if not away.is_set():
            raise Unreachable("sensors: no answer")
        return house.world.machine()

    live = house.start(replace(house.world, machine=machine))
    now = house.until(lambda now: now.pipelines[0].health == "failing")
    assert now.phase == "starting"
    assert now.reason.startswith("sensors: no answer; tried again in")
    assert live.predict().time == 0
    away.set()
    house.until(lambda now: ticks(now) > 0)


def test_a_start_on_a_full_disk_is_one_sentence(house) -> None:
    live = Live(config.read(house.file), house.folder / "home", house.world)
    path = house.folder / "home" / "running.json"
    path.symlink_to("/dev/full")
    with pytest.raises(StateError, match=f"^{path} cannot be written: No space left on device; "):
        live.start()
    live.stop()


def test_what_a_killed_program_left_is_not_taken_for_a_running_one(house) -> None:
    home = house.folder / "home"
    home.mkdir()
    (home / "running.json").write_text(f'{{"address": "127.0.0.1:1", "pid": {os.getpid()}}}')
    live = Live(config.read(house.file), home, house.world)
    assert running(home) is None  # until it says itself where it is
    live.start()
    assert running(home) == Running(live.settings.listen, os.getpid())
    live.stop()
    assert running(home) is None


def test_the_first_start_is_remembered(house) -> None:
    first = house.start().now().first
    house.live.stop()
    assert house.start().now().first == first
    assert isinstance(house.live.store, Store)
