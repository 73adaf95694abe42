"""Scores are written where an export says: all that was committed, once, in order."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from amiss.data import SECOND
from amiss.errors import Rejected, Unreachable
from amiss.exports import RemoteWrite
from amiss.formats.remote_write import Row, decode
from amiss.run import export, tell
from amiss.run.export import Exporting, write
from amiss.run.listen import listen
from amiss.settings import Settings, default
from amiss.store import Store
from amiss.world import World
from run.rig import EVERY, PATIENCE, START, Rig
from servers.receivers import Receiver

LOAD = 'load{host="made"}'


def channel(rig: Rig, url: str, **settings) -> Exporting:
    to = RemoteWrite.model_validate({"url": url} | settings)
    world = World(now=rig.clock.now)
    return Exporting("grafana", to, rig.store, world, watches=lambda: (rig.watch,))


def drained(one: Exporting) -> None:
    while write(one):
        pass


def samples(receiver: Receiver, metric: str = "amiss_score", series: str = "load"):
    """Of one series, in the order in which they came: times and values."""
    found = []
    for request in receiver.all():
        said = decode(request.body)
        mine = (said.name == metric) & (said.labels["series"] == series)
        rows = mine[said.series]
        found += zip(said.time[rows].tolist(), said.value[rows].tolist(), strict=True)
    return found


def judged(rig: Rig, after: int):
    points = rig.watch.recent.read(LOAD)
    there = (points.time > after) & np.isfinite(points.score)
    return list(zip(points.time[there].tolist(), points.score[there].tolist(), strict=True))


def test_what_was_judged_is_written_with_the_names_of_metrics(rig: Rig) -> None:
    with Receiver() as receiver:
        rig.start()
        one = channel(rig, receiver.url, labels={"cluster": "north"})
        drained(one)  # it begins with the present
        rig.run(60)
        drained(one)
        (request,) = receiver.all()
        assert request.headers["content-type"] == "application/x-protobuf"
        assert request.headers["x-prometheus-remote-write-version"] == "0.1.0"
        said = decode(request.body)
    assert set(said.name) == {"amiss_score", "amiss_expected", "amiss_lower", "amiss_upper"}
    assert set(said.labels["series"]) == {"load", "cpu_percent", "processes"}
    assert set(said.labels["pipeline"]) == {"made"} and set(said.labels["host"]) == {"made"}
    assert set(said.labels["cluster"]) == {"north"}
    assert said.time.min() > START and np.isfinite(said.value).all()
    assert one.status.delivered == 1 and one.status.last_error is None


def test_a_receiver_that_says_nothing_of_version_2_has_not_taken_it(rig: Rig) -> None:
    with Receiver() as receiver:
        rig.start()
        one = channel(rig, receiver.url, version=2)
        drained(one)
        rig.run(20)
        drained(one)
        assert (one.status.delivered, one.status.refused) == (0, 1)
        assert one.status.last_error is not None and "set version: 1" in one.status.last_error
        receiver.headers = {"X-Prometheus-Remote-Write-Samples-Written": "1"}
        receiver.all()
        rig.run(20)
        drained(one)
        assert (one.status.delivered, one.status.refused) == (1, 1)
        (request,) = receiver.all()
        assert set(decode(request.body, 2).name) >= {"amiss_score", "amiss_expected"}


def test_each_tick_comes_once_over_restarts_and_requests_of_any_size(rig: Rig) -> None:
    with Receiver() as receiver:
        rig.start()
        drained(channel(rig, receiver.url))
        start, expected = rig.clock.time, dict[int, float]()
        for ticks, most in ((50, 10_000), (70, 7), (1, 1), (90, 100)):
            rig.run(ticks)
            drained(channel(rig, receiver.url, most=most))
            expected |= dict(judged(rig, start))
            rig.start()  # as after a kill
        assert samples(receiver) == list(expected.items())


def test_a_receiver_that_was_away_gets_what_it_missed(rig: Rig) -> None:
    """Longer than memory goes back: the rest is read from the history, whose scores are rounded."""
    with Receiver() as receiver:
        rig.start()
        one = channel(rig, receiver.url)
        drained(one)
        rig.run(40)
        receiver.status = 503
        with pytest.raises(Unreachable):
            drained(one)
        assert len(receiver.all()) == 1
        rig.run(1200)
        receiver.status = 200
        drained(one)
        found = dict(samples(receiver))
    points = rig.store.history(LOAD, START, rig.clock.time)
    stored = points.time[np.isfinite(points.score)].tolist()
    kept = dict(judged(rig, 0))
    assert sorted(found) == sorted({*stored, *kept} - {START})
    assert all(found[t] == kept[t] for t in kept)
    assert min(found) < START + 100 * EVERY


def test_what_was_not_committed_is_not_written(rig: Rig) -> None:
    with Receiver() as receiver:
        rig.start()
        one = channel(rig, receiver.url)
        drained(one)
        rig.run(40)
        commit, rig.store.commit = rig.store.commit, _full  # type: ignore[method-assign]
        rig.run(1)
        drained(one)
        assert not receiver.all()
        rig.store.commit = commit  # type: ignore[method-assign]
        rig.run(1)
        drained(one)
        assert len(samples(receiver)) == len(judged(rig, START))


def _full(*said: object) -> None:
    raise Unreachable("the disk is full")


def test_what_is_refused_is_counted_and_passed_by(rig: Rig) -> None:
    with Receiver(status=400, answer=lambda request: b"out of bounds") as receiver:
        rig.start()
        one = channel(rig, receiver.url)
        drained(one)
        rig.run(40)
        drained(one)
        assert one.status.refused == 1
        assert one.status.last_error == "127.0.0.1 answered 400: out of bounds"
        receiver.all()
        receiver.status = 200
        rig.run(1)
        drained(one)
        assert [t for t, _ in samples(receiver)] == [rig.clock.time - EVERY]


def test_settings_that_are_wrong_are_waited_for(rig: Rig) -> None:
    with Receiver(status=401) as receiver:
        rig.start()
        one = channel(rig, receiver.url)
        drained(one)
        rig.run(40)
        with pytest.raises(Rejected, match="answered 401: the token or password is missing"):
            drained(one)
        assert one.status.refused == 0
        receiver.all()
        receiver.status = 200
        drained(one)
        assert len(samples(receiver)) == len(judged(rig, START))


def test_of_many_series_less_of_the_history_is_read_at_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that was away gets the same, whatever there is room for."""
    monkeypatch.setattr(export, "CELLS", 3 * 5 * 50)  # 50 ticks of three series
    with Receiver() as receiver:
        rig.start()
        one = channel(rig, receiver.url)
        drained(one)
        rig.run(900)
        read, wide = rig.store.history_many, []

        def noted(keys, start, end):
            wide.append((end - start) // EVERY)
            return read(keys, start, end)

        monkeypatch.setattr(rig.store, "history_many", noted)
        drained(one)
        found = [t for t, _ in samples(receiver)]
    assert len(wide) > 2 and max(wide) <= 50
    points = rig.store.history(LOAD, START, rig.clock.time)
    stored = points.time[np.isfinite(points.score)].tolist()
    assert found == sorted({*stored, *dict(judged(rig, 0))} - {START})


class Faulty(RemoteWrite):
    """Breaks, and says a secret."""

    def write(self, rows: Sequence[Row], world: World) -> None:
        raise ZeroDivisionError("sesame")


def test_a_fault_does_not_end_it_unheard(rig: Rig) -> None:
    rig.start()
    waits = list[float]()

    def wait(event: threading.Event, seconds: float) -> bool:
        waits.append(seconds)
        rig.run(40) if len(waits) == 1 else None
        if len(waits) == 3:
            event.set()
        return event.is_set()

    world = World(now=rig.clock.now, wait=wait)
    said = Faulty.model_validate({"url": "http://127.0.0.1:9"})
    one = Exporting("grafana", said, rig.store, world, watches=lambda: (rig.watch,))
    one.run()
    assert waits[1:] == [1.0, 2.0] and one.status.retried == 2
    assert (one.status.last_error or "").startswith("fault in the export: ZeroDivisionError at ")
    assert "sesame" not in (one.status.last_error or "")


def test_it_runs_beside_the_sinks_until_it_is_taken_out(tmp_path: Path, rig: Rig) -> None:
    with Receiver() as receiver:
        rig.start()
        kept = {name: getattr(default(), name) for name in Settings.model_fields}
        said = kept | {"exports": {"grafana": {"url": receiver.url, "every": "1s"}}}
        store = Store(tmp_path / "amiss.db")
        rig.clock.time += 60 * SECOND
        world = World(now=rig.clock.now)
        watches = lambda: (rig.watch,)  # noqa: E731
        store.set_meta("export grafana", {"made": START})
        rig.run(40)
        running = listen((), Settings.model_validate(said), store, world, watches)
        assert b"" != receiver.next().body
        same = listen(running, Settings.model_validate(said), store, world, watches)
        assert same[0] is running[0]
        assert listen(same, Settings.model_validate(kept), store, world, watches) == ()
        tell.stop(running, PATIENCE)
        assert not running[0].thread.is_alive()  # type: ignore[union-attr]
        store.close()


def test_a_name_is_of_one_alone() -> None:
    kept = {name: getattr(default(), name) for name in Settings.model_fields}
    sinks = {"a": {"type": "stdout"}}
    with pytest.raises(ValidationError, match="a sink and an export are both called 'a'"):
        Settings.model_validate(kept | {"sinks": sinks, "exports": {"a": {"url": "http://b/w"}}})
