"""What `amiss benchmark` says is what was measured."""

import orjson

from amiss.evaluate import speed
from cli.calls import amiss


def test_what_is_measured() -> None:
    found = speed.measure(3, rounds=1, points=4000)
    assert (found.series, found.ticks_per_call) == (3, speed.BATCH // 3)
    assert found.points_per_second > 1000
    assert 1500 <= found.bytes_per_series <= 2100


def test_the_command_says_it(monkeypatch) -> None:
    monkeypatch.setattr(speed, "ROUNDS", 1)
    monkeypatch.setattr(speed.measure, "__defaults__", (1, 2000))
    lines = amiss("benchmark", "speed", "--series", "1", "--series", "5", "--json").out.split("\n")
    said = [orjson.loads(line) for line in lines if line]
    assert [one["series"] for one in said] == [1, 5]
    assert all(one["points_per_second"] > 0 and one["bytes_per_series"] > 0 for one in said)
    table = amiss("benchmark", "speed", "--series", "5").out
    assert "points/s" in table
