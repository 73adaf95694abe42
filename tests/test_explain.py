"""What happened, in a sentence: as a user reads it."""

from math import exp, log, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, HOUR, MINUTE, Member
from amiss.decide import explain
from amiss.words import wording

NOON = 1_772_452_800 * 10**9  # 12:00 UTC on 2 March 2026


def member(series: str, **said: Any) -> Member:
    given = {"since": NOON, "at": NOON, "score": 9.0, "expected": 5.0, "lower": 1.0, "upper": 12.0}
    return Member(series, **(given | {"observed": 97.2} | said))


def observed(series: str = "cpu_percent", **said: Any) -> str:
    return wording.observed(member(series, **said))


class TestObserved:
    def test_value_and_band(self) -> None:
        assert observed(expected=50.0) == "CPU at 97.2 % (1 to 12 % expected)"

    def test_a_single_record(self) -> None:
        record = {"observed": nan, "expected": nan, "lower": nan, "upper": nan, "said": "user=ann"}
        whose = 'login{host="a",user="ann"}'
        told = observed(whose, **record, blame=("country KP", "device new"))
        assert told == "an unusual login of ann, most of all country KP and device new"
        assert observed('line{host="a"}', **record) == 'an unusual line: "user=ann"'
        why = observed("line", **record, blame=("a form of line that never came",))
        assert why == 'an unusual line: "user=ann" (a form of line that never came)'
        long = observed("line", **record | {"said": 200 * "x"})
        assert long.endswith(f'"{120 * "x"}..."')

    def test_how_many_times(self) -> None:
        assert observed() == "CPU at 97.2 % (19 times the usual; 1 to 12 % expected)"
        assert "times" not in observed(observed=0.5)
        assert "times" not in observed(expected=1e-9)  # a hundred billion times tells nobody
        assert "times" not in observed(expected=-5.0)

    def test_no_band_below_nothing_or_above_all(self) -> None:
        assert observed(lower=-9.0, expected=60.0).endswith("(0 to 12 % expected)")
        assert observed(observed=2.0, lower=40.0, upper=180.0).endswith("(40 to 100 % expected)")

    def test_but_where_the_series_goes_there(self) -> None:
        said = observed("temperature_celsius", lower=-9.0, expected=-1.0, upper=3.0)
        assert said == "temperature at 97.2 °C (-9 to 3 °C expected)"
        said = observed(observed=250.0, lower=40.0, upper=180.0, expected=130.0)
        assert said == "CPU at 250 % (40 to 180 % expected)"

    def test_inside_its_band_its_course_is_what_is_strange(self) -> None:
        said = observed(observed=8.0, expected=2.0)
        assert said == "CPU at 8 % (1 to 12 % expected, but its course is unusual)"

    def test_without_a_band(self) -> None:
        said = observed("errors_per_second", observed=3.0, expected=0.0, lower=nan, upper=nan)
        assert said == "errors at 3/s (0/s expected)"

    def test_a_band_of_one_number(self) -> None:
        assert observed(lower=5.0, upper=5.0, expected=50.0) == "CPU at 97.2 % (5 % expected)"

    def test_units_once_if_they_are_the_same(self) -> None:
        name = 'disk_write_bytes_per_second{device="sda"}'
        band = {"observed": 310e6, "expected": 200e6}
        said = observed(name, lower=2e6, upper=40e6, **band)
        assert said == "disk write of sda at 310 MB/s (2 to 40 MB/s expected)"
        assert observed(name, lower=900.0, upper=4e7, **band).endswith(
            "(900 B/s to 40 MB/s expected)"
        )
        assert observed(name, lower=-1.0, upper=4e7, **band).endswith("(0 to 40 MB/s expected)")
        said = observed("requests_per_second", lower=2.0, upper=40.0, observed=50, expected=30)
        assert said.endswith("(2 to 40/s expected)")

    def test_as_many_digits_as_it_takes(self) -> None:
        said = observed("t_celsius", observed=45.214, lower=45.1, upper=45.206, expected=45.2)
        assert said == "t at 45.214 °C (45.1 to 45.206 °C expected)"

    def test_a_whole_system(self) -> None:
        blame = ("cpu_percent", 'disk_write_bytes_per_second{device="sda"}')
        key = 'isolation_forest{host="a"}'
        said = observed(key, expected=nan, blame=blame)
        assert said == "an unusual picture as a whole, most of all CPU and disk write of sda"
        assert observed(key, expected=nan) == "an unusual picture as a whole"


class TestRarity:
    def test_nats_and_interval_make_days(self) -> None:
        assert explain.rarity(0.0, 86400.0) == 1.0
        assert explain.rarity(log(288 * 40), 300.0) == pytest.approx(40.0)
        assert explain.rarity(1e9, 5.0) > 1e20  # and no overflow

    @given(st.floats(0, 60), st.floats(0.1, 1e6))
    def test_reads_like_the_equation(self, s: float, seconds: float) -> None:
        assert explain.rarity(s, seconds) == pytest.approx(seconds / 86400 * exp(s))

    @pytest.mark.parametrize(
        ("days", "watched", "before", "said"),
        [
            (0.5, 30.0, None, "about once in 12 hours"),
            (40.0, 90.0, None, "about once in 40 days"),
            (40.0, 10.0, None, "not seen before in the 10 days watched"),
            (40.0, 10.0, NOON - 3 * HOUR, "last like this 3 hours before"),
            (40.0, 10.0, NOON + HOUR, "not seen before in the 10 days watched"),  # clock set back
        ],
    )
    def test_no_claim_beyond_what_was_watched(
        self, days: float, watched: float, before: int | None, said: str
    ) -> None:
        assert wording.rare(days, watched, NOON, before) == said


def sentence(*members: Member, system: str = 'host="web-3"', breadth: int | None = None) -> str:
    count = len(members) if breadth is None else breadth
    return explain.sentence(system, members, count, NOON, "about once in 40 days")


class TestSentence:
    def test_whose_what_when_and_how_rare(self) -> None:
        said = sentence(member('cpu_percent{host="web-3"}', expected=50.0))
        assert said == (
            "web-3: CPU at 97.2 % (1 to 12 % expected) since 12:00 UTC on 2 March;"
            " about once in 40 days."
        )

    def test_with_what_else(self) -> None:
        first = member("cpu_percent", expected=50.0)
        said = sentence(first, member("load1"), member("processes"))
        assert said.endswith("; about once in 40 days; with it: load1 and processes.")
        many = [first, *(member(f"m{i}") for i in range(11))]
        assert sentence(*many, breadth=40).endswith("with it: m0, m1, m2 and 36 more.")

    def test_the_whole_is_named_once(self) -> None:
        wholes = [member(f'{name}{{host="a"}}', expected=nan) for name in ("forest", "regression")]
        said = sentence(member("cpu_percent"), *wholes)
        assert said.endswith("with it: the picture as a whole.")

    def test_of_several_labels_or_none(self) -> None:
        labelled = member('latency_seconds{host="a",service="pay"}', expected=50.0)
        said = sentence(labelled, system='host="a",service="pay"')
        assert said.startswith("a, pay: latency at 97.2 s (")
        assert sentence(labelled, system="").startswith("latency of a pay at 97.2 s (")

    def test_ended(self) -> None:
        assert explain.ended("It was.", 18 * MINUTE, False) == "It was. It lasted 18 minutes."
        assert (
            explain.ended("It was.", DAY // 4, True)
            == "It was. After 6 hours it is the new normal."
        )


def test_evidence_is_that_of_the_family() -> None:
    context = {"top_cpu": ["stress 97 %"], "top_io": ["dd 300 MB/s"]}
    assert explain.evidence(member("load1"), context) == ("stress 97 %",)
    assert explain.evidence(member("disk_write_bytes_per_second"), context) == ("dd 300 MB/s",)
    assert explain.evidence(member("memory_used_percent"), context) == ()
    assert explain.evidence(member("requests"), context) == ()
    blamed = member('isolation_forest{host="a"}', blame=("requests", "disk_read_bytes"))
    assert explain.evidence(blamed, context) == ("dd 300 MB/s",)


def test_a_moment_to_the_minute() -> None:
    assert explain.moment(NOON + 59 * 10**9) == "12:00 UTC on 2 March"
