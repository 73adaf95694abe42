"""From records to incidents: what is kept, what is left out, and what is refused."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from amiss import memory
from amiss.data import DAY, HOUR, MINUTE, SECOND, Records, series_key
from amiss.pipeline import Pipeline
from amiss.steps.judge import States, name_of
from made import START, Chance

NOW = START * SECOND // HOUR * HOUR
STACK: list[dict[str, Any]] = [{"type": "level"}, {"type": "step"}, {"type": "surprise"}]


def pipeline(**said: Any) -> Pipeline:
    return Pipeline.model_validate(
        {
            "name": "test",
            "source": {"type": "host"},
            "features": {"type": "grid", "every": "1m"},
            "detectors": STACK,
        }
        | said
    )


def records(time: int, values: dict[str, float], host: str = "a") -> Records:
    n = len(values)
    return Records(
        np.full(n, time),
        np.array(list(values), "U20"),
        np.array(list(values.values()), float),
        {"host": np.full(n, host)},
        watermark=time,
    )


class TestSettings:
    def test_defaults_make_sense(self) -> None:
        found = pipeline()
        assert (found.budget, found.calm, found.silence) == (5.0, 2 * MINUTE, HOUR)
        assert (found.settle, found.forget, found.by) == (6 * HOUR, 14 * DAY, ("host",))

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ({"name": "Big Name"}, "name"),
            ({"detectors": []}, "at least 1"),
            ({"detectors": [{"type": "level"}, {"type": "level"}]}, "'level' stands there twice"),
            ({"detectors": [{"type": "levle"}]}, "does not match any of the expected tags"),
            ({"budget": "5/fortnight"}, "is not a rate"),
            ({"silence": "an hour"}, "is not a span of time"),
            ({"max_series": 0}, "greater than 0"),
            ({"settle": "0s"}, "greater than 0"),
            ({"forget": "0s"}, "greater than 0"),
            ({"calm": -5}, "greater than or equal to 0"),
            ({"colour": "red"}, "not permitted"),
        ],
    )
    def test_a_mistake_is_said_in_words(self, said: dict[str, Any], why: str) -> None:
        with pytest.raises(ValidationError, match=why):
            pipeline(**said)

    def test_the_same_type_twice_with_other_settings_is_no_mistake(self) -> None:
        twice = [{"type": "drift"}, {"type": "drift", "span": 144}]
        assert len(pipeline(detectors=twice).detectors) == 2


def test_an_outcome_tells_what_was_judged() -> None:
    p = pipeline()
    states = p.init()
    for i in range(5):
        states, outcome = p.step(states, records(NOW + i * MINUTE, {"x": 1.0 + i, "y": 5.0}))
    assert outcome.frame.keys == ('x{host="a"}', 'y{host="a"}')
    assert outcome.frame.time.tolist() == [NOW + 4 * MINUTE]
    assert outcome.frame.values[:, :, 0].tolist() == [[5.0, 5.0]]
    assert outcome.scores.values.shape == (1, 2)
    assert outcome.scores.expected is not None
    assert outcome.scores.expected.shape == (1, 2, 1)
    assert outcome.seen.tolist() == [5, 5]
    assert (outcome.joint, outcome.incidents, outcome.skipped) == ({}, (), {})


def test_nothing_new_is_an_outcome_too() -> None:
    p = pipeline()
    states, outcome = p.step(p.init(), records(NOW, {"x": 1.0}))
    nothing = records(NOW, {})
    states, outcome = p.step(states, nothing)
    assert len(outcome.frame.time) == 0
    assert outcome.frame.keys == ('x{host="a"}',)
    assert outcome.scores.values.shape == (0, 1)


def test_what_is_left_out_is_counted_with_a_reason() -> None:
    p = pipeline(max_series=2)
    states, _ = p.step(p.init(), records(NOW, {"x": 1.0, "y": 2.0}))
    late = records(NOW - MINUTE, {"x": 1.0})
    bad = {"x": np.nan, "y": np.inf, "z": 1.0, "u": 1e300}
    states, outcome = p.step(states, records(NOW + MINUTE, bad))
    assert outcome.skipped == {"not a number": 3, "over the cap of series": 1}
    states, outcome = p.step(states, Records(late.time, late.name, late.value, late.labels))
    assert outcome.skipped == {"late": 1}
    sensor = Records(late.time[:0], late.name[:0], late.value[:0], skipped={"sensor failed": 2})
    _, outcome = p.step(states, sensor)
    assert outcome.skipped == {"sensor failed": 2}


def test_a_lower_cap_drops_nothing_that_was_learned() -> None:
    states, _ = pipeline().step(pipeline().init(), records(NOW, dict.fromkeys("abcdef", 1.0)))
    later = records(NOW + MINUTE, dict.fromkeys("abcdefg", 1.0))
    states, outcome = pipeline(max_series=4).step(states, later)
    assert outcome.skipped == {"over the cap of series": 1}
    assert states["expect"]["count"].tolist() == [2] * 6


def test_systems_that_are_others_now_share_no_joint_memory() -> None:
    """With other labels in `by` the rows of a joint detector are no longer the same systems."""
    regression = [{"type": "linear_regression", "targets": ["y"]}]
    p, q = (pipeline(detectors=STACK + regression, by=by) for by in (("host",), ()))
    states = p.init()
    for i, host in enumerate("abc"):
        states, _ = p.step(states, records(NOW + i * MINUTE, {"y": 1.0}, host))
    states, _ = q.step(states, records(NOW + 3 * MINUTE, {"y": 1.0}, "a"))
    assert len(states[name_of(q.detectors[-1])]["past"]) == 1
    assert states["expect"]["count"].tolist() == [2, 1, 1]


def test_a_clock_that_is_far_ahead_is_counted() -> None:
    p, states = pipeline(), pipeline().init()
    for i in range(50):
        now = NOW + i * MINUTE
        two = records(now, {"x": 1.0, "y": 1.0})
        time = two.time + np.array([0, 400 * DAY])
        two = Records(time, two.name, two.value, two.labels, watermark=now)
        states, outcome = p.step(states, two)
        assert outcome.skipped == {"from the future": 1}
        assert outcome.frame.keys == ('x{host="a"}',)
    assert len(states["features"]["time"]) <= 1


def test_a_series_that_was_never_a_number_takes_no_row() -> None:
    p = pipeline()
    states, outcome = p.step(p.init(), records(NOW, {"x": np.nan, "y": 1.0}))
    assert outcome.frame.keys == ('y{host="a"}',)
    assert states["series"]["keys"].tolist() == ['y{host="a"}']


def test_memory_of_whole_systems_stays_with_them() -> None:
    """When the first series of a host is forgotten, hosts change places: each keeps its past."""
    p = pipeline(detectors=[{"type": "linear_regression", "targets": ["y"]}], forget="2h")
    name = name_of(p.detectors[0])
    states = p.init()
    for i in range(200):
        time = NOW + i * MINUTE
        # x is the only thing that made host a the first
        rows = [("x", 1.0, "a")] * (i < 20) + [("y", 100.0 + i, "b")]
        rows += [("y", 5.0 + i / 100, "a")] * (i >= 10)
        name_, value, host = (np.array(column) for column in zip(*rows, strict=True))
        n = len(rows)
        batch = Records(np.full(n, time), name_, value, {"host": host}, watermark=time)
        states, _ = p.step(states, batch)
        past = dict(zip(systems(states), states[name]["past"][:, 0, -1].tolist(), strict=True))
        assert past['host="b"'] == 100.0 + i
        if i >= 10:
            assert past['host="a"'] == pytest.approx(5.0 + i / 100)
    assert systems(states) == ['host="b"', 'host="a"']


def systems(states: States) -> list[str]:
    """As they stand in the rows of joint detectors."""
    keys = states["series"]["keys"].tolist()
    return list(dict.fromkeys(key[key.index("{") + 1 : -1] for key in keys))


def test_ten_thousand_names_that_come_and_go_leave_nothing_behind() -> None:
    """Pods that live for twenty minutes, fifty new ones a minute: dropped, capped, counted."""
    p = pipeline(forget="30m", max_series=2000, by=["pod"], detectors=STACK[1:])
    states, life, sizes, refused = p.init(), 20, [], 0
    born = np.arange(10_000) // 50
    for begin in range(0, 200 + life, 10):
        minute = np.arange(begin, begin + 10)
        t, pod = np.nonzero((born <= minute[:, None]) & (minute[:, None] < born + life))
        batch = Records(
            NOW + (begin + t) * MINUTE,
            np.full(len(t), "load"),
            Chance(begin).normal(len(t)),
            {"pod": pod.astype(str)},
            watermark=NOW + (begin + 9) * MINUTE,
        )
        states, outcome = p.step(states, batch)
        refused += outcome.skipped.get("over the cap of series", 0)
        assert len(states["series"]["keys"]) <= 2000
        sizes.append(len(memory.dump(states)))
    assert states["series"]["keys"][-1] > 'load{pod="9'
    assert refused > 0
    assert max(sizes[12:]) <= max(sizes[:12])
    assert max(sizes) < 2000 * 2100


class TestContext:
    """What a source says beside the numbers is kept until it says anew."""

    def step(self, states: States, time: int, *said: tuple[str, str]) -> States:
        n = len(said) + 1
        batch = Records(
            np.full(n, time),
            np.array(["x", *("top_cpu" for _ in said)]),
            np.full(n, 1.0),
            {"host": np.array(["a", *(host for host, _ in said)])},
            np.array(["", *(text for _, text in said)]),
            time,
        )
        return pipeline().step(states, batch)[0]

    def kept(self, states: States) -> list[str]:
        return states["context"]["said"].tolist()

    def test_the_newest_of_each_system(self) -> None:
        states = self.step(pipeline().init(), NOW, ("a", "one"), ("a", "two"), ("b", "three"))
        states = self.step(states, NOW + MINUTE, ("a", "four"))
        states = self.step(states, NOW + 2 * MINUTE)
        assert self.kept(states) == ["three 1 %", "four 1 %"]

    def test_is_bounded_in_length_and_number(self) -> None:
        states = pipeline().init()
        for i in range(30):
            said = [(f"h{i}-{j}", "x" * 5000) for j in range(100)]
            states = self.step(states, NOW + i * MINUTE, *said)
        assert len(self.kept(states)) == 2000
        assert max(map(len, self.kept(states))) < 220


def test_keys_are_as_prometheus_writes_them() -> None:
    assert series_key("x", {"b": "1", "a": 'say "hi"\n', "c": ""}) == 'x{a="say \\"hi\\"\\n",b="1"}'


def test_a_zone_is_one_that_there_is() -> None:
    said = {"name": "a", "source": {"type": "host"}, "features": {"type": "grid", "every": "5s"}}
    said |= {"detectors": [{"type": "level"}]}
    assert Pipeline.model_validate(said | {"zone": "Europe/Berlin"}).zone == "Europe/Berlin"
    with pytest.raises(ValueError, match="there is no time zone 'Berlin'; write one such as"):
        Pipeline.model_validate(said | {"zone": "Berlin"})
