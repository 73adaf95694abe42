"""Trainings that were asked for on the page."""

import threading
from pathlib import Path

import pytest

from amiss.web.dashboard import training
from dashboard.fake import FakeLive


@pytest.fixture
def live(tmp_path: Path):
    found = FakeLive(tmp_path, "quiet")
    yield found
    found.store.close()


def ended() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("train "):
            thread.join(30)


def test_asking_does_not_wait_and_asking_again_is_the_same_training(live: FakeLive) -> None:
    live.gate.clear()
    run = training.begin(live, "host", "isolation_forest", 500)
    assert not run.said
    assert training.begin(live, "host", "isolation_forest", 800) is run
    assert training.last(live, "host", "isolation_forest") is run
    assert training.last(live, "host", "linear_regression") is None
    live.gate.set()
    ended()
    assert run.good
    assert run.said.startswith("Trained on 500 samples")
    assert training.begin(live, "host", "isolation_forest", 800) is not run
    ended()


def test_a_fault_is_told_and_does_not_leave_it_running_for_ever(
    live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults: list[object] = []
    monkeypatch.setattr(threading, "excepthook", faults.append)

    def broken(*_: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(live, "retrain", broken)
    run = training.begin(live, "host", "isolation_forest", 500)
    ended()
    assert not run.good
    assert "ended in a fault" in run.said
    assert run.ended
    assert len(faults) == 1
