"""The live line, and what is told of incidents while it is shown."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.live import Live as Block

from amiss.cli.status import News, announce, status
from amiss.run.now import PipelineNow
from servers.incidents import ended, incident
from web.fake import STARTING, WATCHING, FakeLive

ADDRESS = "http://127.0.0.1:8600"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[FakeLive]:
    made = FakeLive(tmp_path)
    yield made
    made.close()


def test_how_it_is_in_one_line() -> None:
    good = replace(WATCHING, sinks=())
    assert status(good, ADDRESS) == (
        f"watching 3 series, 1 warming up, 0 amiss, budget 2 of 5 today, {ADDRESS}"
    )
    silent = tuple(replace(one, state="silent") for one in good.series[:2])
    assert status(replace(good, series=silent, open=(incident(),)), ADDRESS) == (
        f"watching 2 series, 2 silent, 1 amiss, budget 2 of 5 today, {ADDRESS}"
    )


def test_and_why_it_is_not_otherwise() -> None:
    assert status(STARTING, ADDRESS).splitlines()[1:] == ["Waiting for the first samples"]
    broken: Any = replace(
        WATCHING,
        pipelines=(PipelineNow("host", "host", "failing", "no answer; tried again in 8 s",
                               5.0, 5.0, 0, 0, 3, 0.0, 0.0, 0.0, 0, 0, 0),),
        config_error="amiss.yaml:3: budget: must be above 0",
    )  # fmt: skip
    assert status(broken, ADDRESS).splitlines()[1:] == [
        "pipeline host fails: no answer; tried again in 8 s",
        "sink chat fails: HTTP 500; tried again in 32 s",
        "the old configuration is kept: amiss.yaml:3: budget: must be above 0",
    ]


def test_each_incident_is_told_when_it_opens_changes_and_ends(live: FakeLive) -> None:
    news, first = News(), incident()
    worse = replace(first, revision=2, severity="high")
    over = ended(worse)
    live.commit(first, worse, over)
    told = []
    for open in ((), (first,), (first,), (worse,), (), ()):
        told.append(
            [(what, one.revision) for what, one in news.take(replace(WATCHING, open=open), live)]
        )
    assert told == [[], [("opened", 1)], [], [("changed", 2)], [("resolved", 3)], []]


def test_on_a_terminal_it_stands_above_the_line() -> None:
    out = io.StringIO()
    announce("opened", incident(), Block(console=Console(file=out, width=200)))
    assert "opened (medium): web-3: disk write, sda at 310 MB/s" in out.getvalue()


def test_elsewhere_it_is_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "amiss"):
        announce("resolved", ended(incident()), None)
    [record] = caplog.records
    assert record.getMessage() == "incident resolved"
    assert (record.incident, record.severity) == ("a1", "medium")  # type: ignore[attr-defined]
    assert record.reason.startswith("web-3: disk write")  # type: ignore[attr-defined]
