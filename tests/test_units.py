"""Numbers and names as a person reads them."""

from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.words.units import (
    LARGE,
    evidence_for,
    is_slight,
    listed,
    unit_of,
    words,
    write_days,
    write_number,
)


@pytest.mark.parametrize(
    ("value", "name", "said"),
    [
        (310e6, "disk_write_bytes_per_second", "310 MB/s"),
        (97.23, "cpu_percent", "97.2 %"),
        (12, "processes", "12"),
        (0, "processes", "0"),
        (-0.0, "processes", "0"),
        (1234, "context_switches_per_second", "1.23 k/s"),
        (3.3, "requests_per_second", "3.3/s"),
        (0, "requests_per_second", "0/s"),
        (999.6, "memory_bytes", "1 kB"),
        (999_960, "memory_bytes", "1 MB"),
        (16e9, "memory_bytes", "16 GB"),
        (0.0003, "latency_seconds", "300 µs"),
        (0.02, "latency_seconds", "20 ms"),
        (0.9996, "latency_seconds", "1 s"),
        (2e-12, "latency_seconds", "2e-12 s"),
        (45.25, "temperature_celsius", "45.2 °C"),
        (0.5, "hit_ratio", "0.5"),
        (-1234567, "balance", "-1.23 M"),
        (1e-7, "leak", "1e-07"),
        (1e30, "memory_bytes", "1e+30 B"),
        (nan, "cpu_percent", "nothing"),
        (inf, "cpu_percent", "nothing"),
    ],
)
def test_numbers(value: float, name: str, said: str) -> None:
    assert write_number(value, name) == said


names = st.sampled_from(["x", "x_bytes", "x_bytes_per_second", "x_percent", "x_seconds", "x_rpm"])


@given(st.floats(-1e308, 1e308), names, st.integers(2, 8))
def test_a_number_reads_back_as_what_it_was(value: float, name: str, digits: int) -> None:
    """But for the digits that were left out."""
    text = write_number(value, name, digits)
    number = text.removesuffix(unit_of(name)).strip()
    scale = {**{p: 1000.0**i for i, p in enumerate(LARGE)}, "m": 1e-3, "µ": 1e-6, "n": 1e-9}
    prefix = number[-1] if number[-1] in scale else ""
    back = float(number.removesuffix(prefix)) * scale[prefix]
    assert back == pytest.approx(value, rel=10.0 ** (1 - digits))
    assert isfinite(back)


def test_the_largest_number_there_is_has_a_text() -> None:
    assert write_number(1.75e308, "x", 2) == "1.8e+308"


def test_more_digits_tell_more() -> None:
    assert write_number(16.0034e9, "memory_bytes", 5) == "16.003 GB"
    assert write_number(45.2171, "temperature_celsius", 5) == "45.217 °C"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("cpu_percent", "CPU"),
        ('cpu_iowait_percent{host="web-3"}', "CPU iowait"),
        ('disk_write_bytes_per_second{device="sda",host="web-3"}', "disk write of sda"),
        ('disk_used_percent{mount="/home"}', "disk used of /home"),
        ("context_switches_per_second", "context switches"),
        ('requests_per_second{code="500",host="a",route="/buy"}', "requests of 500 /buy"),
        ("load1", "load1"),
        ("_bytes", " bytes"),
    ],
)
def test_names(key: str, said: str) -> None:
    assert words(key) == said


def test_labels_of_the_system_are_left_out_and_no_others() -> None:
    key = 'latency_seconds{host="a",service="pay"}'
    assert words(key) == "latency of pay"
    assert words(key, ("service",)) == "latency of a"
    assert words(key, ("service", "host")) == "latency"


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0.0, "1 s"),
        (5 / 86400, "5 s"),
        (80 / 86400, "80 s"),
        (2 / 1440, "2 minutes"),
        (1 / 24, "60 minutes"),
        (1.4, "34 hours"),
        (1.5, "2 days"),
        (40, "40 days"),
        (100, "3 months"),
        (700, "2 years"),
    ],
)
def test_spans(days: float, said: str) -> None:
    assert write_days(days) == said


def test_lists() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_which_context_explains_what() -> None:
    assert evidence_for("cpu_percent") == "top_cpu"
    assert evidence_for("load1") == "top_cpu"
    assert evidence_for("memory_used_percent") == "top_memory"
    assert evidence_for("disk_write_bytes_per_second") == "top_io"
    assert evidence_for("network_receive_bytes_per_second") is None


@pytest.mark.parametrize(
    ("name", "expected", "observed", "slight"),
    [
        ("disk_percent", 14.80, 14.87, True),
        ("disk_percent", 14.80, 15.2, False),
        ("disk_percent", 99.0, 99.1, False),  # of the hundredth that is left
        ("success_percent", 99.99, 99.5, False),
        ("disk_free_bytes", 83.3e9, 83.2e9, True),
        ("cpu_percent", 240.0, 242.0, True),  # of several cores
        ("orders", -200.0, -201.0, True),
        ("orders", 0.0, 1e-9, False),
        ("isolation_forest", nan, nan, False),
    ],
)
def test_what_nobody_would_call_a_change(
    name: str, expected: float, observed: float, slight: bool
) -> None:
    assert is_slight(name, expected, observed) is slight
