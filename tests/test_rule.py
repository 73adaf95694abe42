"""What a person wrote is told whenever it holds, in their words, at their severity."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss import config
from amiss.data import MINUTE, SECOND, Floats, Frame, Incident, Records
from amiss.decide.budget import charged
from amiss.detecting.chosen import chosen, pattern
from amiss.detectors.rule import Rule
from amiss.errors import ConfigError
from amiss.memory import dump, load
from amiss.pipeline import Pipeline
from amiss.words.message import telling
from made import Chance

MONDAY = 1_772_409_600 * SECOND
VIEWS: list[dict[str, Any]] = [{"type": "level"}, {"type": "step"}, {"type": "surprise"}]


def rule(**said: Any) -> Rule:
    return Rule.model_validate({"metric": "x", **said})


def scored(one: Rule, value: Floats, divisor: Floats | None = None) -> list[float]:
    """Whether it holds at each minute."""
    planes = [value, np.full(len(value), 60.0), value if divisor is None else divisor]
    time = MONDAY + MINUTE * np.arange(len(value))
    frame = Frame(time, ("x",), one.needs, np.stack(planes, axis=1)[:, None, :])
    return one.step(one.init(1, 3), frame)[1].values[:, 0].tolist()


def naive(
    value: Floats, divisor: Floats | None, of: str, minutes: int, per: int, above: float, lasts: int
) -> Iterator[float]:
    """One series, minute by minute, as one would say it."""
    seen: list[tuple[int, float, float]] = []
    before, first, since = None, None, None
    for t, sample in enumerate(value):
        x, y = float(sample), 1.0 if divisor is None else float(divisor[t])
        if np.isnan(x) or np.isnan(y):
            yield np.nan
            continue
        if per:
            last, before = before, (t, x)
            if last is None:
                yield np.nan
                continue
            x = (x - last[1]) / (t - last[0]) * per
        if minutes:
            first = t if first is None else first
            seen.append((t, x, y))
            xs = [a for at, a, _ in seen if at > t - minutes]
            ys = [b for at, _, b in seen if at > t - minutes]
            made = {"mean": np.mean, "sum": np.sum, "max": max, "min": min, "count": len}[of]
            x = sum(xs) if divisor is not None else float(made(xs))
            y = sum(ys)
            if t - first < minutes - minutes / 60:
                yield np.nan
                continue
        if divisor is not None:
            if y == 0:
                yield np.nan
                continue
            x /= y
        since = (t if since is None else since) if x > above else None
        yield float(since is not None and t - since >= lasts)


@given(
    st.integers(0, 2**32),
    st.sampled_from(["mean", "max", "min", "sum", "count"]),
    st.sampled_from([0, 1, 5, 60]),
    st.sampled_from([0, 10]),
    st.booleans(),
    st.sampled_from([0, 3]),
)
def test_says_what_a_naive_version_says(
    seed: int, of: str, minutes: int, per: int, shared: bool, lasts: int
) -> None:
    chance = Chance(seed)
    value, other = np.round(chance.normal(150) * 4), np.round(chance.normal(150) * 2)
    value[chance.uniform(150) < 0.2] = np.nan
    said: dict[str, Any] = {"above": 0.25, "for": f"{lasts}m"}
    if minutes:
        said |= {"of": of, "over": f"{minutes}m"}
    shared = shared and not per and of in ("mean", "sum")
    if shared:
        said["divided_by"] = "y"
    elif per:
        said["per"] = f"{per}m"
    divisor = other if shared else None
    wanted = list(naive(value, divisor, of, minutes, per, 0.25, lasts))
    np.testing.assert_array_equal(scored(rule(**said), value, divisor), wanted)


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ({"above": 2, "below": 4}, [0, 1, 0]),
        ({"outside": [2, 4]}, [1, 0, 1]),
        ({"below": 3}, [1, 0, 0]),
        ({"above": 4.5}, [0, 0, 1]),
    ],
)
def test_a_bound_is_not_beyond_itself(said: dict[str, Any], values: list[float]) -> None:
    assert scored(rule(**said), np.array([1.0, 3.0, 5.0])) == values
    assert scored(rule(above=3), np.array([3.0])) == [0.0]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "needs something to compare with: above, below, outside or absent"),
        ({"above": 1, "outside": [1, 2]}, "only one of above and below, outside, absent"),
        ({"above": 9, "below": 1}, r"nothing is above 9 and below 1; write outside: \[1, 9\]"),
        ({"outside": [9, 1]}, "the smaller one first"),
        ({"above": 1, "of": "mean"}, "a mean needs a window: write over: 5m"),
        ({"above": 1, "over": "5m"}, "write of: mean, max, min, sum or count"),
        ({"above": 1, "divided_by": "y", "of": "max", "over": "5m"}, "divided_by goes with"),
        ({"above": 1, "divided_by": "y", "per": "1m"}, "divided_by goes with"),
        ({"absent": "5m", "per": "1m"}, "absent is about no value"),
        ({"absent": "2d"}, "absent: must be at most 1d"),
        ({"above": 1, "severity": "urgent"}, "unknown word 'urgent'"),
        ({"above": 1, "fro": "5m"}, "unknown setting; did you mean 'for'"),
        ({"above": 1, "for": 5}, "for: a span of time needs its unit: write 5s"),
        ({"above": "much"}, "above: a number is expected here"),
    ],
)
def test_a_wrong_setting_is_said_in_a_sentence(said: dict[str, Any], why: str) -> None:
    text = "pipelines: [{name: a, source: {type: host}, features: {type: grid}, detectors: [%s]}]"
    one = str({"type": "rule", "metric": "x", **said})
    with pytest.raises(ConfigError, match=why) as error:
        config.parse(text % one, "amiss.yaml")
    assert "\n" not in str(error.value)


def test_is_written_as_it_is_read() -> None:
    one = rule(above=1, **{"for": "2m"})
    said = one.model_dump(mode="json")
    assert said["for"] == "2m"
    assert Rule.model_validate(said) == one


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"above": 400, "of": "mean", "over": "5m"}, "mean of x over 5 minutes above 400"),
        ({"below": 3, "per": "1m", "for": "10m"}, "change of x in 60 s below 3 for 10 minutes"),
        ({"above": 0.1, "divided_by": "y"}, "x by y above 0.1"),
        ({"outside": [10, 80]}, "x outside 10 to 80"),
        ({"above": 1, "below": 2}, "x between 1 and 2"),
        ({"absent": "5m"}, "x absent for 5 minutes"),
    ],
)
def test_without_a_name_it_is_called_what_it_says(said: dict[str, Any], words: str) -> None:
    assert rule(**said).rule == (words, "medium")


def test_series_are_chosen_by_name_and_labels() -> None:
    keys = ('disk_percent{mount="/"}', 'disk_percent{mount="/var/log"}', "cpu_percent", "disk")
    assert chosen("disk_percent", {}, keys) == (0, 1)
    assert chosen("disk*", {"mount": "/var*"}, keys) == (1,)
    assert chosen("*", {}, keys) == (0, 1, 2, 3)
    assert chosen("*_percent", {"mount": ""}, keys) == (2,)
    assert chosen("d*k", {}, keys) == (3,)
    assert not pattern("a.c").fullmatch("abc")
    assert not pattern("*a" * 40 + "b").fullmatch("a" * 5000)  # at once


class Site:
    """A pipeline and a minute after the other."""

    def __init__(self, *rules: dict[str, Any], views: bool = False, **said: Any) -> None:
        detectors = [{"type": "rule", **one} for one in rules] + (VIEWS if views else [])
        whole = {
            "name": "t",
            "source": {"type": "host", "every": "1m"},
            "features": {"type": "grid", "every": "1m"},
            "detectors": detectors,
        }
        self.pipeline = Pipeline.model_validate(whole | said)
        self.states, self.now = self.pipeline.init(), MONDAY
        self.told: list[Incident] = []

    def minute(self, **values: float) -> list[Incident]:
        self.now += MINUTE
        n = len(values)
        records = Records(
            np.full(n, self.now),
            np.array(list(values), "U20"),
            np.array(list(values.values()), float),
            {"host": np.full(n, "web-1")},
            watermark=self.now,
        )
        self.states = load(dump(self.states))  # a restart at each minute changes nothing
        self.states, outcome = self.pipeline.step(self.states, records)
        self.told += outcome.incidents
        return list(outcome.incidents)

    def minutes(self, count: int, **values: float) -> list[Incident]:
        return [i for _ in range(count) for i in self.minute(**values)]


ERRORS = {"name": "Too many errors", "metric": "status", "of": "mean", "over": "5m", "above": 400}


def test_mean_status_above_400() -> None:
    """The example of every log anomaly detector: told at once, however young all is."""
    site = Site(ERRORS | {"for": "1m", "severity": "high"})
    assert not site.minutes(10, status=200.0)
    assert not site.minutes(4, status=500.0)  # the mean is 440 at the fourth
    [opened] = site.minutes(1, status=500.0)
    assert opened.sentence == (
        'web-1: status at 500, mean over 5 minutes, above 400 for 60 s (rule "Too many errors") '
        "since 00:15 UTC on 2 March."
    )
    assert (opened.severity, opened.members[0].rules) == ("high", ("Too many errors",))
    assert np.isnan(opened.rarity)
    [over] = site.minutes(10, status=200.0)
    assert (over.state, over.severity) == ("resolved", "high")
    assert over.sentence.endswith("It lasted 2 minutes.")


@pytest.mark.parametrize("level", ["low", "medium", "high"])
def test_the_severity_is_that_of_the_rule_however_long_it_lasts(level: str) -> None:
    site = Site({"metric": "x", "above": 1, "severity": level})
    site.minutes(600, x=2.0)
    assert [i.severity for i in site.told] == [level]


def test_neither_price_nor_silence_hold_a_rule_back_and_it_uses_a_day_of_the_budget_at_most() -> (
    None
):
    site = Site({"metric": "x", "above": 1}, budget="2/day")
    site.minutes(5, x=0.0)
    for _ in range(20):
        site.minutes(1, x=2.0)
        site.minutes(5, x=0.0)
    assert sum(i.state == "open" for i in site.told) == 20
    assert len({i.id for i in site.told}) == 20
    assert charged(0.5, 2.0, rule=True) == 1.5
    assert charged(1.5, 2.0, rule=True) == 2.0
    assert charged(3.0, 2.0, rule=True) == 3.0
    assert charged(3.0, 2.0, rule=False) == 4.0


def test_two_rules_on_a_series_are_both_told_and_each_when_it_begins() -> None:
    site = Site(
        {"name": "High", "metric": "x", "above": 10, "severity": "high"},
        {"name": "Slow", "metric": "x", "above": 1, "for": "10m", "severity": "low"},
    )
    [first] = site.minutes(3, x=20.0)
    [second] = site.minutes(10, x=20.0)
    assert first.members[0].rules == ("High",)
    assert second.members[0].rules == ("High", "Slow")
    assert second.severity == "high"
    assert 'rule "High"' in second.sentence
    assert 'rule "Slow"' in second.sentence
    assert second.id == first.id
    assert telling(first, second) == "worse"


def test_a_rule_joins_what_is_open_and_is_told() -> None:
    """The views found it first; what the rule says comes first as soon as it holds."""
    site = Site(
        {"name": "Full", "metric": "disk", "above": 90, "for": "5m"}, views=True, budget="1/week"
    )
    chance = Chance(1)
    for x in chance.normal(600):
        site.minute(disk=50 + float(x), cpu=20 + float(x))
    assert not site.told
    [first] = site.minutes(3, disk=95.0, cpu=20.0)
    assert "rule" not in first.sentence
    rest = site.minutes(5, disk=95.0, cpu=20.0)
    ruled = [i for i in rest if i.members[0].rules]
    assert ruled[0].id == first.id
    assert ruled[0].sentence.startswith("web-1: disk at 95, above 90 for 5 minutes (rule")
    assert telling(first, ruled[0]) == "worse"


FILE = {"type": "file", "path": "beats.csv", "every": "1m", "values": ["beat"]}


def test_what_did_not_come_is_absent_also_if_nothing_comes_at_all() -> None:
    beat = {"name": "Heartbeat", "metric": "beat", "absent": "5m", "severity": "high"}
    site = Site(beat, source=FILE)
    site.minutes(3, beat=1.0)
    assert not site.minutes(4)
    [opened] = site.minutes(1)
    assert opened.severity == "high"
    assert "web-1: beat absent for 5 minutes (rule" in opened.sentence
    assert not site.minutes(60)
    [over] = site.minutes(5, beat=1.0)
    assert over.state == "resolved"


def test_a_share_is_that_of_the_same_host() -> None:
    site = Site(
        {"name": "Share", "metric": "errors", "divided_by": "requests", "of": "sum", "over": "5m"}
        | {"above": 0.1}
    )
    assert not site.minutes(10, errors=1.0, requests=100.0)
    told = site.minutes(5, errors=50.0, requests=100.0)
    assert "web-1: errors at 0.108 of requests, sum over 5 minutes, above 0.1" in told[0].sentence
    assert not Site(ERRORS | {"divided_by": "nothing"}).minutes(20, status=500.0)
