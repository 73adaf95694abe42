"""The laws of a pipeline hold with rules, silence, standing still and peers in it."""

from typing import Any

import pytest

from amiss.memory import dump, load
from amiss.pipeline import Pipeline
from laws.test_pipeline import TICKS, cut, incidents, merged, run, same_states, ticks

SOURCES: list[dict[str, Any]] = [
    {"type": "host", "every": "1m"},
    {
        "type": "file",
        "path": "x",
        "every": "1m",
        "values": ["x"],
    },  # ticks in which nothing came are ticks
]


def pipeline(source: dict[str, Any]) -> Pipeline:
    detectors = [
        {"type": "level"},
        {"type": "rule", "metric": "cpu_percent", "of": "mean", "over": "10m", "above": 60},
        {"type": "rule", "metric": "load1", "divided_by": "cpu_percent", "above": 1.4},
        {"type": "rule", "metric": "cpu_percent", "absent": "5m", "severity": "low"},
        {"type": "stuck"},
        {"type": "absent"},
        {"type": "peers", "among": ["host", "mount"], "metric": "*"},
    ]
    said = {"features": {"type": "grid", "every": "1m"}, "detectors": detectors}
    return Pipeline.model_validate(
        {"name": "apart", "source": source, "budget": "50/day", "forget": "2h", **said}
    )


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source["type"])
def test_split_and_restart(source: dict[str, Any]) -> None:
    """However the ticks come in batches, and wherever it is stopped and begun again."""
    one = pipeline(source)
    live, each = run(ticks(), one, one.init())
    found = incidents(each)
    assert any("above 60" in text for text in found)
    assert any("has been silent for" in text for text in found)
    assert any("absent for" in text for text in found)
    for at in ([], [3, 199, 260, 391], range(0, TICKS, 37)):
        states, outcomes = run(cut(at), one, one.init())
        assert incidents(outcomes) == found
        same_states(states, live)
    states, before = run([merged(ticks()[:333])], one, one.init())
    states, after = run([merged(ticks()[333:])], one, load(dump(states)))
    assert incidents(before) + incidents(after) == found
    same_states(states, live)
