"""Rules about fields of single records: the mean status of a server's requests."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from amiss.data import HOUR, MINUTE, SECOND, Incident, Records
from amiss.memory import dump, load
from amiss.pipeline import Pipeline
from made import Chance
from test_rule import MONDAY

ERRORS = {
    "type": "rule",
    "name": "Too many errors",
    "metric": "status",
    "of": "mean",
    "over": "5m",
    "above": 400,
    "severity": "high",
}


def requests() -> Records:
    """Two servers, a request of each in ten seconds; from the second hour on one of them fails."""
    n = 1440
    host = np.tile(["web-1", "web-2"], n // 2)
    time = MONDAY + 5 * SECOND * np.arange(n)
    status = np.where(Chance(1).uniform(n) < 0.05, "404", "200")
    status[(host == "web-2") & (time >= MONDAY + HOUR) & (time < MONDAY + HOUR + 20 * MINUTE)] = (
        "503"
    )
    return Records(
        time,
        np.full(n, "request"),
        np.full(n, np.nan),
        {"status": status, "host": host, "client": np.full(n, "10.0.0.7")},
        text=np.full(n, "GET /"),
    )


def run(*cuts: int, **said: Any) -> list[Incident]:
    pipeline = Pipeline.model_validate(
        {
            "name": "web",
            "source": {"type": "host"},
            "features": {"type": "each", "subject": ["client"]},
            "detectors": [ERRORS | said],
        }
    )
    states, told, whole = pipeline.init(), list[Incident](), requests()
    edges = [0, *cuts, len(whole)]
    for a, b in pairwise(edges):
        states, outcome = pipeline.step(load(dump(states)), whole[a:b])
        told += outcome.incidents
    return told


def test_mean_status_above_400_is_told_of_the_server_that_fails() -> None:
    opened, over = run()
    assert opened.system == 'host="web-2"'
    assert opened.severity == "high"
    assert opened.members[0].series == 'status{host="web-2"}'
    assert MONDAY + HOUR < opened.since < MONDAY + HOUR + 5 * MINUTE
    assert "web-2: status at 40" in opened.sentence
    assert ', mean over 5 minutes, above 400 (rule "Too many errors") since ' in opened.sentence
    assert over.state == "resolved"


@pytest.mark.parametrize("cuts", [(70, 800, 801), (1, 2, 3, 900), tuple(range(100, 1400, 100))])
def test_batches_and_restarts_change_nothing(cuts: tuple[int, ...]) -> None:
    assert [repr(i) for i in run(*cuts)] == [repr(i) for i in run()]


def test_fields_and_systems_are_chosen() -> None:
    assert not run(where={"host": "web-1"})
    assert not run(metric="bytes")
    assert run(where={"host": "web-*"})


def test_what_comes_an_hour_after_a_field_broke_a_rule_is_another_incident() -> None:
    """In a log of a request an hour; what is strange is told of its record."""
    n = 200
    detectors = [
        {"type": "rule", "name": "Fails", "metric": "status", "above": 499},
        {"type": "patterns", "find": ["path-traversal"]},
    ]
    pipeline = Pipeline.model_validate(
        {
            "name": "web",
            "source": {"type": "host"},
            "features": {"type": "each", "subject": ["client"]},
            "detectors": detectors,
        }
    )
    status, text = np.full(n, "200"), np.full(n, "GET /items/1234567890")
    status[[150, 151]], text[[150, 152]] = "503", ("GET /broken", "GET /../../etc/passwd")
    client = np.array([f"10.0.0.{k % 9}" for k in range(n)])
    records = Records(
        MONDAY + HOUR * np.arange(n), np.full(n, "request"), np.full(n, np.nan),
        {"status": status, "host": np.full(n, "web-1"), "client": client}, text=text,
    )  # fmt: skip
    _, outcome = pipeline.step(pipeline.init(), records)
    first, second = list({one.id: one for one in outcome.incidents}.values())
    assert [m.series for m in first.members] == ['status{host="web-1"}']  # both times: one thing
    assert first.evidence == ("GET /broken", "GET /items/1234567890")
    assert first.sentence.endswith(" It lasted 60 minutes.")
    assert (first.state, first.until) == ("resolved", MONDAY + 151 * HOUR + 2 * MINUTE)
    assert second.since == MONDAY + 152 * HOUR
    assert "/etc/passwd" in second.sentence
