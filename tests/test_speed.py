"""What `amiss benchmark` says is what was measured."""

import orjson

from amiss.evaluate import speed
from cli.calls import amiss


def test_what_is_measured() -> None:
    found = speed.measure(3, rounds=1, points=4000)
    assert (found.series, found.ticks_per_call) == (3, speed.BATCH // 3)
    assert found.points_per_second > 1000
    assert 1500 <= found.bytes_per_series <= 1750


def test_as_many_ticks_and_threads_as_are_asked_for() -> None:
    found = speed.measure(40_000, ticks=1, threads=2, rounds=1, points=1)
    assert (found.series, found.ticks_per_call, found.threads) == (40_000, 1, 2)
    assert found.points_per_second > 1000


def test_a_row_by_itself() -> None:
    assert speed.row_by_row(rounds=1, rows=200) > 0


def test_the_command_says_it(monkeypatch) -> None:
    monkeypatch.setattr(speed, "ROUNDS", 1)
    monkeypatch.setattr(speed.measure, "__defaults__", (None, 1, 1, 2000))
    monkeypatch.setattr(speed.row_by_row, "__defaults__", (1, 100))
    lines = amiss("benchmark", "speed", "--series", "1", "--series", "5", "--json").out.split("\n")
    *said, row = [orjson.loads(line) for line in lines if line]
    assert [one["series"] for one in said] == [1, 5]
    assert all(one["points_per_second"] > 0 and one["bytes_per_series"] > 0 for one in said)
    assert row["microseconds_per_row"] > 0
    table = amiss("benchmark", "speed", "--series", "5", "--ticks", "3", "--ticks", "4").out
    assert "points/s" in table
    assert [line.split()[1] for line in table.splitlines()[1:3]] == ["3", "4"]
    assert "us a row" in table
