"""LOG_LEVEL=DEBUG: why something was found, and why not."""

import logging
from pathlib import Path

import pytest

from amiss.run import watch
from amiss.run.decided import verdict
from run.rig import Rig

LOAD = 'load{host="made"}'


def test_each_step_says_what_was_found_and_why_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(tmp_path)
    rig.start()
    with caplog.at_level(logging.DEBUG, "amiss.run.watch"):
        rig.run(4)
        early = caplog.text
        rig.run(300)
    assert "still learning: " in early and "of 96 samples" in early
    assert "below the bar of" in caplog.text and "no incident" in caplog.text
    assert "above the bar of" in caplog.text and "in the open incident" in caplog.text
    assert ", open (" in caplog.text
    rig.close()


def test_without_it_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "amiss.run.watch"):
        rig = Rig(tmp_path)
        rig.start()
        rig.run(5)
        rig.close()
    assert "nats" not in caplog.text


def test_what_a_score_comes_to() -> None:
    assert "opens an incident, unless" in verdict(9.0, 6.0, False)
    assert "in the open incident" in verdict(9.0, 6.0, True)
    assert "near enough to join" in verdict(4.5, 6.0, True)
    assert "usual enough" in verdict(4.5, 6.0, False)
    assert "usual enough" in verdict(3.9, 5.0, True), "below what anybody is told of"


def test_what_cannot_be_said_costs_no_records(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "decisions", lambda *_: 1 / 0)
    rig = Rig(tmp_path)
    rig.start()
    with caplog.at_level(logging.DEBUG, "amiss.run.watch"):
        rig.run(4)
    assert rig.watch.ready and not rig.watch.skipped and len(rig.watch.recent.read(LOAD)) == 4
    assert "cannot be said" in caplog.text
    rig.close()
